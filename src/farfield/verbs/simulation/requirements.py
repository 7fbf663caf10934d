"""What is refused before a simulation begins, in one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ase import Atoms

from farfield.errors import CapabilityError, ConfigError, did_you_mean
from farfield.priors import Prior
from farfield.simulation import SimulationSettings
from farfield.structures import describe
from farfield.structures.h5md import h5py_for
from farfield.verbs.methods import METHODS

REFINING_ANEW = ("ttt", "distil")  # what they learn depends on the structures


def require_prior(starts: list[Atoms], prior: Prior | None) -> None:
    """Raise where the prior cannot take a start."""
    for atoms in starts:
        refusal = None if prior is None else prior.refusal(atoms)
        if refusal:
            raise CapabilityError(f"{describe(atoms)}: {refusal}: choose another prior")


def require_possible(starts: list[Atoms], settings: SimulationSettings, workers: int) -> None:
    """Raise where these starts cannot be run so."""
    if workers < 1:
        raise ConfigError(f"workers={workers}: at least 1 process is needed")
    if settings.trajectory_format == "hdf5":
        h5py_for("a trajectory in HDF5")
    for atoms in starts if settings.ensemble == "npt" else []:
        if not atoms.pbc.all():
            raise ConfigError(
                f"{describe(atoms)} is not periodic in all directions, which npt needs: use nvt"
            )


def require_method(refine: str | None, given: Mapping[str, Any]) -> None:
    """Raise for an unknown method, and for what is given to one where there is none."""
    if refine is not None and refine not in METHODS:
        raise ConfigError(f"unknown method {refine!r}{did_you_mean(refine, METHODS)}")
    for key, value in given.items():
        if refine is None and value:
            raise ConfigError(
                f"--{key.replace('_', '-')} is for a refinement: give --refine METHOD"
            )


def require_alarms(
    settings: SimulationSettings,
    refine: str | None,
    options: Mapping[str, Any] | None,
    *,
    watched: bool,
) -> None:
    """Raise where the model is to be refined anew, and never could be."""
    if settings.refine_every is None:
        return
    if refine is None:
        raise ConfigError("--refine-every is for a refinement: give --refine METHOD")
    if refine not in REFINING_ANEW or (options or {}).get("per") == "structure":
        raise ConfigError(
            "--refine-every needs a method whose result depends on the frames as a set: give "
            f"--refine {' or '.join(REFINING_ANEW)}, without per structure"
        )
    if not watched:
        raise ConfigError(
            "--refine-every waits for an alarm, and none can fire: give --prior or --profile"
        )
    if settings.checks.stop_on_alarm:
        raise ConfigError(
            "--stop-on-alarm ends the simulations for which --refine-every would refine the "
            "model: leave one of them away"
        )


def require_sample(
    duration: float | None, temperature: float | None, prior: Prior | None, refine_on: object
) -> None:
    """Raise where ``duration`` cannot be sampled at ``temperature``."""
    if duration is None:
        if temperature is not None:
            raise ConfigError("--sample-temperature belongs to --sample: give that too")
        return
    if temperature is not None and not temperature > 0.0:
        raise ConfigError(f"--sample-temperature {temperature:g}: in K, above 0")
    if not duration > 0.0:
        raise ConfigError(f"--sample {duration:g}: a duration in ps, above 0")
    if prior is None:
        raise ConfigError("--sample runs the prior: give --prior, such as gfn2")
    if refine_on is not None:
        raise ConfigError("--sample makes the structures to refine for, --refine-on gives them")
