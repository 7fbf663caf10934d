"""How simulations went: lifetimes, causes of failure, distances, energy surfaces."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from farfield.errors import ConfigError


@dataclass(frozen=True)
class Lifetimes:
    """How long the replicas of one model's simulation lived.

    Attributes
    ----------
    name
        The model.
    lifetimes
        Per replica, the time until a check stopped it, or until the end, ps.
    censored
        Per replica, whether it was alive at that time.
    is_baseline
        True for what is compared against, False for what farfield did.
    """

    name: str
    lifetimes: list[float]
    censored: list[bool]
    is_baseline: bool = False

    def __post_init__(self) -> None:
        if not self.lifetimes or len(self.lifetimes) != len(self.censored):
            raise ConfigError(
                f"lifetimes of {self.name!r}: {len(self.lifetimes)} times and "
                f"{len(self.censored)} marks do not belong together"
            )
        if not all(math.isfinite(time) and time >= 0.0 for time in self.lifetimes):
            raise ConfigError(f"lifetimes of {self.name!r}: a time is negative or not finite")


@dataclass(frozen=True)
class Causes:
    """What stopped the replicas of one model's simulation.

    Attributes
    ----------
    name
        The model.
    replicas
        How many there were; those that no cause stopped are alive.
    counts
        Replicas per cause, such as ``{"bond broken": 5}``.
    is_baseline
        True for what is compared against, False for what farfield did.
    """

    name: str
    replicas: int
    counts: Mapping[str, int]
    is_baseline: bool = False

    def __post_init__(self) -> None:
        stopped = sum(self.counts.values())
        if min(self.counts.values(), default=0) < 0 or not stopped <= self.replicas:
            raise ConfigError(
                f"causes of {self.name!r}: {stopped} replicas stopped, of {self.replicas}"
            )

    @property
    def alive(self) -> int:
        """How many replicas no cause stopped."""
        return self.replicas - sum(self.counts.values())


@dataclass(frozen=True)
class DistanceCurves:
    """Distributions of interatomic distances h(r) on one grid.

    Attributes
    ----------
    distances
        Where, Å, ascending.
    reference
        h(r) of the reference trajectory there, 1/Å.
    curves
        h(r) of other trajectories there, 1/Å, by name; at most three.
    errors
        ∫ |h − h_reference| dr by name, without unit; a missing one is not shown.
    reference_name
        What the reference is, such as ``"GFN2-xTB"``.
    """

    distances: list[float]
    reference: list[float]
    curves: Mapping[str, list[float]]
    errors: Mapping[str, float] = field(default_factory=dict)
    reference_name: str = "reference"

    def __post_init__(self) -> None:
        if not 1 <= len(self.curves) <= 3:
            raise ConfigError(f"h(r): {len(self.curves)} curves beside the reference; give 1 to 3")
        for name, values in {self.reference_name: self.reference, **self.curves}.items():
            if len(values) != len(self.distances):
                raise ConfigError(
                    f"h(r) of {name!r}: {len(values)} values for {len(self.distances)} distances"
                )
        if unknown := set(self.errors) - set(self.curves):
            raise ConfigError(f"h(r): errors of {sorted(unknown)}, which have no curve")


@dataclass(frozen=True)
class EnergySurface:
    """Energies on a grid along two directions around one structure.

    Attributes
    ----------
    title
        Such as ``"before"``.
    first, second
        Displacements along the two directions, Å.
    energies
        ``energies[i][j]`` belongs to ``first[i]`` and ``second[j]``; eV.
    """

    title: str
    first: list[float]
    second: list[float]
    energies: list[list[float]]

    def __post_init__(self) -> None:
        rows = [len(row) for row in self.energies]
        if rows != [len(self.second)] * len(self.first) or min(len(self.first), *rows) < 2:
            raise ConfigError(
                f"surface {self.title!r}: the energies do not fit "
                f"{len(self.first)} by {len(self.second)} displacements"
            )
        if not all(math.isfinite(value) for row in self.energies for value in row):
            raise ConfigError(f"surface {self.title!r}: an energy is not finite")
