"""A report with everything in it; all numbers are invented, no result of anything."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from farfield.reports import (
    Action,
    AxisShift,
    Curve,
    DrawnStructure,
    ErrorRow,
    Interval,
    JudgedScore,
    Judgement,
    Report,
    SetSummary,
    covalent_bonds,
)

VERDICTS = ("inside", "edge", "outside")
CONTROL, ELEMENTS, FORCES, RINGS = "alcohols, held out", "thiols", "hot alcohols", "aromatics"
SETS = (CONTROL, ELEMENTS, FORCES, RINGS)
TTT = "Test-time training, with replay"
DISTILLED = "Prior correction, distilled"


def _judgement() -> Judgement:
    coverage = np.linspace(0.05, 1.0, 20)

    def score(title: str, quality: float, *, is_baseline: bool = False) -> JudgedScore:
        risk = 0.31 * (1 - quality * (1 - coverage**1.5))
        near = Interval(quality, quality - 0.06, quality + 0.05)
        rest = Interval(1 - quality, 0.95 - quality, 1.06 - quality)
        return JudgedScore(title, near, near, rest, risk.tolist(), is_baseline)

    return Judgement(
        n_structures=158,
        coverage=coverage.tolist(),
        best=(0.31 * (1 - 0.9 * (1 - coverage**1.3))).tolist(),
        scores=[
            score("Combined", 0.7),
            score("Elements and element pairs", 0.3),
            score("Prior residual", 0.85),
            score("Committee of 4", 0.78, is_baseline=True),
        ],
        gaps={ELEMENTS: Interval(0.21, 0.17, 0.26), RINGS: Interval(0.08, 0.05, 0.11)},
        force_norms={CONTROL: (1.21, 1.24), ELEMENTS: (1.3, 1.52), RINGS: (1.7, 2.31)},
        covered={CONTROL: "36 of 38", ELEMENTS: "31 of 40", RINGS: "35 of 40"},
    )


def _axes(random: np.random.Generator) -> list[AxisShift]:
    def normal(mean: float, spread: float, n: int = 40) -> list[float]:
        return np.abs(random.normal(mean, spread, n)).tolist()

    def auroc(values: dict[str, float]) -> dict[str, Interval]:
        return {
            name: Interval(v, max(0.0, v - 0.07), min(1.0, v + 0.05)) for name, v in values.items()
        }

    return [
        AxisShift(
            "elements", "Atomic features", "",
            "Share of atoms whose element, or element pair within the cutoff, is rare in training.",
            np.round(np.maximum(0, random.normal(0.01, 0.02, 40)), 3).tolist(),
            {
                CONTROL: np.round(np.maximum(0, random.normal(0.01, 0.02, 38)), 3).tolist(),
                ELEMENTS: normal(0.36, 0.07),
                FORCES: np.round(np.maximum(0, random.normal(0.01, 0.02, 40)), 3).tolist(),
                RINGS: normal(0.05, 0.025),
            },
            CONTROL, auroc({ELEMENTS: 1.0, FORCES: 0.51, RINGS: 0.78}), ELEMENTS,
        ),
        AxisShift(
            "force_norm", "Force norm", "eV/Å",
            "Mean force on an atom, from the prior GFN2-xTB: a proxy, no reference label is read.",
            normal(1.15, 0.28),
            {
                CONTROL: normal(1.2, 0.3, 38), ELEMENTS: normal(1.35, 0.35),
                FORCES: normal(3.4, 0.75), RINGS: normal(1.5, 0.3),
            },
            CONTROL, auroc({ELEMENTS: 0.63, FORCES: 0.99, RINGS: 0.77}), FORCES,
        ),
        AxisShift(
            "connectivity", "Connectivity", "",
            "Wasserstein distance between the Laplacian spectrum of the model's own graph and its "
            "nearest training spectra.",
            normal(0.012, 0.004),
            {
                CONTROL: normal(0.0125, 0.004, 38), ELEMENTS: normal(0.017, 0.005),
                FORCES: normal(0.016, 0.005), RINGS: normal(0.052, 0.009),
            },
            CONTROL, auroc({ELEMENTS: 0.74, FORCES: 0.71, RINGS: 1.0}), RINGS,
        ),
        AxisShift(
            "representation", "Representation", "",
            "Mahalanobis distance of the model's node features to those of training atoms.",
            normal(4.1, 0.5),
            {
                CONTROL: normal(4.2, 0.55, 38), ELEMENTS: normal(210.0, 60.0),
                FORCES: normal(9.0, 2.1), RINGS: normal(14.0, 3.0),
            },
            CONTROL, auroc({ELEMENTS: 1.0, FORCES: 0.97, RINGS: 0.99}),
        ),
    ]  # fmt: skip


def draw(atoms: Atoms, title: str, axis: str, reason: str, index: int) -> DrawnStructure:
    """Return ``atoms`` with a made-up quantile per atom, rising along x."""
    positions = atoms.get_positions()
    where = positions[:, 0] - positions[:, 0].min()
    values = np.clip(1 - 10.0 ** (-0.2 - 2.0 * where / max(where.max(), 1e-9)), 0, 1)
    return DrawnStructure(
        title, atoms.numbers.tolist(), positions.round(4).tolist(),
        covalent_bonds(atoms.numbers.tolist(), positions.tolist()), values.round(4).tolist(),
        axis, 0.998, reason, "aromatics.extxyz", index,
        cell=np.asarray(atoms.cell).tolist() if atoms.pbc.any() else None,
    )  # fmt: skip


def _errors() -> list[ErrorRow]:
    means = {
        "Supervised": (64, 262, 231, 254), "Joint, without test-time training": (66, 251, 222, 187),
        "GFN2-xTB alone": (291, 305, 388, 178), "Δ-model on GFN2-xTB": (39, 88, 97, 61),
        TTT: (64, 171, 158, 121), DISTILLED: (64, 149, 139, 104),
    }  # fmt: skip
    before = {TTT: "Supervised", DISTILLED: "Supervised"}
    return [
        ErrorRow(
            method, name, 38 if name == CONTROL else 40, Interval(mean, 0.92 * mean, 1.09 * mean),
            0.95 * mean, 0.82 * mean, 1.13 * mean, 0.11 * mean,
            is_baseline=method not in before, before=before.get(method),
            note="needs the prior at inference" if method.startswith("Δ") else
            "the gate abstained" if method in before and name == CONTROL else "",
        )
        for place, name in enumerate(SETS)
        for method, row in means.items()
        for mean in [float(row[place])]
    ]  # fmt: skip


def _actions() -> list[Action]:
    steps = list(range(0, 130, 10))
    loss = [2.9 * float(np.exp(-step / 45)) + 0.4 for step in steps]
    return [
        Action(
            TTT + f": {RINGS}", True,
            ["Outside along connectivity and representation (quantiles 1.00 and 1.00).",
             "The loss on the prior fell by 71 % on structures that were not adapted on.",
             "Forgetting on the anchor set stayed below its limit of 5 %."],
            {"prior loss, held-out structures": "2.9 → 0.84", "force MAE, anchor set":
             "64 → 66 meV/Å", "steps kept": "90 of 120", "learning rate": "3·10⁻³",
             "wall time": "41 s"},
            [Curve("Loss on the prior", "", steps, {
                "adapted structures": loss,
                "held-out structures": [
                    value + 0.1 + 0.00006 * step**1.9
                    for value, step in zip(loss, steps, strict=True)],
            }, kept=90),
             Curve("Force MAE on the anchor set", "meV/Å", steps, {
                 "anchor set": [64 + 2.5 * (1 - float(np.exp(-step / 30))) for step in steps],
             }, kept=90)],
        ),
        Action(
            f"Test-time training: {CONTROL}", False,
            ["Inside along every axis (largest quantile 0.62): there is no reason to act."],
            {"combined quantile": "0.62", "wall time": "0.4 s"},
        ),
        Action(
            f"Radius refinement: {RINGS}", False,
            ["No radius beats the training cutoff of 5.0 Å by the margin: the spectra at 4.5 Å are "
             "4 % nearer, 10 % is asked for."],
            {"radii compared": "4.0, 4.5, 5.0 Å", "best gain": "4 %"},
        ),
    ]  # fmt: skip


@pytest.fixture(scope="session")
def full() -> Report:
    """Return a report with every section filled."""
    counts = {CONTROL: (36, 2, 0), ELEMENTS: (0, 1, 39), FORCES: (0, 4, 36), RINGS: (0, 0, 40)}
    leading = {CONTROL: None, ELEMENTS: "elements", FORCES: "force_norm", RINGS: "connectivity"}
    sentences = {
        CONTROL: "Inside: no axis tells these structures from held-out training structures.",
        ELEMENTS: "Outside: sulfur was never seen; one atom in three has a new pair within 5 Å.",
        FORCES: "Outside: forces are three times larger than in training.",
        RINGS: "Outside: fused rings connect the graph as no training structure does.",
    }
    return Report(
        title="Alcohols to aromatics, thiols and high temperature",
        subtitle="A two-layer MACE trained on 450 alcohol structures, met with four test sets.",
        headline=[
            "Three of the four sets lie outside the training data, each along the axis that it was "
            "shifted on; distilling the corrected forces cuts the force MAE on them by 40 to 59 %.",
            "The held-out alcohols are inside on every axis, and the gate left the model alone "
            "there: 64 meV/Å before and after.",
            "The two heads' errors correlate at 0.98 on aromatics, which is why a cheap prior "
            "can correct them without labels.",
        ],
        facts={
            "Model": "MACE, 2 layers, 24 scalar channels", "Cutoff": "5.0 Å",
            "Prior": "GFN2-xTB (tblite 0.4.0)", "Profile": "450 structures, 40 held out",
            "Level of theory": "ωB97M-D3(BJ)/def2-TZVPPD", "Seed": "7 (3 seeds for intervals)",
            "Versions": "farfield 0.1.0, torch 2.9.0", "Device": "CPU, 2 threads",
        },
        sets=[
            SetSummary(name, sum(counts[name]),
                       dict(zip(VERDICTS, counts[name], strict=True)),
                       leading[name], sentences[name])
            for name in SETS
        ],
        axes=_axes(np.random.default_rng(7)),
        judgement=_judgement(),
        structures=[
            draw(molecule("C6H6"), "Benzene, C6H6", "connectivity",
                 "Farthest of all along connectivity: every carbon sits in one six-ring.", 12),
            draw(molecule("CH3CH2SH"), "Ethanethiol, C2H6S", "elements",
                 "Sulfur is unseen in training.", 3),
            draw(molecule("trans-butane"), "Butane, C4H10",
                 "force_norm", "Largest mean force, 5.2 eV/Å, at 900 K.", 28),
            draw(bulk("NaCl", "rocksalt", a=5.64, cubic=True), "Rock salt, Na4Cl4",
                 "representation", "A crystal among molecules: no feature is near training.", 0),
        ],
        errors=_errors(),
        error_notes=[
            "Energies were compared after the best constant per composition.",
            "Intervals: 1000 bootstrap resamples of structures, three seeds pooled.",
        ],
        actions=_actions(),
        commands=[
            "farfield profile train.extxyz --model model -o profile",
            "farfield diagnose thiols.extxyz aromatics.extxyz --profile profile --model model "
            "--prior gfn2 -o diagnosis",
            "farfield refine aromatics.extxyz --model model --method auto --profile profile "
            "--prior gfn2 --replay train.extxyz --seed 7 -o refined",
        ],
        warnings=[
            "Force norms come from the prior, not from the reference: read that axis as a proxy.",
        ],
    )  # fmt: skip
