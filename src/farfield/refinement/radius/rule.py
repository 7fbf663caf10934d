"""The rule of radius refinement: candidates, a criterion, and when a candidate is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.errors import ConfigError, did_you_mean
from farfield.graphs import CRITERIA, Graph
from farfield.potentials.contract import CutoffMode
from farfield.structures import composition

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Per = Literal["structure", "composition", "set"]

KIND = "radius"
PRIOR = "prior"  # criteria that ask the prior, and no graph of training
CORRECTED = "corrected"
ASKING = (PRIOR, CORRECTED)
CRITERION_NAMES = (*CRITERIA, *ASKING)
MARGINS = dict.fromkeys(ASKING, 0.01)  # by which share a candidate must beat the training radius
MARGIN = 0.05  # of the other criteria


@dataclass(frozen=True)
class RadiusRule:
    """Choose the radius of a structure, a composition, or a set.

    Attributes
    ----------
    mode
        How the radius is changed.
    criterion
        What is made small: a distance from the training graphs, by its name in
        :data:`farfield.graphs.CRITERIA`; ``"prior"``, the mean absolute prior residual; or
        ``"corrected"``, the mean absolute difference of the main head's forces from those that
        prior correction makes of them at the training radius.
    radii
        Candidates, Å.
    training_radius
        Å; it is kept unless beaten.
    margin
        A candidate must lower the distance at least by this share of it.
    reference
        What the criterion remembers of the training graphs, as nested lists; empty for
        ``"prior"`` and ``"corrected"``.
    prior, head
        Of these two: the prior as :func:`farfield.priors.load_prior` takes it,
        and the head that learned it.
    trusted
        Of these two: the training radius is kept for a structure where more of the prior's forces
        than this has no counterpart in the main head's
        (:attr:`farfield.refinement.comparison.Comparison.unexplained`); None trusts the prior
        everywhere.
    """

    mode: CutoffMode
    criterion: str
    radii: tuple[float, ...]
    training_radius: float
    margin: float
    reference: Any = ()
    prior: str | None = None
    head: str | None = None
    trusted: float | None = None

    @property
    def all_radii(self) -> tuple[float, ...]:
        """The candidates and, as the last, the training radius, Å."""
        return (*self.radii, self.training_radius)

    @cached_property
    def _reference(self) -> Floats:
        return np.asarray(self.reference, dtype=float)

    def distances(self, graph: Graph) -> Floats:
        """Distance from training at every one of :attr:`all_radii`, shape (K + 1,).

        ``graph`` reaches the largest of them; the others are cut from it.
        """
        return CRITERIA[self.criterion].distances(graph, self.all_radii, self._reference)

    def search(self, graph: Graph) -> Floats:
        """The same for choosing one of them; infinity where the distance is not needed."""
        return CRITERIA[self.criterion].search(graph, self.all_radii, self._reference)

    def pick(self, distances: Floats) -> Places:
        """Indices into :attr:`all_radii` by distances of n structures, (n, K + 1) -> (n,)."""
        best = distances.argmin(axis=1)
        kept = distances[:, -1]
        beaten = distances.min(axis=1) < (1.0 - self.margin) * kept
        return np.where(beaten, best, len(self.radii))

    def pick_per(self, per: Per, structures: Sequence[Atoms], distances: Floats) -> Places:
        """The same, with one for all structures of a composition or of the set by their mean."""
        if per == "structure":
            return self.pick(distances)
        keys = np.array([composition(a) if per == "composition" else "" for a in structures])
        picked = np.empty(len(keys), dtype=np.int64)
        for key in set(keys.tolist()):
            picked[keys == key] = self.pick(distances[keys == key].mean(axis=0, keepdims=True))
        return picked

    def to_plain(self) -> dict[str, Any]:
        """Plain values for a model file."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"kind": KIND, **values, "radii": list(self.radii)}

    @classmethod
    def from_plain(cls, content: dict[str, Any]) -> RadiusRule:
        """Build the rule from :meth:`to_plain`."""
        values = {key: value for key, value in content.items() if key != "kind"}
        return cls(**{**values, "radii": tuple(values["radii"])})


def require_criterion(name: str) -> None:
    """Raise unless there is a criterion of this name."""
    if name not in CRITERION_NAMES:
        raise ConfigError(
            f"unknown criterion {name!r}{did_you_mean(name, CRITERION_NAMES)}: choose from "
            f"{', '.join(CRITERION_NAMES)}"
        )
