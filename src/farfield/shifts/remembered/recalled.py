"""A structure as a profile remembers it: what detectors compare, and no positions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from farfield.graphs import mixed
from farfield.shifts.contract import ELEMENTS, Floats, Ints, Norms
from farfield.shifts.remembered.densities import Codes, coded, decoded

if TYPE_CHECKING:
    from farfield.shifts.observation import Observation

Array = npt.NDArray[Any]

NORMS = ("force_norm", "prior_force_norm", "prior_residual", "force_error", "committee")
CALIBRATING = ("prior_residual", "force_error")


@final
@dataclass(frozen=True)
class Recalled:
    """One structure of N atoms, n of which are told one by one.

    It answers what :class:`farfield.shifts.contract.Described` asks, in fewer digits.

    Attributes
    ----------
    key
        Of its geometry (:func:`farfield.graphs.content_key`).
    fixed
        Arrays of the same shape for every structure, by name.
    means
        Means of :data:`NORMS` over all atoms, eV/Å, shape (5,); NaN where not known.
    rows
        Arrays with one entry per atom that is told, by name: ``numbers``, ``degrees``,
        ``norms`` (n, 5), ``features`` (n, F), ``local_densities`` (n, 64); the last two may
        have no entry.
    eigenvalues
        Coded eigenvalues of the plain Laplacian, shape (N,), or none.
    labelled
        Norms of :data:`CALIBRATING` on all atoms, shape (N, 2), or (0, 2).
    """

    key: int
    n_atoms: int
    cutoff: float
    fixed: dict[str, Array]
    means: npt.NDArray[np.float32]
    rows: dict[str, Array]
    eigenvalues: Codes
    labelled: npt.NDArray[np.float32]

    prior_failure = None

    @property
    def composition(self) -> Ints:
        return self.fixed["composition"].astype(np.int64)

    @property
    def numbers(self) -> Ints:
        return self.rows["numbers"].astype(np.int64)

    @property
    def weights(self) -> Floats:
        numbers = self.numbers
        told = np.bincount(numbers, minlength=ELEMENTS)
        shares = self.composition[numbers] / np.maximum(told[numbers], 1)
        return np.asarray(shares / max(shares.sum(), 1.0))

    @property
    def pairs(self) -> Ints:
        return np.flatnonzero(np.unpackbits(self.fixed["pairs"], count=ELEMENTS**2))

    @property
    def atom_pairs(self) -> tuple[Ints, Ints, Ints]:
        """As if each atom had all the neighbours that its element has in the structure."""
        first, second = np.divmod(self.pairs, ELEMENTS)
        numbers = self.numbers[:, None]
        found = []
        for own, other in ((first, second), (second, first)):
            atoms, places = np.nonzero(numbers == own[None])
            found.append((atoms, other[places], self.pairs[places]))
        atoms, others, codes = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return atoms, others, codes

    @property
    def density(self) -> Codes:
        return self.fixed["density"]

    @property
    def plain_density(self) -> Codes:
        return self.fixed["plain_density"]

    @property
    def local_densities(self) -> Codes:
        return self.rows["local_densities"]

    @property
    def unnormalised(self) -> Floats:
        return self.fixed["unnormalised"].astype(float)

    @property
    def coordination(self) -> Floats:
        return self.fixed["coordination"].astype(float)

    @property
    def degrees(self) -> Floats:
        return self.rows["degrees"].astype(float)

    @property
    def spectrum(self) -> Floats | None:
        return 2.0 * decoded(self.eigenvalues) if len(self.eigenvalues) else None

    @property
    def share_near_one(self) -> float:
        return float(self.fixed["share_near_one"])

    @property
    def features(self) -> Floats | None:
        features = self.rows["features"]
        return features.astype(float) if features.size else None

    def norms(self, name: str) -> Norms | None:
        place = NORMS.index(name)
        if np.isnan(self.means[place]):
            return None
        return Norms(float(self.means[place]), self.rows["norms"][:, place].astype(float))

    @property
    def calibrates(self) -> bool:
        """Whether its force error and its prior residual are known."""
        return not any(np.isnan(self.means[NORMS.index(name)]) for name in CALIBRATING)

    def without_rows(self) -> Recalled:
        """The same with no atom told."""
        return replace(self, rows={name: values[:0] for name, values in self.rows.items()})

    def without_local(self) -> Recalled:
        """The same without local densities."""
        local = self.rows["local_densities"][:0]
        return replace(self, rows={**self.rows, "local_densities": local})


def recall(seen: Observation, most: int) -> Recalled:
    """What is remembered of a structure, with at most ``most`` atoms told one by one."""
    chosen = _chosen(seen.numbers, seen.key, most)
    norms = [seen.norms(name) for name in NORMS]
    nothing = np.full(seen.n_atoms, np.nan)
    features = np.zeros((len(chosen), 0)) if seen.features is None else seen.features[chosen]
    labelled = [found.atoms for found in map(seen.norms, CALIBRATING) if found is not None]
    bits = np.zeros(ELEMENTS**2, dtype=bool)
    bits[seen.pairs] = True
    return Recalled(
        key=seen.key,
        n_atoms=seen.n_atoms,
        cutoff=seen.cutoff,
        fixed={
            "composition": seen.composition.astype(np.uint32),
            "pairs": np.packbits(bits),
            "density": seen.density,
            "plain_density": seen.plain_density,
            "unnormalised": seen.unnormalised.astype(np.float32),
            "coordination": np.minimum(seen.coordination, 65535).astype(np.uint16),
            "share_near_one": np.array(seen.share_near_one, dtype=np.float32),
        },
        means=np.array([np.nan if n is None else n.mean for n in norms], dtype=np.float32),
        rows={
            "numbers": seen.numbers[chosen].astype(np.uint8),
            "degrees": np.minimum(seen.degrees[chosen], 65535).astype(np.uint16),
            "norms": np.stack(
                [(nothing if n is None else n.atoms)[chosen] for n in norms], axis=1
            ).astype(np.float32),
            "features": features.astype(np.float16),
            "local_densities": seen.local_densities[chosen],
        },
        eigenvalues=coded(seen.spectrum / 2.0),
        labelled=np.stack(labelled, axis=1).astype(np.float32)
        if len(labelled) == len(CALIBRATING)
        else np.zeros((0, len(CALIBRATING)), dtype=np.float32),
    )


def _chosen(numbers: Ints, key: int, most: int) -> Ints:
    """Places of at most ``most`` atoms: of every element one, then a second, and so on."""
    if len(numbers) <= most:
        return np.arange(len(numbers))
    draws = atom_keys(key, len(numbers))
    order = np.lexsort((draws, numbers))
    first = np.searchsorted(numbers[order], numbers[order])
    rank = np.zeros(len(numbers), dtype=np.int64)
    rank[order] = np.arange(len(numbers)) - first
    return np.sort(np.lexsort((draws, rank))[:most])


def atom_keys(key: int, count: int) -> npt.NDArray[np.uint64]:
    """A key for each atom of the structure with this key, shape (count,)."""
    return mixed(np.arange(count, dtype=np.uint64) + np.uint64(1), key)
