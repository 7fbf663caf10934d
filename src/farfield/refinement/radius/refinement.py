"""Test-time radius refinement: change the edges of the test graph, not the weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final, get_args

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.errors import ConfigError, ProfileError
from farfield.potentials import Potential
from farfield.potentials.contract import CutoffMode
from farfield.potentials.radii import candidate_radii, require_mode
from farfield.priors import Prior
from farfield.priors.cache import open_cache
from farfield.refinement.checked import doubted
from farfield.refinement.contract import Record, Refined, Refinement
from farfield.refinement.correction.refinement import require_head
from farfield.refinement.correction.rule import UNEXPLAINED
from farfield.refinement.gate import Decision
from farfield.refinement.radius.evidence import RadiusEvidence, make_rule
from farfield.refinement.radius.refined import RadiusRefined
from farfield.refinement.radius.rule import (
    ASKING,
    CORRECTED,
    PRIOR,
    Per,
    RadiusRule,
    require_criterion,
)
from farfield.refinement.radius.table import RadiusByComposition, RadiusTable
from farfield.shifts import Profile
from farfield.structures import composition, some_of_each

EVIDENCE = "radius"  # where a profile's header keeps what was learned
LEAST_AGREEMENT = 0.01  # by which share the other head's word must fall too
MOST_OF_EACH = 8  # structures by which the radius of a composition is chosen
WORDS = {
    PRIOR: "the prior head's force MAE against the prior",
    CORRECTED: "the main head's force MAE against the forces that prior correction gives",
}
BY_DEFAULT = "weighted-coordination"  # when the mode alone is given


@final
class RadiusRefinement(Refinement):
    """Choose the radius of each structure, of each composition, or one for all, with a reason.

    Reasons are evidence in the profile (groups left out of training, on which the same choice
    lowered the force error for sure), or a prior. Whenever the prior chooses, both heads must
    agree: radii at which one head comes nearer to what is known must bring the other nearer
    too, the prior head to the prior, the main head to the corrected forces F_main - (F_prior-head
    - F_prior). Without evidence or a prior the model comes back untouched.

    Parameters
    ----------
    profile
        Profile of the training set, made with the same model. The criteria that compare graphs
        need it.
    mode, criterion
        Take these without asking for a reason, and say so; None chooses by the reasons. When
        one alone is given, the other is ``"taper"``, and ``"corrected"`` or, without a prior,
        ``"weighted-coordination"``.
    prior
        The prior whose head the model has, for the criteria ``"prior"`` and ``"corrected"``.
    per
        ``"structure"``: each has its own radius, and the refined model chooses it at every
        prediction. ``"composition"``: each composition has one, chosen by at most eight of its
        structures; predictions of it then cost no choice and no prior, and other compositions
        keep the training radius. ``"set"``: one radius for all, and a plain model at that radius.
    margin
        A radius must beat the training radius by this share of the distance; None takes 1 % for
        the criteria that ask the prior and 5 % for the others.
    workers, cache, spec
        For the prior: processes and the cache's folder for labelling, and how a model file
        names it.
    checked_on
        Structures that the model was trained on: unless a mode or criterion is asked for, the
        prior chooses nothing where it is not the prior that the head has learned, or where by
        their reference labels the two heads do not err alike.
    """

    name = "radius"

    def __init__(
        self,
        profile: Profile | None = None,
        *,
        mode: CutoffMode | None = None,
        criterion: str | None = None,
        prior: Prior | None = None,
        per: Per = "structure",
        margin: float | None = None,
        workers: int = 1,
        cache: Path | None = None,
        spec: str | None = None,
        checked_on: Sequence[Atoms] = (),
    ) -> None:
        if criterion is not None:
            require_criterion(criterion)
        if criterion in ASKING and prior is None:
            raise ConfigError(f"the criterion {criterion!r} needs --prior, such as gfn2")
        if per not in get_args(Per):
            raise ConfigError(
                f"one radius per {per!r}? choose --per structure, --per composition or --per set"
            )
        self._profile = profile
        self._mode: CutoffMode | None = mode
        self._criterion = criterion
        self._prior = prior
        self._per: Per = per
        self._margin = margin
        self._workers = workers
        self._cache = cache
        self._spec = spec
        self._checked_on = checked_on

    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        if self._prior is not None:
            require_head(potential, self._prior)
        mode, criterion, reason = self._choice(potential)
        settings: dict[str, Any] = {"mode": mode, "criterion": criterion, "per": self._per}
        if mode is None or criterion is None:
            return Refined(potential, Record(self.name, False, [reason], settings=settings))
        require_mode(potential, mode)
        asking = criterion in ASKING
        must_agree = asking and not self._forced
        if must_agree and (doubt := self._doubt(potential, structures)):
            return Refined(potential, Record(self.name, False, [doubt], settings=settings))
        known = {} if asking else self._references(potential, criterion)
        rule = make_rule(
            potential, mode, criterion, known, self._prior, self._margin, spec=self._spec
        )
        if must_agree:
            rule = replace(rule, trusted=UNEXPLAINED)
        prior = self._prior if asking else None
        refined = RadiusRefined(potential, rule, prior, self._cache, self._workers)
        settings |= {"margin": rule.margin, "radii_A": [round(radius, 4) for radius in rule.radii]}
        settings["radii_left_out"] = {
            f"{radius:g} Å": why for radius, why in candidate_radii(potential, mode)[1].items()
        }
        reasons = [reason]
        if self._per == "composition":
            given, structures = structures, some_of_each(structures, MOST_OF_EACH)
            reasons.append(
                f"{len(structures)} of {len(given)} structures were looked at, at most "
                f"{MOST_OF_EACH} of each composition"
            )
        words = refined.asked(structures, ASKING) if must_agree else {}
        if must_agree:
            distances = words[criterion]
        else:
            each = self._per == "structure"
            distances = refined.searched(structures) if each else refined.distances(structures)
        picked = rule.pick_per(self._per, structures, distances)
        figures = _figures(rule, distances, picked)
        radii = [rule.all_radii[place] for place in picked]
        silent = int((distances == distances[:, :1]).all(axis=1).sum()) if asking else 0
        if silent:
            then = "keep their radius" if self._per == "structure" else "have no say"
            reasons.append(
                f"on {silent} of {len(structures)} structures the prior failed or is not trusted "
                f"(most of its forces have no counterpart in the model's): they {then}"
            )
        changed = sum(radius != rule.training_radius for radius in radii)
        if changed == 0:
            reasons.append(
                f"by the criterion {criterion} no radius is better by {rule.margin:.0%}: the "
                "training radius stays"
            )
            record = Record(self.name, False, reasons, figures, settings=settings)
            return Refined(potential, record)
        if must_agree:
            decision = _agreement(criterion, words, picked)
            reasons.append(decision.reason)
            if not decision.act:
                record = Record(self.name, False, reasons, figures, settings=settings)
                return Refined(potential, record)
        common = ", ".join(f"{r:g} Å ({n})" for r, n in sorted(Counter(radii).items()))
        found = dict(zip(map(composition, structures), radii, strict=True))
        if self._per == "composition":
            common = ", ".join(f"{formula} {radius:g} Å" for formula, radius in found.items())
        reasons.append(
            f"by the criterion {criterion}, {mode} changes {changed} of {len(structures)} "
            f"structures; radii: {common}"
        )
        record = Record(self.name, True, reasons, figures, settings=settings)
        if self._per == "set":
            return Refined(refined.at(radii[0]), record)
        if self._per == "composition":
            table = RadiusTable(mode, found, rule.training_radius)
            return Refined(RadiusByComposition(potential, table), record)
        return Refined(refined, record)

    def _doubt(self, potential: Potential, structures: Sequence[Atoms]) -> str | None:
        """Why the prior is not to choose."""
        assert self._prior is not None  # the criterion asks it
        given = (potential, self._prior, self._checked_on, structures)
        with open_cache(self._cache) as cache:
            return doubted(*given, workers=self._workers, cache=cache)

    # --- by what, and why ---------------------------------------------------------------

    def _choice(self, potential: Potential) -> tuple[CutoffMode | None, str | None, str]:
        """Mode and criterion with the reason; None for both when there is no reason to act."""
        taper: CutoffMode = "taper" if "taper" in potential.cutoff_modes else "truncate"
        if self._forced:
            criterion = self._criterion or (CORRECTED if self._prior else BY_DEFAULT)
            mode = self._mode or taper
            return mode, criterion, f"{mode} and the criterion {criterion} were asked for"
        require_mode(potential, taper)
        known = [
            found
            for found in self._evidence()
            if found.per == self._per
            and found.mode in potential.cutoff_modes
            and (found.criterion not in ASKING or self._prior is not None)
        ]
        helping = [found for found in known if found.helps]
        if helping:
            best = max(helping, key=lambda found: found.low)
            return best.mode, best.criterion, best.told()
        if self._prior is not None:
            against = [f for f in known if (f.mode, f.criterion) == (taper, CORRECTED)]
            if against and np.mean(against[0].outside) < 0.0:
                return None, None, f"it would do harm: {against[0].told()}"
            return taper, CORRECTED, "the prior is asked"
        if not known:
            why = (
                "nothing tells that another radius would help: make the profile with  farfield "
                "profile --leave-out,  give --prior (the model needs its head), or choose with "
                "--mode and --criterion"
            )
            return None, None, why
        best = max(known, key=lambda found: found.low)
        return None, None, f"no mode and criterion helps for sure; the best: {best.told()}"

    def _evidence(self) -> list[RadiusEvidence]:
        header = {} if self._profile is None else self._profile.header
        return [RadiusEvidence.from_plain(found) for found in header.get(EVIDENCE, [])]

    @property
    def _forced(self) -> bool:
        return self._mode is not None or self._criterion is not None

    def _references(
        self, potential: Potential, criterion: str
    ) -> dict[str, npt.NDArray[np.float64]]:
        if self._profile is None:
            raise ConfigError("the criteria of the graph need --profile; the others need --prior")
        cutoff = potential.cutoff
        if cutoff is None or abs(cutoff - self._profile.cutoff) > 1e-6:
            raise ProfileError(
                f"the profile was made at {self._profile.cutoff} Å, the model's cutoff is "
                f"{cutoff} Å: make the profile with this model"
            )
        if criterion not in self._profile.references:
            raise ProfileError(
                f"the profile remembers nothing of training for the criterion {criterion}: make it "
                "again with  farfield profile"
            )
        return self._profile.references


def _agreement(
    criterion: str, words: dict[str, npt.NDArray[np.float64]], picked: npt.NDArray[np.intp]
) -> Decision:
    """Do the radii that one head's word chose lower the other head's word too?"""
    other = next(name for name in ASKING if name != criterion)
    before = float(words[other][:, -1].mean())
    after = float(words[other][np.arange(len(picked)), picked].mean())
    told = f"{WORDS[other]} goes from {before:.3f} to {after:.3f} eV/Å at the same radii"
    if after <= (1.0 - LEAST_AGREEMENT) * before:
        return Decision(True, f"both heads agree: {told}")
    return Decision(False, f"the heads do not agree, and the training radius stays: {told}")


def _figures(
    rule: RadiusRule, distances: npt.NDArray[np.float64], picked: npt.NDArray[np.intp]
) -> dict[str, float]:
    radii = [rule.all_radii[place] for place in picked]
    unit = "distance to training"
    if rule.criterion in ASKING:
        unit = "prior residual, eV/Å" if rule.criterion == PRIOR else "distance to correction, eV/Å"
    return {
        "structures with another radius": float(sum(r != rule.training_radius for r in radii)),
        "structures": float(len(radii)),
        "mean radius, Å": float(np.mean(radii)),
        f"mean {unit}, before": float(distances[:, -1].mean()),
        f"mean {unit}, after": float(distances[np.arange(len(radii)), picked].mean()),
    }
