"""The verbs as functions: what the command line runs, and what Python users call."""
