"""How a simulation went: the first failing check, where and when, and what was noted."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

MODEL = "model"  # the name of the failure that is not a check's: the model gave no answer


@dataclass(frozen=True)
class Event:
    """A finding of a check at a step.

    Attributes
    ----------
    check
        Name of the check; ``"model"`` when the model itself failed.
    step, time_fs
        When.
    message
        What was wrong, in words.
    atoms
        Indices of the atoms concerned.
    value, limit
        The figure and the limit it crossed; None where there is none, or it is not finite.
    also
        Other checks that would have stopped the simulation at the same step.
    """

    check: str
    step: int
    time_fs: float
    message: str
    atoms: list[int] = field(default_factory=list)
    value: float | None = None
    limit: float | None = None
    also: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """Plain values; what is not finite is None."""
        content = asdict(self)
        for key in ("value", "limit"):
            if content[key] is not None and not math.isfinite(content[key]):
                content[key] = None
        return content


@dataclass(frozen=True)
class Outcome:
    """How one simulation went.

    Attributes
    ----------
    index, start, copy
        Number of the simulation, of its starting structure, and among those of that start.
    file, file_index, formula, n_atoms
        The starting structure.
    folder
        Where its files are, below the output folder.
    completed
        Whether it reached the end; otherwise its trajectory ends before ``failure``.
    steps, time_ps
        How far it came with all checks passed.
    failure
        The first failing check; None if there is none.
    alarms
        First finding of each check that does not stop.
    figures
        What the checks measured.
    """

    index: int
    start: int
    copy: int
    file: str
    file_index: int
    formula: str
    n_atoms: int
    folder: str
    completed: bool
    steps: int
    time_ps: float
    failure: Event | None
    alarms: list[Event]
    figures: dict[str, float]

    def plain(self) -> dict[str, Any]:
        """Plain values for the record."""
        content = dict(vars(self))
        content["failure"] = None if self.failure is None else self.failure.plain()
        content["alarms"] = [alarm.plain() for alarm in self.alarms]
        finite = {key: value for key, value in self.figures.items() if math.isfinite(value)}
        return {**content, "figures": finite}
