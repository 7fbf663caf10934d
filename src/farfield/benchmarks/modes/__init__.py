"""Modes: how much a run computes. Each is a YAML file."""
