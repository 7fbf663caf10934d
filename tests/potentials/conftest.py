"""A small random MACE and structures for it."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")

from farfield.potentials.mace import MacePotential, MaceSettings, create_mace

ENERGIES = {1: -13.6, 6: -1029.5, 7: -1485.0, 8: -2042.0}


def small_mace(seed: int = 0, **settings: object) -> MacePotential:
    """A MACE with two heads and random weights."""
    size = {"channels": 6, "max_ell": 2, "radial_widths": [8], "dtype": "float64", **settings}
    return create_mace(
        MaceSettings(**size),  # type: ignore[arg-type]
        heads={"reference": ENERGIES, "gfn2": {z: e / 50 for z, e in ENERGIES.items()}},
        scales={"reference": 1.0, "gfn2": 1.3},
        mean_neighbours=8.0,
        seed=seed,
    )


@pytest.fixture
def mace() -> MacePotential:
    return small_mace()


@pytest.fixture
def structures() -> list[Atoms]:
    """Molecules of different sizes, and a small periodic cell with images of its own atoms."""
    diamond = bulk("C", "diamond", a=3.6)
    diamond.positions += np.random.default_rng(0).normal(0, 0.1, (2, 3))
    found = [molecule(name) for name in ("CH3OH", "HCN", "CH3CONH2")] + [diamond]
    for index, atoms in enumerate(found[:3]):
        atoms.rattle(0.08, seed=index)
    return found
