"""The local target: an edge compiled to Envoy configuration, and the processes that run it on this machine."""
