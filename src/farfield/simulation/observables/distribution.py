"""A distribution on a fixed grid, and the difference of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from farfield.errors import ConfigError

Floats = npt.NDArray[np.float64]


@final
@dataclass(frozen=True)
class Distribution:
    """A density over B equal bins; the unit of its values is that of the observable.

    Attributes
    ----------
    edges
        Edges of the bins, shape (B + 1,).
    density
        Probability per unit of the observable, shape (B,); it integrates to ``1 - beyond``.
    beyond
        Share of the values outside the edges, 0..1.
    samples
        Number of values. Values of neighbouring frames are correlated.
    """

    edges: Floats
    density: Floats
    beyond: float
    samples: int

    @property
    def centres(self) -> Floats:
        """Middle of each bin, shape (B,)."""
        middles: Floats = 0.5 * (self.edges[:-1] + self.edges[1:])
        return middles

    @property
    def mean(self) -> float:
        """Mean of the values within the edges, to half a bin."""
        return float(self.density @ self.centres / self.density.sum())

    def difference(self, other: Distribution) -> float:
        """Return the integral of the absolute difference: 0 for the same, 2 for no overlap.

        What lies beyond the edges counts as one more bin. Finite sampling alone gives a
        difference above 0, the larger the narrower the bins: compare with that of two
        halves of one trajectory.

        Raises
        ------
        ConfigError
            The two stand on different grids.
        """
        if not np.array_equal(self.edges, other.edges):
            raise ConfigError(
                f"distributions on different grids ({len(self.density)} bins up to "
                f"{self.edges[-1]:g}, {len(other.density)} up to {other.edges[-1]:g}): make both "
                "with the same width and reach"
            )
        inside = np.abs(self.density - other.density) @ np.diff(self.edges)
        return float(inside + abs(self.beyond - other.beyond))


@final
class Counter:
    """Counts of values on the grid ``low, low + width, ..., high``."""

    def __init__(self, low: float, high: float, width: float) -> None:
        bins = round((high - low) / width) if width > 0.0 and high > low else 0
        if bins < 1 or not np.isclose(bins * width, high - low):
            raise ConfigError(
                f"bins of width {width:g} between {low:g} and {high:g}: the width must divide "
                "the range"
            )
        self.low, self.width, self.bins = low, width, bins
        self.counts = np.zeros(bins + 2, dtype=np.int64)  # below, the bins, above

    def add(self, values: Floats) -> None:
        """Count ``values`` of any shape; a value on an edge belongs to the bin above it."""
        place = np.floor((values.ravel() - self.low) / self.width)
        index = np.clip(place, -1, self.bins).astype(np.int64) + 1
        self.counts += np.bincount(index, minlength=self.bins + 2)

    def distribution(self) -> Distribution:
        """Return the counts as a density."""
        samples = int(self.counts.sum())
        return Distribution(
            edges=self.low + self.width * np.arange(self.bins + 1, dtype=np.float64),
            density=self.counts[1:-1] / (samples * self.width),
            beyond=float(self.counts[0] + self.counts[-1]) / samples,
            samples=samples,
        )
