"""The model that chooses a radius for each structure, by its rule."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import final

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.graphs import Graph
from farfield.potentials import Potential, Prediction
from farfield.priors import Failure, Prior, load_prior
from farfield.priors.labelling import label_in_folder
from farfield.refinement.comparison import compare
from farfield.refinement.radius.at_radii import AtRadii
from farfield.refinement.radius.rule import ASKING, CORRECTED, PRIOR, RadiusRule
from farfield.structures import Labels

Floats = npt.NDArray[np.float64]


@final
class RadiusRefined(AtRadii):
    """A model that sees each structure's graph at the radius its rule chooses.

    Two structures of one composition may get two radii, so energies jump between them.

    Parameters
    ----------
    base
        A model with the rule's mode.
    rule
        The radii, the criterion, the mode.
    prior
        Of the criteria that ask it; None loads it by the rule's name. Every prediction then
        costs the prior, and one head of the model at every radius.
    cache, workers
        For labelling with the prior: folder of the cache, None for none, and processes.
    """

    def __init__(
        self,
        base: Potential,
        rule: RadiusRule,
        prior: Prior | None = None,
        cache: Path | None = None,
        workers: int = 1,
    ) -> None:
        super().__init__(base, rule.mode, rule.training_radius)
        self.rule = rule
        self.prior = load_prior(rule.prior) if prior is None and rule.prior else prior
        self._cache = cache
        self._workers = workers

    def distances(self, structures: Sequence[Atoms]) -> Floats:
        """What the criterion says of every radius, shape (n, K + 1), the training radius last."""
        if self.rule.criterion in ASKING:
            return self.asked(structures, (self.rule.criterion,))[self.rule.criterion]
        return np.array([self.rule.distances(graph) for graph in self._widest(structures)])

    def searched(self, structures: Sequence[Atoms]) -> Floats:
        """The same for choosing a radius for each structure; infinity where it is not needed."""
        if self.rule.criterion in ASKING:
            return self.distances(structures)
        return np.array([self.rule.search(graph) for graph in self._widest(structures)])

    def asked(self, structures: Sequence[Atoms], criteria: Sequence[str]) -> dict[str, Floats]:
        """What criteria that ask the prior say of every radius, each (n, K + 1), eV/Å.

        Where the prior fails on a structure, or is not trusted, all its radii are alike.
        """
        tables = {
            criterion: np.ones((len(structures), len(self.rule.all_radii)))
            for criterion in criteria
        }
        labelled = {
            place: found
            for place, found in enumerate(self._labels(structures))
            if not isinstance(found, Failure)
        }
        if not labelled:
            return tables
        there = [structures[place] for place in labelled]
        own, other = self.base.predict(there), self.base.predict(there, self.rule.head)
        rows = [
            (place, one, cheap, known)
            for (place, known), one, cheap in zip(labelled.items(), own, other, strict=True)
            if self._trusts(one, cheap, known)
        ]
        if not rows:
            return tables
        places = [place for place, *_ in rows]
        chosen = [structures[place] for place in places]
        targets = {
            PRIOR: [known.known_forces for *_, known in rows],
            CORRECTED: [
                one.forces - (cheap.forces - known.known_forces) for _, one, cheap, known in rows
            ],
        }
        unchanged = {  # at the training radius
            PRIOR: [cheap.forces for _, _, cheap, _ in rows],
            CORRECTED: [one.forces for _, one, *_ in rows],
        }
        heads = {PRIOR: self.rule.head, CORRECTED: None}
        for criterion, table in tables.items():
            for column, radius in enumerate(self.rule.all_radii):
                if radius == self.rule.training_radius:
                    found = unchanged[criterion]
                else:
                    found = _forces(self.at(radius), chosen, heads[criterion])
                compared = zip(found, targets[criterion], strict=True)
                table[places, column] = [np.abs(here - target).mean() for here, target in compared]
        return tables

    def _trusts(self, main: Prediction, cheap: Prediction, known: Labels) -> bool:
        limit = self.rule.trusted
        return limit is None or compare(main, cheap, known).unexplained <= limit

    def radii(self, structures: Sequence[Atoms]) -> list[float]:
        if not structures:
            return []
        picked = self.rule.pick(self.searched(structures))
        return [self.rule.all_radii[place] for place in picked]

    def save(self, path: Path) -> None:
        self.save_base(path, self.rule.to_plain())

    def _widest(self, structures: Sequence[Atoms]) -> list[Graph]:
        """Graphs that reach the largest radius."""
        widest = self.at(max(self.rule.all_radii))
        return [widest.graph(atoms) for atoms in structures]

    def _labels(self, structures: Sequence[Atoms]) -> list[Labels | Failure]:
        assert self.prior is not None  # a rule with this criterion names one
        return label_in_folder(structures, self.prior, self._cache, self._workers)


def _forces(potential: Potential, structures: Sequence[Atoms], head: str | None) -> list[Floats]:
    return [prediction.forces for prediction in potential.predict(structures, head)]
