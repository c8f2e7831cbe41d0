"""Measures what the local edge costs; `python -m bench` prints it."""
