"""A profile of a data set, read one structure after the other."""

from __future__ import annotations

import numpy as np
import pytest

from farfield import profile
from farfield.datasets import read_reference
from farfield.verbs import inputs
from tests.datasets.made import frames


@pytest.fixture
def md17(tmp_path, monkeypatch) -> str:
    """Ninety structures of ethanol's file, filled with water."""
    positions, energies, forces = frames(90)
    folder = tmp_path / "md17"
    folder.mkdir()
    np.savez(
        folder / "md17_ethanol.npz",
        R=positions, E=energies[:, None], F=forces, z=np.array([8, 1, 1]), name="ethanol",
    )  # fmt: skip
    monkeypatch.setenv("FARFIELD_DATASETS", str(tmp_path))
    return "md17:ethanol"


def test_a_profile_reads_a_data_set_in_parts(md17, monkeypatch) -> None:
    whole = profile(read_reference(f"{md17}@count=90"), cutoff=4.0)
    monkeypatch.setattr("farfield.verbs.profile.PART", 40)
    sizes = []
    real = inputs.parts_of

    def counted(given, size):
        for part in real(given, size):
            sizes.append(len(part))
            yield part

    monkeypatch.setattr("farfield.verbs.profile.parts_of", counted)
    monkeypatch.setattr(inputs, "read", None)  # nothing is read at once
    streamed = profile(md17, cutoff=4.0)
    assert sizes == [40, 40, 10]
    assert streamed.fingerprint == whole.fingerprint
    assert streamed.header["level_of_theory"] == "PBE+vdW-TS"
