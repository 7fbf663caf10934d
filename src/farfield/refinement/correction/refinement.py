"""Prior correction: take off the main head what the prior head is known to get wrong.

The prior head's error on a test structure is known exactly, without a label: the prior can be
computed. Far from training both heads err alike, because it is the representation they share
that fails; so the known error serves as a control variate for the unknown one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import final

import numpy as np
from ase import Atoms

from farfield.errors import CapabilityError, did_you_mean
from farfield.potentials import Potential, TrainablePotential
from farfield.priors import Failure, Prior
from farfield.priors.cache import open_cache
from farfield.refinement.checked import SCALE, doubted
from farfield.refinement.comparison import Comparison
from farfield.refinement.contract import Record, Refined, Refinement
from farfield.refinement.correction.corrected import Corrected
from farfield.refinement.correction.delta import Delta, require_same_levels
from farfield.refinement.correction.rule import CorrectionRule, cautious
from farfield.refinement.trust import require_level
from farfield.structures import without_labels

SIZE = "prior_rms_eV_per_A"  # where retrofit keeps it in a model's metadata, as SCALE
RESIDUAL = "prior residual, median over the structures, eV/Å"
BETA = "β, mean"


@final
class Correction(Refinement):
    """Correct the predictions of a model with a prior head; no weight is changed.

    Parameters
    ----------
    prior
        The prior whose head the model has.
    rule
        β, learned on groups left out of training (:func:`farfield.refinement.learn_rule`).
        None takes the cautious rule, whose scale comes from ``like_training``, or else from
        the model's own metadata.
    like_training
        Structures from the training domain, best ones that were not trained on; their labels
        are not used.
    workers, cache
        For labelling with the prior: processes, and the cache's folder.
    spec
        How a model file names the prior, as :func:`farfield.priors.load_prior` takes it; None
        takes the prior's name.
    force
        Trust the prior on every structure, and act even where there is no reason to.
    checked_on
        Structures that the model was trained on: the prior is computed on some of them first, and
        nothing is corrected where it is not the prior that the head has learned, or, without a
        learned ``rule``, where by their reference labels the two heads do not err alike.
    delta
        A Δ-model on top of the same prior, trained on the same reference: a second estimate of
        reference minus prior, whose mean with the model's own is used.

    Raises
    ------
    CapabilityError
        The model has no head for this prior, nothing tells the scale of the residual, or the
        Δ-model is for another prior or reference.
    """

    name = "correction"

    def __init__(
        self,
        prior: Prior,
        rule: CorrectionRule | None = None,
        like_training: Sequence[Atoms] = (),
        workers: int = 1,
        cache: Path | None = None,
        spec: str | None = None,
        force: bool = False,
        checked_on: Sequence[Atoms] = (),
        delta: Delta | None = None,
    ) -> None:
        self._prior = prior
        self._rule = rule
        self._spec = spec or prior.name
        self._like_training = [a for a in without_labels(like_training) if len(a) > 1]
        self._workers = workers
        self._cache = cache
        self._force = force
        self._checked_on = checked_on
        self._delta = delta

    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        require_head(potential, self._prior)
        require_level(potential, self._prior)
        if self._delta is not None:
            require_same_levels(self._delta, potential, self._prior)
        if not self._force and (doubt := self._doubt(potential, structures)):
            settings = {"prior": self._prior.level_of_theory, "force": self._force}
            return Refined(potential, Record(self.name, False, [doubt], settings=settings))
        rule = replace(self._rule or self._cautious(potential), prior=self._spec)
        if self._force:
            rule = replace(rule, trusted=None, far=rule.far if rule.acts else 1.0)
        settings = {"prior": self._prior.level_of_theory, "force": self._force, **rule.to_plain()}
        if not rule.acts:
            reason = f"β is 0 everywhere: {rule.evidence}"
            return Refined(potential, Record(self.name, False, [reason], settings=settings))
        refined = self._corrected(potential, rule)
        outcomes = refined.compare(structures)
        seen = [outcome for outcome in outcomes if not isinstance(outcome, Failure)]
        reasons = _left_alone(outcomes, rule)
        if not any(rule.trusts(one) for one in seen):
            figures = _figures(seen, rule) if seen else {}
            return Refined(potential, Record(self.name, False, reasons, figures, settings=settings))
        figures = _figures(seen, rule)
        middle = figures[RESIDUAL]
        reasons = [
            f"the prior head is off by {middle:.3f} eV/Å here (root mean square, median over the "
            f"structures), {middle / rule.scale:.1f} times as much as in training: β is "
            f"{figures[BETA]:.2f} in the mean",
            f"how β was chosen: {rule.evidence}",
            *([f"with {self._delta.name} as a second opinion"] if self._delta else []),
            *(["forced: the prior was trusted on every structure"] if self._force else []),
            *reasons,
        ]
        return Refined(refined, Record(self.name, True, reasons, figures, settings=settings))

    def _doubt(self, potential: Potential, structures: Sequence[Atoms]) -> str | None:
        """Why the prior is not the one that its head has learned, or of no use to the other."""
        given = (potential, self._prior, self._checked_on, structures)
        unproven = self._rule is None  # a learned β knows whether the heads err alike
        with open_cache(self._cache) as cache:
            return doubted(*given, alike=unproven, workers=self._workers, cache=cache)

    def _cautious(self, potential: Potential) -> CorrectionRule:
        """The rule without evidence, its scale measured or remembered."""
        name = self._prior.name
        scale = size = 0.0
        if self._like_training:
            unscaled = self._corrected(potential, CorrectionRule(name, name, 1.0, 0.0, 1.0, ""))
            outcomes = unscaled.compare(self._like_training)
            seen = [outcome for outcome in outcomes if not isinstance(outcome, Failure)]
            if seen:
                scale = _rms([one.residual for one in seen])
                size = _rms([one.prior for one in seen])
        elif isinstance(potential, TrainablePotential):
            scale = float(potential.metadata.get(SCALE, 0.0))
            size = float(potential.metadata.get(SIZE, 0.0))
        if scale <= 0.0 or size <= 0.0:
            raise CapabilityError(
                "correction must know how far off the prior head is in training: give a profile "
                "with evidence (farfield profile --leave-out), or structures like those in "
                "training (--like-training)"
            )
        return cautious(name, name, scale, size)

    def _corrected(self, potential: Potential, rule: CorrectionRule) -> Corrected:
        return Corrected(potential, rule, self._prior, self._cache, self._workers, self._delta)


def _left_alone(outcomes: Sequence[Comparison | Failure], rule: CorrectionRule) -> list[str]:
    """Which structures are left to the main head alone, and why."""
    reasons = []
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    if failures:
        reasons.append(
            f"the prior failed on {len(failures)} of {len(outcomes)} structures "
            f"({failures[0].reason}), which are left to the main head alone"
        )
    seen = [outcome for outcome in outcomes if not isinstance(outcome, Failure)]
    strange = [one.unexplained for one in seen if not rule.trusts(one)]
    if strange:
        reasons.append(
            f"the prior is not trusted on {len(strange)} of {len(outcomes)} structures, which are "
            "left to the main head alone: the part of its forces at right angles to the model's "
            f"is {np.median(strange):.1f} times the model's (median; at most {rule.trusted:g}), as "
            "where a prior is used for matter that it does not describe (--force corrects all)"
        )
    return reasons


def _figures(seen: Sequence[Comparison], rule: CorrectionRule) -> dict[str, float]:
    betas = [rule.beta_of(one) for one in seen]
    return {
        "structures": float(len(seen)),
        RESIDUAL: float(np.median([one.residual for one in seen])),
        "prior residual in training, eV/Å": rule.scale,
        "prior's forces unexplained by the model, median": float(
            np.median([one.unexplained for one in seen])
        ),
        BETA: float(np.mean(betas)),
        "β, least": float(np.min(betas)),
        "β, largest": float(np.max(betas)),
    }


def _rms(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def require_head(potential: Potential, prior: Prior) -> None:
    """Raise unless the model has a head for this prior."""
    if prior.name not in potential.heads:
        raise CapabilityError(
            f"{potential.name} has the heads {', '.join(potential.heads)}, none for the prior "
            f"{prior.name!r}{did_you_mean(prior.name, potential.heads[1:])}: give it one with  "
            "farfield train --strategy retrofit  (no reference label is needed), or train both "
            "with  --strategy joint"
        )
