"""The rule of radius refinement, and the model that applies it at every prediction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.errors import CapabilityError
from farfield.graphs import Graph, padded_distance, spectrum
from farfield.potentials import Capability, Potential, Prediction, TrainablePotential
from farfield.potentials.contract import CutoffMode
from farfield.refinement.per_system import PerStructure

KIND = "radius"


@dataclass(frozen=True)
class RadiusRule:
    """Choose a structure's radius by the paper's criterion (arXiv 2503.08674, section 3).

    Attributes
    ----------
    mode
        How the radius is changed; ``"truncate"`` drops edges.
    radii
        Candidates below the training radius, Å.
    training_radius
        Å; it is kept unless beaten.
    mean_spectrum
        Mean of the training structures' sorted, zero-padded Laplacian spectra.
    margin
        A candidate must lower the distance at least by this share of it.
    """

    mode: CutoffMode
    radii: tuple[float, ...]
    training_radius: float
    mean_spectrum: tuple[float, ...]
    margin: float

    def choose(self, graph: Graph) -> float:
        """The radius (Å) whose spectrum lies nearest to the training mean.

        ``graph`` reaches the training radius; the candidates' graphs are cut from it.
        """
        mean = np.array(self.mean_spectrum)
        kept = padded_distance(spectrum(graph), mean)
        radius, best = self.training_radius, kept
        for candidate in self.radii:
            distance = padded_distance(spectrum(graph.within(candidate)), mean)
            if distance < best and distance < (1.0 - self.margin) * kept:
                radius, best = candidate, distance
        return radius

    def to_plain(self) -> dict[str, Any]:
        """Plain values for a model file."""
        lists = {key: [float(x) for x in getattr(self, key)] for key in ("radii", "mean_spectrum")}
        return {"kind": KIND, **asdict(self), **lists}

    @classmethod
    def from_plain(cls, content: dict[str, Any]) -> RadiusRule:
        """Build the rule from :meth:`to_plain`."""
        values = {key: value for key, value in content.items() if key != "kind"}
        for key in ("radii", "mean_spectrum"):
            values[key] = tuple(values[key])
        return cls(**values)


@final
class RadiusRefined(PerStructure):
    """A model that sees each structure's graph at the radius its rule chooses."""

    capabilities = frozenset({Capability.FEATURES})
    cutoff_modes: frozenset[CutoffMode] = frozenset()

    def __init__(self, base: Potential, rule: RadiusRule) -> None:
        self.base = base
        self.rule = rule
        self.conservative = base.conservative

    @property
    def name(self) -> str:
        return f"{self.base.name}, radius refined"

    @property
    def cutoff(self) -> float | None:
        return self.base.cutoff

    @property
    def species(self) -> frozenset[int] | None:
        return self.base.species

    @property
    def heads(self) -> tuple[str, ...]:
        return self.base.heads

    def radius(self, atoms: Atoms) -> float:
        """The radius chosen for ``atoms``, Å."""
        return self.rule.choose(self.base.graph(atoms))

    def graph(self, atoms: Atoms) -> Graph:
        return self.base.graph(atoms).within(self.radius(atoms))

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        groups: dict[float, list[int]] = defaultdict(list)
        for index, atoms in enumerate(structures):
            groups[self.radius(atoms)].append(index)
        found: dict[int, Prediction] = {}
        for radius, indices in groups.items():
            chosen = [structures[index] for index in indices]
            predictions = self.at(radius).predict(chosen, head)
            found.update(zip(indices, predictions, strict=True))
        return [found[index] for index in range(len(structures))]

    def at(self, radius: float) -> Potential:
        """The model at one radius (Å)."""
        if radius == self.rule.training_radius:
            return self.base
        return self.base.with_cutoff(radius, self.rule.mode)

    def with_cutoff(self, cutoff: float, mode: CutoffMode) -> Potential:
        raise CapabilityError(f"{self.name} chooses its own radius: use the model it was made from")

    def fixed(self, atoms: Atoms, head: str) -> Calculator:
        return self.at(self.radius(atoms)).calculator(head)

    def save(self, path: Path) -> None:
        """Write the base model with the rule beside it."""
        if not isinstance(self.base, TrainablePotential):
            raise CapabilityError(f"{self.base.name} cannot be saved")
        self.base.save(path, rule=self.rule.to_plain())
