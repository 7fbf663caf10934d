"""Choose a refinement: the strongest first, until one has a reason to act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import final

from ase import Atoms

from farfield.errors import CapabilityError
from farfield.potentials import Potential
from farfield.refinement.contract import Record, Refined, Refinement


@final
class Auto(Refinement):
    """Try refinements in order and keep the first that acts.

    Parameters
    ----------
    candidates
        The refinements, the strongest first. One that the model cannot have, or whose own
        gate abstains, is passed over, with its reason in the record.
    absent
        Refinements that are no candidates, and what they would need.
    """

    name = "auto"

    def __init__(
        self, candidates: Sequence[Refinement], absent: Mapping[str, str] | None = None
    ) -> None:
        self._candidates = candidates
        self._absent = absent or {}

    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        passed = [f"{method} was no candidate: {why}" for method, why in self._absent.items()]
        for place, candidate in enumerate(self._candidates):
            try:
                refined = candidate.refine(potential, structures)
            except CapabilityError as error:
                passed.append(f"{candidate.name} cannot be had: {error}")
                continue
            record = refined.record
            if not record.acted:
                passed.append(f"{candidate.name} abstained: {'; '.join(record.reasons)}")
                continue
            weaker = [other.name for other in self._candidates[place + 1 :]]
            if weaker:
                passed.append(f"not tried, as weaker in the study: {', '.join(weaker)}")
            chosen = replace(
                record,
                method=self.name,
                reasons=[f"{candidate.name} was chosen", *record.reasons, *passed],
                settings={"chosen": candidate.name, **record.settings},
            )
            return Refined(refined.potential, chosen)
        reasons = passed or ["there was no method to try"]
        return Refined(potential, Record(self.name, False, reasons, settings={"chosen": None}))
