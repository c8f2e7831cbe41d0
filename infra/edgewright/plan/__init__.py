"""The offline plan: a stack's components run against a recorder, checked, and shown."""
