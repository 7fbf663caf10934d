"""Radius refinement: the edges of the test graph change, not the weights."""
