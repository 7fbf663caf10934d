"""The distribution of interatomic distances h(r): one number for a molecule's structure."""

from __future__ import annotations

from collections.abc import Iterable

from ase import Atoms
from scipy.spatial.distance import pdist

from farfield.errors import StructureError
from farfield.simulation.observables.distribution import Counter, Distribution
from farfield.simulation.observables.frames import frames_of, positive
from farfield.structures import describe


def interatomic_distances(
    frames: Iterable[Atoms], *, width: float = 0.02, reach: float = 50.0
) -> Distribution:
    """Return h(r), the distribution of all interatomic distances over all frames, in 1/Å.

    h(r) = ⟨Σ_i Σ_{j≠i} δ(r − |x_i − x_j|)⟩ / (N (N − 1)), as defined by Fu et al., "Forces are
    not enough" (arXiv:2210.07237). Their error of a simulation, ∫ |h − h_reference| dr, is
    ``h.difference(h_reference)``: without unit, between 0 and 2.

    Parameters
    ----------
    frames
        Frames of a molecule or cluster. For periodic structures see
        :func:`radial_distribution`.
    width
        Of the bins, Å. The error depends on it: compare only errors of the same width.
    reach
        Distances beyond it, Å, are counted together.

    Raises
    ------
    StructureError
        No frame, fewer than two atoms, changing atoms, or a periodic structure.

    Examples
    --------
    >>> from ase.build import molecule
    >>> f"{interatomic_distances([molecule('H2')]).mean:.2f}"
    '0.73'
    """
    purpose = "interatomic distances"
    found = frames_of(frames, 1, purpose)
    if found[0].pbc.any():
        raise StructureError(
            f"{purpose}: {describe(found[0])} is periodic: use radial_distribution, or set pbc to "
            "False if it is one whole molecule in a box"
        )
    if len(found[0]) < 2:
        raise StructureError(f"{purpose}: {describe(found[0])} has no two atoms")
    counter = Counter(0.0, positive(reach, "reach", "Å"), positive(width, "width", "Å"))
    for frame in found:
        counter.add(pdist(frame.positions))  # (N (N - 1) / 2,)
    return counter.distribution()
