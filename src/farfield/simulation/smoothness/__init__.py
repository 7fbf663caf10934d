"""Probes of how smooth a potential energy surface is, for any ASE calculator.

A potential gives its calculator by ``potential.calculator()``.
"""

from farfield.simulation.smoothness.measures import (
    Consistency,
    ForceNoise,
    Roughness,
    consistency,
    force_noise,
    roughness,
)
from farfield.simulation.smoothness.modes import Modes, relaxed, softest_modes
from farfield.simulation.smoothness.scans import (
    Scan,
    Surface,
    bond_scan,
    energy_surface,
    path_scan,
)

__all__ = [
    "Consistency",
    "ForceNoise",
    "Modes",
    "Roughness",
    "Scan",
    "Surface",
    "bond_scan",
    "consistency",
    "energy_surface",
    "force_noise",
    "path_scan",
    "relaxed",
    "roughness",
    "softest_modes",
]
