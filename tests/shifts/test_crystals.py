"""A pretrained universal model on crystals: profile, merge, diagnosis, and a calculator alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from farfield import diagnose, load_model, profile
from farfield.shifts import merge

pytest.importorskip("chgnet", reason="the universal model that comes with its weights")


def rattled(
    symbols: str, lattice: float, count: int, seed: int, width: float = 0.05
) -> list[Atoms]:
    """Cubic rock salt of eight atoms, strained by 1 % and displaced."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        atoms = bulk(symbols, "rocksalt", a=lattice, cubic=True)
        atoms.set_cell(atoms.cell.array * (1 + 0.01 * rng.normal()), scale_atoms=True)
        atoms.positions += rng.normal(scale=width, size=atoms.positions.shape)
        found.append(atoms)
    return found


@pytest.fixture(scope="module")
def chgnet():
    return load_model("chgnet")


def test_hot_crystals_and_new_elements_lie_outside(chgnet, tmp_path: Path) -> None:
    train = rattled("NaCl", 5.7, 12, seed=0) + rattled("MgO", 4.2, 12, seed=1)
    made = profile(train, model=chgnet, output=tmp_path / "chgnet.profile")
    assert {"elements", "force_norm", "connectivity", "representation"} <= set(made.axes)
    halves = [profile(part, model=chgnet) for part in (train[::2], train[1::2])]
    assert merge(halves).fingerprint == made.fingerprint

    def verdicts(structures: list[Atoms]) -> list[tuple[str, str]]:
        found = diagnose(structures, profile=tmp_path / "chgnet.profile", model=chgnet).structures
        return [(one.verdict, one.axis) for one in found]

    assert [verdict for verdict, _ in verdicts(rattled("NaCl", 5.7, 4, seed=2))].count(
        "outside"
    ) < 2
    hot = diagnose(rattled("MgO", 4.2, 3, seed=3, width=0.3), profile=made, model=chgnet)
    assert {one.verdict for one in hot.structures} == {"outside"}
    assert all(one.quantiles["force_norm"] == 1.0 for one in hot.structures)
    assert set(verdicts(rattled("LiF", 4.1, 3, seed=4))) == {("outside", "elements")}


def test_any_calculator_is_diagnosed_on_crystals() -> None:
    train = [atoms for seed in range(12) for atoms in rattled("CuNi", 4.6, 1, seed=seed)]
    made = profile(train, model="emt", cutoff=4.0)
    squeezed = rattled("CuNi", 4.0, 2, seed=20)
    for one in diagnose(squeezed, profile=made, model="emt").structures:
        assert one.verdict == "outside"
        assert set(one.scores) == {"elements", "force_norm", "connectivity"}
