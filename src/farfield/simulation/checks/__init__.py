"""What can go wrong in a simulation: one file for each check."""

from __future__ import annotations

from farfield.potentials import Potential
from farfield.priors import Prior
from farfield.shifts import Profile
from farfield.simulation.checks.bond_breaking import BondBreaking
from farfield.simulation.checks.bond_forming import BondForming
from farfield.simulation.checks.contract import Check, Finding, Frame
from farfield.simulation.checks.drift import Drift
from farfield.simulation.checks.energy import Energy
from farfield.simulation.checks.lost import Lost
from farfield.simulation.checks.not_a_number import NotANumber
from farfield.simulation.checks.overlap import Overlap
from farfield.simulation.checks.prior_disagreement import PriorDisagreement
from farfield.simulation.checks.shift import Shift
from farfield.simulation.checks.temperature import Temperature
from farfield.simulation.settings import SimulationSettings

__all__ = [
    "BondBreaking",
    "BondForming",
    "Check",
    "Drift",
    "Energy",
    "Finding",
    "Frame",
    "Lost",
    "NotANumber",
    "Overlap",
    "PriorDisagreement",
    "Shift",
    "Temperature",
    "checks_of",
]


def checks_of(
    settings: SimulationSettings,
    prior: Prior | None = None,
    profile: Profile | None = None,
    profiled: Potential | None = None,
) -> list[Check]:
    """The checks of one simulation, the most specific first: where several fire, it leads.

    Parameters
    ----------
    settings
        Limits and strides.
    prior, profile
        What the model is watched with; None leaves that check out.
    profiled
        The model that the profile was made with.
    """
    limits = settings.checks
    nve = settings.ensemble == "nve"
    found: list[Check] = [
        NotANumber(),
        Overlap(limits.overlap, limits.stride),
        Lost(limits.lost_distance, limits.stride),
    ]
    if not limits.allow_reactions:
        found += [
            BondBreaking(limits.bonded, limits.broken, limits.stride),
            BondForming(limits.bonded, limits.near, limits.stride),
        ]
    found += [
        Temperature(
            settings.temperature,
            limits.temperature_factor,
            limits.temperature_window,
            limits.stride,
        ),
        Energy(
            settings.temperature,
            limits.energy_factor,
            limits.energy_floor,
            total=nve,
            stride=limits.stride,
        ),
    ]
    if nve:
        found.append(Drift(limits.drift, limits.drift_after, limits.stride))
    watching = {
        "window": limits.window,
        "stride": limits.watch_stride,
    }
    if prior is not None:
        found.append(
            PriorDisagreement(
                prior,
                factor=limits.disagreement_factor,
                floor=limits.disagreement_floor,
                stops=limits.stop_on_alarm,
                **watching,
            )
        )
    if profile is not None:
        found.append(
            Shift(
                profile,
                profiled,
                quantile=limits.shift_quantile,
                stops=limits.stop_on_alarm,
                **watching,
            )
        )
    return found
