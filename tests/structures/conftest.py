"""Structures with labels, made from a seed."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from hypothesis import settings

from farfield.structures import Labels, attach

# Derandomised: a failure is the same failure for everyone. No deadline: machines are shared.
settings.register_profile("farfield", derandomize=True, deadline=None, database=None)
settings.load_profile("farfield")


@pytest.fixture
def labelled() -> list[Atoms]:
    """Two molecules and a crystal with reference and prior labels."""
    rng = np.random.default_rng(7)
    structures = [molecule("CH3CH2OH"), molecule("H2O"), bulk("NaCl", "rocksalt", a=5.64)]
    for atoms in structures:
        atoms.positions += rng.normal(scale=0.05, size=(len(atoms), 3))
        for name, level in (("REF", "PBE/def2-SVP"), ("farfield_gfn2", "GFN2-xTB (tblite)")):
            forces = rng.normal(size=(len(atoms), 3))
            stress = rng.normal(size=6) if atoms.pbc.any() else None
            attach(atoms, Labels(float(rng.normal()), forces, stress, level), name)
    return structures
