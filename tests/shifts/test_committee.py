"""A committee's disagreement by hand, and as an axis beside the verdict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from farfield import diagnose, profile
from farfield.errors import ConfigError, ModelError, ProfileError
from farfield.potentials import Prediction
from farfield.shifts.axes.committee import disagreement
from farfield.shifts.profile_files import load
from tests.shifts.made import rattled
from tests.shifts.two_heads import MODEL, TwoHeads


class Member:
    """Forces that are one vector on the first atom."""

    name = "member"

    def __init__(self, x: float, y: float) -> None:
        self.vector = (x, y, 0.0)

    def predict(self, structures: Sequence[Atoms]) -> list[Prediction]:
        found = []
        for atoms in structures:
            forces = np.zeros((len(atoms), 3))
            forces[0] = self.vector
            found.append(Prediction(0.0, forces))
        return found


def test_disagreement_by_hand() -> None:
    structures = [molecule("H2O"), molecule("CH4")]
    committee = [Member(0.0, 1.0), Member(0.0, -1.0), Member(2.0, 0.0), Member(-2.0, 0.0)]
    for spread in disagreement(committee, structures):
        assert spread[0] == pytest.approx([np.sqrt(2.0), np.sqrt(0.5), 0.0])
        assert not spread[1:].any()
    assert not np.concatenate(disagreement([committee[0]] * 2, structures)).any()
    with pytest.raises(ConfigError, match="at least two members, got 1"):
        disagreement(committee[:1], structures)
    with pytest.raises(ModelError, match="a member of the committee predicts forces that are not"):
        disagreement([committee[0], Member(np.nan, 0.0)], structures)


def test_it_is_an_axis_beside_the_verdict(tmp_path) -> None:
    train, tests = rattled(20, seed=1), rattled(3, seed=2)
    others = [TwoHeads("second"), TwoHeads("third")]
    made = profile(train, model=MODEL, committee=others, output=tmp_path / "p.npz")
    plain = profile(train, model=MODEL)
    found = diagnose(tests, profile=tmp_path / "p.npz", model=MODEL, committee=others).structures
    bare = diagnose(tests, profile=plain, model=MODEL).structures
    for one, other in zip(found, bare, strict=True):
        assert one.scores["committee"] == pytest.approx(0.0, abs=1e-12)  # all say the same
        assert one.quantile == other.quantile
        assert "committee" not in one.combined_axes
        assert "committee" not in other.scores
    assert "committee" in load(tmp_path / "p.npz").axes
    named = diagnose(tests, profile=made, model=MODEL, committee=others, axes=["committee"])
    assert named.structures[0].combined_axes == ("committee",)


def test_another_committee_is_refused() -> None:
    train = rattled(20, seed=1)
    made = profile(train, model=MODEL, committee=[TwoHeads("second")])
    with pytest.raises(ProfileError, match="another committee, or without one"):
        diagnose(train[:2], profile=made, model=MODEL, committee=[TwoHeads("other")] * 2)
    with pytest.raises(ConfigError, match="the model is a member of it"):
        profile(train, cutoff=4.0, committee=[TwoHeads("second")])
