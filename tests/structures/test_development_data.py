"""Every file of the development data is read; it is not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from farfield.structures import labels_of, read

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
FOLDER = Path(os.environ.get("FARFIELD_DATA", BESIDE))
FILES = sorted(FOLDER.rglob("*.xyz.gz"))
ENERGIES_ONLY = ("H_transfer", "dihedral", "H_removal", "norm_mode", "dimers")


@pytest.mark.skipif(not FILES, reason="no development data: FARFIELD_DATA does not name it")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_file_is_read(path: Path) -> None:
    structures = read(path)
    energies_only = any(word in path.name for word in ENERGIES_ONLY)
    for atoms in structures:
        labels = labels_of(atoms)
        assert labels is not None
        assert labels.energy is not None
        assert np.isfinite(labels.energy)
        assert (labels.forces is None) == energies_only
