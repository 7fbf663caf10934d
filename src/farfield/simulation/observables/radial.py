"""Radial distribution functions g(r) of periodic structures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.errors import ConfigError, StructureError, did_you_mean
from farfield.graphs import neighbour_graph
from farfield.simulation.observables.distribution import Counter
from farfield.simulation.observables.frames import frames_of, positive
from farfield.structures import describe

Floats = npt.NDArray[np.float64]


@final
@dataclass(frozen=True)
class RadialDistribution:
    """How many atoms of one element stand around those of another, against distance.

    Attributes
    ----------
    pair
        Elements of the central and of the counted atoms; None for all atoms.
    edges
        Edges of the B bins, shape (B + 1,), Å.
    values
        g(r), shape (B,), without unit: 1 where the density is the mean one.
    neighbours
        Mean number of counted atoms within each bin's upper edge, shape (B,).
    """

    pair: tuple[str, str] | None
    edges: Floats
    values: Floats
    neighbours: Floats

    @property
    def centres(self) -> Floats:
        """Middle of each bin, shape (B,), Å."""
        middles: Floats = 0.5 * (self.edges[:-1] + self.edges[1:])
        return middles


def radial_distribution(
    frames: Iterable[Atoms],
    pair: tuple[str, str] | None = None,
    *,
    reach: float = 6.0,
    width: float = 0.05,
) -> RadialDistribution:
    """Return g(r), averaged over the frames.

    The counts in a shell are divided by the number that the mean density, atoms of the second
    element per volume of the cell, would give. All periodic images count, so that ``reach``
    may exceed half the cell. An ideal gas of N atoms gives 1 − 1/N below half the cell.
    Each frame has its own volume, so that the cell may change.

    Parameters
    ----------
    frames
        Frames of a structure that is periodic along three axes.
    pair
        Chemical symbols of the central and the counted atoms; all atoms if None.
    reach
        Largest distance, Å.
    width
        Of the bins, Å.

    Raises
    ------
    StructureError
        No frame, changing atoms, not three periodic axes, or no volume.
    ConfigError
        An element that the structure does not have.
    """
    purpose = "radial distribution"
    found = frames_of(frames, 1, purpose)
    first = found[0]
    if not first.pbc.all():
        raise StructureError(
            f"{purpose}: {describe(first)} is not periodic along three axes and has no volume: "
            "use interatomic_distances"
        )
    central, counted = _selection(first, pair)
    counter = Counter(0.0, positive(reach, "reach", "Å"), positive(width, "width", "Å"))
    edges = width * np.arange(counter.bins + 1, dtype=np.float64)  # (B + 1,)
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)  # (B,), Å³
    values, totals = np.zeros(counter.bins), np.zeros(counter.bins)
    for frame in found:
        if not frame.cell.volume > 0.0:
            raise StructureError(f"{purpose}: the cell of {describe(frame)} spans no volume")
        graph = neighbour_graph(frame, reach)
        chosen = central[graph.senders] & counted[graph.receivers]  # (E,)
        counter.counts[:] = 0
        counter.add(graph.distances[chosen])
        around = counter.counts[1:-1] / central.sum()  # (B,), per central atom
        values += around * frame.cell.volume / (counted.sum() * shells)
        totals += around
    return RadialDistribution(pair, edges, values / len(found), np.cumsum(totals) / len(found))


def _selection(
    atoms: Atoms, pair: tuple[str, str] | None
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which atoms are central and which are counted, both (N,)."""
    if pair is None:
        every = np.ones(len(atoms), dtype=bool)
        return every, every
    symbols = np.array(atoms.get_chemical_symbols())
    for symbol in pair:
        if symbol not in symbols:
            raise ConfigError(
                f"radial distribution: {describe(atoms)} has no {symbol!r}"
                f"{did_you_mean(symbol, set(symbols.tolist()))}"
            )
    return symbols == pair[0], symbols == pair[1]
