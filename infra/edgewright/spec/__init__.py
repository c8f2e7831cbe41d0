"""The edge spec: what the user wrote."""
