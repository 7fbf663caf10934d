"""Exact counts and sums over all training structures: what can be added can be merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import numpy.typing as npt

from farfield.graphs import padded
from farfield.shifts.contract import ELEMENTS, Described, Floats

Array = npt.NDArray[Any]

MOST_FEATURES = 256  # beyond, no covariance is kept: it would not fit into a small file
_MASK = (1 << 64) - 1


@final
class Totals:
    """Counts and sums; whole numbers exactly, others to rounding.

    Attributes
    ----------
    count
        Number of structures; copies count.
    key_sum
        Sum of their keys, modulo 2**64: the same for the same structures in any order.
    sizes
        Smallest and largest number of atoms, shape (2,).
    elements, atoms, pairs
        Number of structures with each element, of atoms of each element, and of structures
        with each pair of elements, by number.
    density
        Sum of the coded spectral densities, shape (256,).
    spectrum
        Sum of the sorted plain spectra, padded with zeros in front to equal length, and
    spectra
        of how many structures.
    features, products, described
        Sums of the node features of each element, shape (119, F), and of the products of
        features, shape (F, F), or (0, 0) beyond 256 features; of how many atoms, (119,).
    """

    def __init__(self) -> None:
        self.count = 0
        self.key_sum = 0
        self.sizes = np.array([np.iinfo(np.int64).max, 0])
        self.elements = np.zeros(ELEMENTS, dtype=np.int64)
        self.atoms = np.zeros(ELEMENTS, dtype=np.int64)
        self.pairs = np.zeros(ELEMENTS**2, dtype=np.int64)
        self.density = np.zeros(256, dtype=np.int64)
        self.spectrum: Floats = np.zeros(0)
        self.spectra = 0
        self.described = np.zeros(ELEMENTS, dtype=np.int64)
        self.features: Floats = np.zeros((ELEMENTS, 0))
        self.squares: Floats = np.zeros(0)
        self.products: Floats = np.zeros((0, 0))

    def add(self, seen: Described, key: int, sign: int = 1, *, sums: bool = True) -> None:
        """Add one structure, or with ``sign`` -1 take one away that was added.

        Without ``sums`` only what is counted: the rest is of use where axes are fitted.
        """
        self.count += sign
        self.key_sum = (self.key_sum + sign * key) & _MASK
        if sign > 0:
            smallest, largest = self.sizes
            self.sizes = np.array([min(smallest, seen.n_atoms), max(largest, seen.n_atoms)])
        self.elements += sign * (seen.composition > 0)
        self.atoms += sign * seen.composition
        self.pairs[seen.pairs] += sign
        if sums:
            self._add_sums(seen, sign)

    def _add_sums(self, seen: Described, sign: int) -> None:
        self.density += sign * seen.density.astype(np.int64)
        spectrum = seen.spectrum
        if spectrum is not None:
            self.spectrum = _sum(self.spectrum, sign * spectrum)
            self.spectra += sign
        features = seen.features
        if features is not None:
            self._widen(features.shape[1])
            np.add.at(self.features, seen.numbers, sign * features)
            np.add.at(self.described, seen.numbers, sign)
            self.squares += sign * (features**2).sum(axis=0)
            if self.products.size:
                self.products += sign * (features.T @ features)

    def _widen(self, width: int) -> None:
        if self.features.shape[1] == 0:
            self.features = np.zeros((ELEMENTS, width))
            self.squares = np.zeros(width)
            side = width if width <= MOST_FEATURES else 0
            self.products = np.zeros((side, side))

    def copy(self) -> Totals:
        """An independent copy."""
        return Totals.from_arrays(self.arrays())

    def merged(self, other: Totals) -> Totals:
        """The sums of both."""
        both = self.copy()
        both.count += other.count
        both.key_sum = (both.key_sum + other.key_sum) & _MASK
        both.sizes = np.array(
            [min(self.sizes[0], other.sizes[0]), max(self.sizes[1], other.sizes[1])]
        )
        both.elements += other.elements
        both.atoms += other.atoms
        both.pairs += other.pairs
        both.density += other.density
        both.spectrum = _sum(self.spectrum, other.spectrum)
        both.spectra += other.spectra
        both.described += other.described
        if other.features.shape[1]:
            both._widen(other.features.shape[1])
            both.features += other.features
            both.squares += other.squares
            both.products += other.products
        return both

    def arrays(self) -> dict[str, Array]:
        """Everything as arrays, for a file."""
        rows, columns = np.triu_indices(len(self.products))
        return {
            "count": np.array(self.count),
            "key_sum": np.array(self.key_sum, dtype=np.uint64),
            "spectra": np.array(self.spectra),
            "sizes": self.sizes,
            "elements": self.elements,
            "atoms": self.atoms,
            "pairs": self.pairs,
            "density": self.density,
            "spectrum": self.spectrum,
            "described": self.described,
            "features": self.features,
            "squares": self.squares,
            "products": self.products[rows, columns],
        }

    @classmethod
    def from_arrays(cls, content: Mapping[str, Array]) -> Totals:
        """What :meth:`arrays` gave."""
        made = cls()
        made.count, made.key_sum = int(content["count"]), int(content["key_sum"])
        made.spectra = int(content["spectra"])
        for name in (
            *("sizes", "elements", "atoms", "pairs", "density", "spectrum"),
            *("described", "features", "squares"),
        ):
            setattr(made, name, np.array(content[name]))
        side = made.features.shape[1] if len(content["products"]) else 0
        rows, columns = np.triu_indices(side)
        made.products = np.zeros((side, side))
        made.products[rows, columns] = content["products"]
        made.products[columns, rows] = content["products"]
        return made


def _sum(first: Floats, second: Floats) -> Floats:
    length = max(len(first), len(second))
    return padded(first, length) + padded(second, length)
