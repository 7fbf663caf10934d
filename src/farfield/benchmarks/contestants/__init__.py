"""Contestants: baselines and refinements that are compared on a task."""
