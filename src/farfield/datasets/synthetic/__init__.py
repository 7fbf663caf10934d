"""Synthetic shifts: small molecules shifted along one axis at a time, labelled on the spot."""
