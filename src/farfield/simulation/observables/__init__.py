"""Observables of a trajectory, to compare one simulation with another.

Each is a pure function of frames (:class:`ase.Atoms`) and gives a small frozen record. A
trajectory that cannot carry the observable is an error.
"""

from farfield.simulation.observables.displacement import (
    MeanSquaredDisplacement,
    mean_squared_displacement,
)
from farfield.simulation.observables.distances import interatomic_distances
from farfield.simulation.observables.distribution import Distribution
from farfield.simulation.observables.internal import (
    angle_distributions,
    bond_distributions,
    dihedral_distributions,
)
from farfield.simulation.observables.radial import RadialDistribution, radial_distribution
from farfield.simulation.observables.velocities import (
    VelocityAutocorrelation,
    VibrationalSpectrum,
    velocity_autocorrelation,
    vibrational_spectrum,
)

__all__ = [
    "Distribution",
    "MeanSquaredDisplacement",
    "RadialDistribution",
    "VelocityAutocorrelation",
    "VibrationalSpectrum",
    "angle_distributions",
    "bond_distributions",
    "dihedral_distributions",
    "interatomic_distances",
    "mean_squared_displacement",
    "radial_distribution",
    "velocity_autocorrelation",
    "vibrational_spectrum",
]
