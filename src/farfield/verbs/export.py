"""Write a model in its native format: the verb ``export``."""

from __future__ import annotations

from pathlib import Path

from farfield.errors import CapabilityError
from farfield.potentials import Capability, Potential, TrainablePotential, require
from farfield.refinement import AdaptedEach, Corrected, Delta, load_model
from farfield.refinement.radius.at_radii import AtRadii


def export(model: Potential | str, output: Path | str, *, head: str | None = None) -> None:
    """Write the native file of ``model`` with one head, for use without farfield.

    Raises
    ------
    CapabilityError
        The model has no native format, or a rule that its native format cannot hold.
    """
    potential = load_model(model)
    if isinstance(potential, AtRadii):
        raise CapabilityError(
            f"{potential.name}: a radius for each structure or composition has no place in a "
            "native model file: use it through farfield, or refine again with  --per set,  one "
            "radius for all"
        )
    if isinstance(potential, AdaptedEach):
        raise CapabilityError(
            f"{potential.name}: a native model file holds one set of weights: export the models in "
            "the folder models beside it"
        )
    if isinstance(potential, Corrected):
        raise CapabilityError(
            f"{potential.name}: the prior has no place in a native model file: use it through "
            "farfield, or make a plain model with  farfield refine --method distil"
        )
    if isinstance(potential, Delta):
        raise CapabilityError(
            f"{potential.name}: the prior has no place in a native model file: use it through "
            "farfield"
        )
    require(potential, Capability.EXPORT, "export")
    assert isinstance(potential, TrainablePotential)
    potential.export(Path(output), head)
