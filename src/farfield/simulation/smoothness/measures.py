"""Numbers that tell a smooth potential energy surface from a jagged one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import Calculator
from numpy.polynomial import Chebyshev
from scipy.interpolate import CubicSpline

from farfield.errors import ConfigError, StructureError
from farfield.simulation.smoothness.evaluation import evaluate
from farfield.simulation.smoothness.scans import Scan
from farfield.structures import describe

Floats = npt.NDArray[np.float64]


@final
@dataclass(frozen=True)
class Consistency:
    """Whether forces are the slope of the energy along a path.

    Attributes
    ----------
    largest_mismatch
        max over the path of |E(s) − E(0) + ∫ F·dx|, eV.
    quadrature_error
        How much of it the integration may have made, eV: the change of the integral when
        every other point is left out. A mismatch not above it means nothing.
    """

    largest_mismatch: float
    quadrature_error: float


@final
@dataclass(frozen=True)
class Roughness:
    """How far the curvature of the energy along a path is from a smooth one.

    Attributes
    ----------
    curvature
        rms over the path of d²E/ds² less its smooth fit, eV/Å².
    relative
        The same divided by the rms of the smooth fit.
    """

    curvature: float
    relative: float


@final
@dataclass(frozen=True)
class ForceNoise:
    """How fast forces change their slope under small displacements.

    Attributes
    ----------
    ratio
        rms of F(x+d) − 2 F(x) + F(x−d) over rms of F(x±d) − F(x). It falls to 0 with d for
        smooth forces; independent noise gives √3.
    noise
        rms of the second difference over √6, eV/Å: the noise per component if it were all
        noise, and so a bound on it.
    """

    ratio: float
    noise: float


def consistency(scan: Scan) -> Consistency:
    """Compare the energy along a path with the integral of the forces, by cubic splines.

    Raises
    ------
    ConfigError
        Fewer than nine points.
    """
    _at_least(scan, 9, "energy-force consistency")
    work = CubicSpline(scan.lengths, scan.forces).antiderivative()(scan.lengths)  # (P,), eV
    coarse = CubicSpline(scan.lengths[::2], scan.forces[::2]).antiderivative()
    gap = scan.energies - scan.energies[0] + work  # (P,)
    return Consistency(
        largest_mismatch=float(np.abs(gap).max()),
        quadrature_error=float(np.abs(coarse(scan.lengths[::2]) - work[::2]).max()),
    )


def roughness(scan: Scan, *, degree: int = 8) -> Roughness:
    """Compare second differences of the energy with a polynomial fitted to them.

    Energies in single precision are rough at this scale: their rounding, about 1e-7 of the
    total energy, is divided by the square of the spacing.

    Parameters
    ----------
    scan
        Evenly spaced.
    degree
        Of the polynomial in the path length. It must be able to follow the true curvature,
        and no ripple.

    Raises
    ------
    ConfigError
        Fewer than four points per degree, or uneven spacing.
    """
    _at_least(scan, 4 * degree, f"roughness against a polynomial of degree {degree}")
    spacing = np.diff(scan.lengths)
    if not np.allclose(spacing, spacing[0], rtol=1e-6):
        raise ConfigError("roughness: the points of the scan are not evenly spaced")
    curvature = np.diff(scan.energies, 2) / spacing[0] ** 2  # (P - 2,), eV/Å²
    where = scan.lengths[1:-1]
    smooth = Chebyshev.fit(where, curvature, degree)(where)
    rough = _rms(curvature - smooth)
    size = _rms(smooth)
    return Roughness(rough, rough / size if size > 0.0 else float("inf"))


def force_noise(
    atoms: Atoms,
    calculator: Calculator,
    *,
    displacement: float = 0.01,
    rattles: int = 8,
    seed: int = 0,
) -> ForceNoise:
    """Move all atoms at random by ``displacement`` Å, there and back, and look at the forces.

    It takes ``2 * rattles + 1`` calculations.

    Parameters
    ----------
    atoms
        Any structure of two or more atoms.
    calculator
        Any ASE calculator.
    displacement
        d, of each atom, in a random direction, Å.
    rattles
        How many random displacements.
    seed
        Of the random directions.

    Raises
    ------
    StructureError
        The forces do not change at all: fewer than two atoms, or atoms that do not interact.
    """
    if not displacement > 0.0 or rattles < 1:
        raise ConfigError(
            f"force noise with {rattles} rattles of {displacement:g} Å: both must be above zero"
        )
    moves = np.random.default_rng(seed).standard_normal((rattles, len(atoms), 3))
    moves *= displacement / np.linalg.norm(moves, axis=2, keepdims=True)
    here = atoms.positions[None]
    forces = evaluate(atoms, np.concatenate([here, here + moves, here - moves]), calculator)[1]
    middle, ahead, behind = forces[0], forces[1 : rattles + 1], forces[rattles + 1 :]
    first = _rms(np.stack([ahead - middle, behind - middle]))
    second = _rms(ahead - 2.0 * middle + behind)
    if first == 0.0:
        raise StructureError(f"force noise: no force on {describe(atoms)} changes")
    return ForceNoise(ratio=second / first, noise=second / 6.0**0.5)


def _at_least(scan: Scan, points: int, purpose: str) -> None:
    if len(scan.lengths) < points:
        raise ConfigError(
            f"{purpose}: the scan has {len(scan.lengths)} points, and {points} are needed"
        )


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))
