"""Molecular dynamics with any model: ASE's integrators, checks with causes, restart, a record."""

from farfield.simulation.checks import Check, Finding, Frame, checks_of
from farfield.simulation.group import GroupResult, Job, run_group
from farfield.simulation.outcome import Event, Outcome
from farfield.simulation.record import record_of
from farfield.simulation.run import groups_of, run_all, steps_done
from farfield.simulation.settings import CheckSettings, SimulationSettings, load_settings

__all__ = [
    "Check",
    "CheckSettings",
    "Event",
    "Finding",
    "Frame",
    "GroupResult",
    "Job",
    "Outcome",
    "SimulationSettings",
    "checks_of",
    "groups_of",
    "load_settings",
    "record_of",
    "run_all",
    "run_group",
    "steps_done",
]
