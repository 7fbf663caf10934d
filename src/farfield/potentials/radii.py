"""The radii that are worth trying for a model: those that change its output."""

from __future__ import annotations

from farfield.errors import CapabilityError
from farfield.potentials.contract import CutoffMode, Potential

# Of the model's own radius. Larger ones are for the modes that move the envelope: with the
# others nothing lies beyond it.
SHARES = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.05, 1.1, 1.2)


def candidate_radii(
    potential: Potential, mode: CutoffMode
) -> tuple[tuple[float, ...], dict[float, str]]:
    """Radii (Å) at which ``mode`` changes the output, and the others with the reason.

    Raises
    ------
    CapabilityError
        The model does not offer the mode.
    """
    require_mode(potential, mode)
    assert potential.cutoff is not None  # a model with cutoff modes has a cutoff
    radii, refused = [], {}
    for share in SHARES:
        radius = round(share * potential.cutoff, 4)
        try:
            found = potential.with_cutoff(radius, mode).cutoff
        except CapabilityError as error:
            refused[radius] = str(error)
        else:
            assert found is not None  # it has the radius that it was given, to its own rounding
            radii.append(found)
    return tuple(radii), refused


def require_mode(potential: Potential, mode: str) -> None:
    """Raise unless ``potential`` offers ``mode``."""
    if mode in potential.cutoff_modes:
        return
    offered = ", ".join(sorted(potential.cutoff_modes)) or "none"
    raise CapabilityError(
        f"radius refinement needs the cutoff mode {mode!r}, which {potential.name} does not "
        f"offer (it offers {offered}): choose one that it does, or a model with an adapter"
    )
