"""How far, along which axis: scores, sets, and structures to draw."""

from __future__ import annotations

from dataclasses import dataclass, field

from farfield.errors import ConfigError, StructureError

VERDICTS = ("inside", "edge", "outside")


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval, all three in the unit of the field that holds it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class AxisShift:
    """The scores of every set along one axis; a larger score is farther from training.

    Attributes
    ----------
    axis
        The key of the axis, such as ``"connectivity"``.
    title
        Its name for people, such as ``"Connectivity"``.
    unit
        Unit of the scores, such as ``"eV/Å"``; empty when they have none.
    explanation
        One sentence: what the axis measures, and on which proxy if it is one.
    training
        Scores of *held-out* training structures: the null distribution.
    sets
        Scores of the structures of each test set, by set name, in the order to be shown.
    control
        Name of the in-distribution set; None when there is none.
    auroc
        Per set, the area under the ROC curve (0.5 is chance) that separates it from the
        control; empty without a control.
    shifted
        Name of the set that was shifted on purpose along this axis; None when there is none.
    """

    axis: str
    title: str
    unit: str
    explanation: str
    training: list[float]
    sets: dict[str, list[float]]
    control: str | None = None
    auroc: dict[str, Interval] = field(default_factory=dict)
    shifted: str | None = None


@dataclass(frozen=True)
class SetSummary:
    """One test set in a line.

    Attributes
    ----------
    name, n_structures
        The set, and how many structures it has.
    verdicts
        Number of structures per verdict; the verdicts are ``inside``, ``edge``, ``outside``.
    leading_axis
        Key of the axis along which the set is farthest; None when it is inside.
    sentence
        The finding about this set, as a sentence.
    """

    name: str
    n_structures: int
    verdicts: dict[str, int]
    leading_axis: str | None
    sentence: str

    def __post_init__(self) -> None:
        if unknown := set(self.verdicts) - set(VERDICTS):
            raise ConfigError(
                f"set {self.name!r}: unknown verdicts {sorted(unknown)}; known: {VERDICTS}"
            )


@dataclass(frozen=True)
class DrawnStructure:
    """One structure to be drawn in three dimensions, with a score per atom.

    Attributes
    ----------
    title
        Such as ``"toluene, C7H8"``.
    numbers, positions
        Atomic numbers (N) and Cartesian positions (N, 3) in Å.
    bonds
        Pairs of atom indices from 0; :func:`farfield.reports.covalent_bonds` finds them.
    atom_values
        Per atom, the quantile in 0..1 of its score against the atoms of held-out training
        structures; empty when the axis has no per-atom scores.
    axis
        Key of the axis that the values and the quantile belong to.
    quantile
        Quantile in 0..1 of the whole structure against held-out training structures.
    reason
        Why it is shown, as a sentence.
    file, index
        Where it stands: the file's name and the index in it, from 0.
    cell
        The three cell vectors in Å, drawn as a box; None for a molecule.
    """

    title: str
    numbers: list[int]
    positions: list[list[float]]
    bonds: list[tuple[int, int]]
    atom_values: list[float]
    axis: str
    quantile: float
    reason: str
    file: str
    index: int
    cell: list[list[float]] | None = None

    def __post_init__(self) -> None:
        n = len(self.numbers)
        if len(self.positions) != n or len(self.atom_values) not in (0, n):
            raise StructureError(
                f"{self.title}: {n} atomic numbers, {len(self.positions)} positions and "
                f"{len(self.atom_values)} atom values do not belong together"
            )
        if any(not 0 <= end < n for bond in self.bonds for end in bond):
            raise StructureError(f"{self.title}: a bond names an atom outside 0..{n - 1}")
