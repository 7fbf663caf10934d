"""What was done, and what came of it: actions, curves, errors."""

from __future__ import annotations

from dataclasses import dataclass, field

from farfield.errors import ConfigError
from farfield.reports.contents.shifts import Interval


@dataclass(frozen=True)
class ErrorRow:
    """The errors of one method on one set; every statistic is over its structures.

    Attributes
    ----------
    method, set_name, n_structures
        What was evaluated on what.
    force_mae
        Mean over structures of the force MAE, with its 95 % interval, in meV/Å.
    median, q25, q75
        Median and quartiles over structures of the force MAE, in meV/Å.
    energy_mae_per_atom
        In meV/atom.
    is_baseline
        True for what is compared against, False for what farfield did.
    before
        The method that this one started from, on the same set: draws the arrow and gives
        the change in per cent.
    note
        A remark shown under the method's name.
    """

    method: str
    set_name: str
    n_structures: int
    force_mae: Interval | None
    median: float | None = None
    q25: float | None = None
    q75: float | None = None
    energy_mae_per_atom: float | None = None
    is_baseline: bool = False
    before: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Curve:
    """Named series against the steps of an adaptation or of a training, such as losses.

    Attributes
    ----------
    title, unit
        The quantity and its unit; the unit is empty for a loss without one.
    steps
        The steps, shared by all series.
    series
        Values at these steps, by name, such as ``"adapted structures"``.
    kept
        The step whose weights were kept; None when not chosen.
    axis
        What a step is.
    """

    title: str
    unit: str
    steps: list[int]
    series: dict[str, list[float]]
    kept: int | None = None
    axis: str = "step"

    def __post_init__(self) -> None:
        for name, values in self.series.items():
            if len(values) != len(self.steps):
                raise ConfigError(
                    f"curve {self.title!r}: {len(values)} values of {name!r} "
                    f"for {len(self.steps)} steps"
                )


@dataclass(frozen=True)
class Action:
    """What one refinement did, or why it left the model untouched.

    Attributes
    ----------
    method
        Such as ``"Test-time training on GFN2-xTB, with replay"``.
    acted
        False when the gate abstained and returned the untouched model.
    reasons
        The gate's reasons, as sentences.
    figures
        Label to value *with its unit*, such as ``{"wall time": "41 s"}``.
    curves
        How it went, against steps.
    """

    method: str
    acted: bool
    reasons: list[str]
    figures: dict[str, str] = field(default_factory=dict)
    curves: list[Curve] = field(default_factory=list)
