"""Axes: each module is one detector, or what several detectors have in common."""
