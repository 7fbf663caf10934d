"""Tasks: which structures are trained on, and which are shifted how. Each is a YAML file."""
