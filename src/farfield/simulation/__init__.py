"""Molecular dynamics with potentials: engines, checks with causes, observables, smoothness."""
