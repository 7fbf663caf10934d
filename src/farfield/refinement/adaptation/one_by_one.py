"""Test-time training on each structure by itself, from the same weights each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import final

import numpy as np
from ase import Atoms

from farfield.potentials import Potential, require_trainable
from farfield.potentials.trainable import State
from farfield.priors import label
from farfield.refinement import gate
from farfield.refinement.adaptation.adapted_each import Adapted, AdaptedEach, changed
from farfield.refinement.adaptation.displacements import displaced
from farfield.refinement.adaptation.replay import refuse_leak, split_off
from farfield.refinement.adaptation.test_time_training import TestTimeTraining
from farfield.refinement.contract import Record, Refined, Refinement
from farfield.refinement.correction.refinement import require_head
from farfield.refinement.trust import require_level, unseen_electrons
from farfield.shifts import Diagnosis, diagnose, observe
from farfield.structures import describe

COPIES = 7
DISPLACEMENT = 0.1  # Å
HELD_OUT = ("force MAE held out, before, eV/Å", "force MAE held out, after, eV/Å")


@final
class OneByOne(Refinement):
    """Adapt to each structure on its own; what one leaves behind does not reach the next.

    There is no second structure to judge the steps by. So rattled copies are made of each, and
    labelled by the prior if there is one: some are learned from beside the structure itself, by
    the others the steps are chosen and the gate decides. A run that was interrupted finds its
    labels in the cache, and adapts anew.

    Parameters
    ----------
    training
        How each is adapted to; its profile tells which are, and it keeps no checkpoint.
    copies
        Rattled copies of each structure.
    displacement
        Of the copies: root mean square over the atoms, Å.
    """

    name = "ttt"

    def __init__(
        self,
        training: TestTimeTraining,
        copies: int = COPIES,
        displacement: float = DISPLACEMENT,
    ) -> None:
        self._training = training
        self._copies = copies
        self._displacement = displacement

    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        start = require_trainable(potential, "test-time training")
        training = self._training
        prior, forced = training.asked, training.settings.force
        if prior is not None:
            require_head(start, prior)
            require_level(start, prior)
        refuse_leak([*training.replay, *(training.checked_on or ())], structures)
        settings = {
            **training.described(),
            "per": "structure",
            "copies": self._copies,
            "displacement": self._displacement,
        }
        doubt = None if forced else training.doubt(start, ())
        if doubt is not None:
            return Refined(potential, Record(self.name, False, [doubt], settings=settings))
        alone = [None] * len(structures) if forced else self._left_alone(start, structures)
        groups = [self._with_copies(atoms) for atoms in structures]
        if prior is not None and training.cache is not None:
            waiting = [group for group, why in zip(groups, alone, strict=True) if why is None]
            copies = [atoms for group in waiting for atoms in group]
            label(copies, prior, workers=training.workers, cache=training.cache)
        trusted = None if training.checked_on is None else ()
        each = replace(training, profile=None, checked_on=trusted, checkpoint=None)
        weights = start.state()
        members, records, reasons = [], [], []
        for atoms, group, why in zip(structures, groups, alone, strict=True):
            record = Record(self.name, False, [why or ""])
            own: State = {}
            if why is None:
                refined = each.refine(start, group)
                record = refined.record
                if record.acted:
                    moved = require_trainable(refined.potential, "test-time training")
                    own = changed(weights, moved.state())
                records.append(record)
            members.append(Adapted(atoms, own))
            did = "adapted" if record.acted else "left alone"
            reasons.append(f"{describe(atoms)}: {did}: {'; '.join(record.reasons)}")
        acted = sum(record.acted for record in records)
        told = f"{acted} of {len(structures)} structures were adapted to, each from the same start"
        record = Record(
            self.name, acted > 0, [told, *reasons], _figures(records, acted), settings=settings
        )
        return Refined(AdaptedEach(start, members) if acted else potential, record)

    def _with_copies(self, atoms: Atoms) -> list[Atoms]:
        """Rattled copies, the structure itself among those that are learned from."""
        settings = self._training.settings
        group = displaced([atoms], self._copies, self._displacement, settings.seed)
        places = list(range(len(group) + 1))
        learned, _ = split_off(places, settings.held_out, settings.seed)
        group.insert(learned[0], atoms)
        return group

    def _left_alone(self, potential: Potential, structures: list[Atoms]) -> list[str | None]:
        """Why a structure is not adapted to: a strange charge, or nothing to mend; None else."""
        profile, prior = self._training.profile, self._training.asked
        known = self._training.checked_on if prior is not None else None
        found = [unseen_electrons([atoms], known or ()) for atoms in structures]
        if profile is not None:
            seen = observe(structures, potential=potential)
            each = diagnose(structures, seen, profile).structures
            decisions = [gate.before(Diagnosis([one], {})) for one in each]
            inside = [None if decision.act else decision.reason for decision in decisions]
            found = [first or second for first, second in zip(found, inside, strict=True)]
        return found


def _figures(records: Sequence[Record], acted: int) -> dict[str, float]:
    """Over the structures that were adapted to."""
    done = [record.figures for record in records if record.acted]
    found = {"structures adapted to, each on its own": float(acted)}
    for key in (key for key in (done[0] if done else ()) if key.endswith(HELD_OUT)):
        found[f"{key}, median over structures"] = float(np.median([each[key] for each in done]))
    return found
