"""What training structures teach about radius refinement: would it have helped on them?

The labels of training structures that a model was not trained on tell its force error at
every radius, and so the gain of every mode and criterion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from ase import Atoms
from scipy.stats import t

from farfield.graphs import references
from farfield.potentials import Potential
from farfield.potentials.contract import CutoffMode
from farfield.potentials.radii import candidate_radii
from farfield.priors import Prior
from farfield.refinement.radius.refined import RadiusRefined
from farfield.refinement.radius.rule import (
    ASKING,
    CRITERION_NAMES,
    MARGIN,
    MARGINS,
    Per,
    RadiusRule,
)
from farfield.structures import LeftOut, require_labels, without_labels

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.95
LARGEST_HARM = 0.01  # of the force error, in any one group
KEPT = 24  # structures of a group, evenly spaced


@dataclass(frozen=True)
class RadiusEvidence:
    """The gain of one way to choose the radius, on groups that were left out of training.

    A gain is the share by which the mean force MAE falls; below zero it is a harm.

    Attributes
    ----------
    mode, criterion
        How the radius is changed, and by what it is chosen.
    per
        For each structure, for each composition, or one radius for the whole group.
    outside
        Gain on each group of compositions that was left out of training.
    inside
        Gain on held-out structures of the compositions that were trained on.
    """

    mode: CutoffMode
    criterion: str
    per: Per
    outside: tuple[float, ...]
    inside: tuple[float, ...]

    @property
    def low(self) -> float:
        """Lower limit of the mean gain outside, one-sided, by Student's t over the groups."""
        n = len(self.outside)
        if n < 2:
            return -1.0  # of one group nothing can be said
        spread = float(np.std(self.outside, ddof=1)) / n**0.5
        return float(np.mean(self.outside) - t.ppf(CONFIDENCE, n - 1) * spread)

    @property
    def helps(self) -> bool:
        """Whether the gain is above zero for sure, and no group was harmed by over 1 %."""
        return self.low > 0.0 and min(*self.outside, *self.inside) >= -LARGEST_HARM

    def told(self) -> str:
        """The evidence in words."""
        return (
            f"on {len(self.outside)} groups of compositions left out of training, {self.mode} by "
            f"the criterion {self.criterion} (one radius per {self.per}) changes the force error "
            f"by {-np.mean(self.outside):+.1%} in the mean and by {-min(self.outside):+.1%} in the "
            f"worst; lower limit of the gain {self.low:+.1%}"
        )

    def to_plain(self) -> dict[str, Any]:
        """Plain values, for a profile."""
        return {**asdict(self), "outside": list(self.outside), "inside": list(self.inside)}

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> RadiusEvidence:
        """Build it from :meth:`to_plain`."""
        lists = {key: tuple(content[key]) for key in ("outside", "inside")}
        return cls(**{**content, **lists})


def gather_radius_evidence(
    models: Iterable[tuple[Potential, LeftOut]],
    structures: Sequence[Atoms],
    prior: Prior | None = None,
    cache: Path | None = None,
) -> list[RadiusEvidence]:
    """Judge every mode and criterion on what each model was not trained on.

    Parameters
    ----------
    models
        Each with the part of ``structures`` that was left out of its training.
    structures
        The whole training set, with reference labels.
    prior
        The prior whose head the models have, for the criteria that ask it; or None.
    cache
        Folder of the label cache.
    """
    gains: dict[tuple[CutoffMode, str, Per], dict[str, list[float]]] = defaultdict(
        lambda: {"outside": [], "inside": []}
    )
    for model, left in models:
        trained = [structures[place] for place in left.train if len(structures[place]) > 1]
        known = references([model.graph(atoms) for atoms in trained])
        for where, places in (("outside", left.outside), ("inside", left.inside)):
            chosen = [structures[place] for place in _spaced(places)]
            for mode in sorted(model.cutoff_modes):
                found = _gains(model, chosen, mode, known, prior, cache)
                for (criterion, per), gain in found.items():
                    gains[mode, criterion, per][where].append(gain)
    return [
        RadiusEvidence(*way, outside=tuple(found["outside"]), inside=tuple(found["inside"]))
        for way, found in gains.items()
    ]


def force_errors(rule_model: RadiusRefined, structures: Sequence[Atoms]) -> Floats:
    """Force MAE of each structure at every radius of the rule, by labels, (n, K + 1), eV/Å."""
    labels = require_labels(structures, purpose="judging radii")
    bare = without_labels(structures)
    columns = []
    for radius in rule_model.rule.all_radii:
        pairs = zip(rule_model.at(radius).predict(bare), labels, strict=True)
        columns.append([np.abs(own.forces - truth.known_forces).mean() for own, truth in pairs])
    return np.array(columns).T


def make_rule(
    potential: Potential,
    mode: CutoffMode,
    criterion: str,
    known: Mapping[str, Floats],
    prior: Prior | None = None,
    margin: float | None = None,
    spec: str | None = None,
) -> RadiusRule:
    """Return the rule of a mode and a criterion, given what is remembered of training."""
    radii, _ = candidate_radii(potential, mode)
    assert potential.cutoff is not None  # it has modes
    asked = criterion in ASKING
    assert prior is not None or not asked
    return RadiusRule(
        mode=mode,
        criterion=criterion,
        radii=radii,
        training_radius=potential.cutoff,
        margin=MARGINS.get(criterion, MARGIN) if margin is None else margin,
        reference=() if asked else known[criterion].tolist(),
        prior=(spec or prior.name) if asked and prior else None,
        head=prior.name if asked and prior else None,
    )


def _gains(
    model: Potential,
    structures: Sequence[Atoms],
    mode: CutoffMode,
    known: Mapping[str, Floats],
    prior: Prior | None,
    cache: Path | None,
) -> dict[tuple[str, Per], float]:
    can_ask = prior is not None and prior.name in model.heads
    bare = without_labels(structures)
    errors: Floats | None = None
    asked: dict[str, Floats] = {}
    found: dict[tuple[str, Per], float] = {}
    for criterion in CRITERION_NAMES:
        if criterion in ASKING and not can_ask:
            continue
        rule = make_rule(model, mode, criterion, known, prior)
        refined = RadiusRefined(model, rule, prior if criterion in ASKING else None, cache)
        if errors is None:
            errors = force_errors(refined, structures)
        if criterion in ASKING and not asked:
            asked = refined.asked(bare, ASKING)
        distances = asked[criterion] if criterion in ASKING else refined.distances(bare)
        before = errors[:, -1].mean()
        for per in get_args(Per):
            picked = rule.pick_per(per, bare, distances)
            after = errors[np.arange(len(errors)), picked].mean()
            found[criterion, per] = float(1.0 - after / before)
    return found


def _spaced(places: Sequence[int]) -> list[int]:
    steps = np.linspace(0, len(places) - 1, min(KEPT, len(places)))
    return [places[int(step)] for step in steps]
