"""mace-torch's own fine-tuning command runs on a model of farfield, and only on a MACE."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from farfield.benchmarks.bench import Effort
from farfield.errors import CapabilityError
from farfield.structures import Labels, attach

pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")

from farfield.benchmarks.contestants import mace_multihead
from farfield.potentials.mace import MacePotential, MaceSettings, create_mace

ENERGIES = {1: -13.6, 6: -1029.5, 7: -1485.0, 8: -2042.0}


def model() -> MacePotential:
    size = {"channels": 4, "max_ell": 1, "radial_widths": [8], "cutoff": 3.0}
    return create_mace(
        MaceSettings(**size),  # type: ignore[arg-type]
        {"reference": ENERGIES},
        {"reference": 1.0},
        mean_neighbours=5.0,
        seed=0,
    )


def labelled(name: str, count: int, own: MacePotential) -> list[Atoms]:
    """Rattled molecules whose forces are three times the model's, and energies of no use."""
    found = [molecule(name) for _ in range(count)]
    for index, atoms in enumerate(found):
        atoms.rattle(0.05, seed=index)
        prediction = own.predict([atoms])[0]
        attach(atoms, Labels(float(index), 3.0 * prediction.forces, None, "A"))
    return found


def bench(own: object, training: list[Atoms]) -> SimpleNamespace:
    zoo = SimpleNamespace(training=training)
    return SimpleNamespace(
        model=lambda strategy: own, zoo=zoo, seed=0, effort=Effort(fine_tune_steps=20)
    )


@pytest.mark.slow
def test_the_command_moves_the_model_towards_the_labels_and_is_read_back() -> None:
    own = model()
    test, training = labelled("CH3OH", 10, own), labelled("HCN", 12, own)
    found = mace_multihead.mace_multihead(10, bench(own, training), test)  # type: ignore[arg-type]

    def error(predictions: object) -> float:
        pairs = zip(predictions, test, strict=True)  # type: ignore[call-overload]
        return float(np.mean([np.abs(p.forces - a.arrays["REF_forces"]).mean() for p, a in pairs]))

    assert error(found.predict(test)) < error(own.predict(test))


def test_what_the_command_cannot_do_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    own = model()
    test = labelled("CH3OH", 10, own)
    strange = SimpleNamespace(name="PaiNN (1k parameters)")
    with pytest.raises(CapabilityError, match="only a MACE"):
        mace_multihead.mace_multihead(10, bench(strange, []), test)  # type: ignore[arg-type]
    with pytest.raises(CapabilityError, match="10 structures with reference forces"):
        mace_multihead.mace_multihead(11, bench(own, []), test)  # type: ignore[arg-type]
    monkeypatch.setattr(mace_multihead, "TIME_LIMIT", 0.01)
    with pytest.raises(CapabilityError, match="did not end within"):
        mace_multihead.mace_multihead(10, bench(own, test), test)  # type: ignore[arg-type]
