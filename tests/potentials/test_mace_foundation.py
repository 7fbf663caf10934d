"""Foundation models of MACE: the layout that they have and ours have not, and their aliases.

None can be downloaded where the tests run, so one is built from mace-torch's own blocks: distances
after Agnesi, pair repulsion, a density in place of the mean number of neighbours.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms

pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")

from farfield.errors import ModelError
from farfield.potentials.loading import load_potential
from farfield.potentials.mace import MacePotential
from farfield.potentials.mace.library import FOUNDATION_ALIASES, contained, mace_modules
from farfield.potentials.precision import default_dtype
from farfield.testing import check_potential

from .conftest import ENERGIES


def foundation(**changes: object) -> torch.nn.Module:
    """A small random module with all that foundation models have."""
    modules = mace_modules()
    with contained(), default_dtype(torch.float64), torch.random.fork_rng(devices=[]):
        from e3nn.o3 import Irreps

        torch.manual_seed(0)
        interactions = modules.interaction_classes
        settings = {
            "r_max": 4.0,
            "num_bessel": 6,
            "num_polynomial_cutoff": 5,
            "max_ell": 2,
            "interaction_cls": interactions["RealAgnosticDensityResidualInteractionBlock"],
            "interaction_cls_first": interactions["RealAgnosticDensityInteractionBlock"],
            "num_interactions": 2,
            "num_elements": len(ENERGIES),
            "hidden_irreps": Irreps("6x0e + 6x1o"),
            "MLP_irreps": Irreps("8x0e"),
            "gate": torch.nn.functional.silu,
            "atomic_energies": np.array(list(ENERGIES.values())),
            "avg_num_neighbors": 8.0,
            "atomic_numbers": list(ENERGIES),
            "correlation": 2,
            "radial_MLP": [8],
            "radial_type": "bessel",
            "pair_repulsion": True,
            "distance_transform": "Agnesi",
            "atomic_inter_scale": 0.8,
            "atomic_inter_shift": 0.1,
        }
        module: torch.nn.Module = modules.ScaleShiftMACE(**{**settings, **changes})
        return module.double()


@pytest.mark.parametrize(
    "changes",
    [{}, {"distance_transform": "None"}, {"pair_repulsion": False}],
    ids=["as published", "no transform", "no repulsion"],
)
def test_the_layout_passes_the_contract(
    changes: dict[str, object], structures: list[Atoms]
) -> None:
    check_potential(MacePotential(foundation(**changes)), structures)


def test_a_head_is_added_and_the_old_one_stays(structures: list[Atoms]) -> None:
    base = MacePotential(foundation())
    (main,) = base.heads
    both = base.with_head("gfn2", {z: e / 50 for z, e in ENERGIES.items()}, 0.9)
    assert both.heads == (main, "gfn2")
    for before, after in zip(base.predict(structures), both.predict(structures), strict=True):
        assert after.energy == pytest.approx(before.energy, abs=1e-8)
        np.testing.assert_allclose(after.forces, before.forces, atol=1e-9)
    assert np.abs(both.predict(structures, "gfn2")[0].forces).max() > 0.0


def test_it_is_mace_torchs_own_model(structures: list[Atoms], tmp_path: Path) -> None:
    torch.save(foundation(), tmp_path / "foundation.model")
    loaded, _ = load_potential(str(tmp_path / "foundation.model"))
    from mace.calculators import MACECalculator

    with contained():
        native = MACECalculator(
            model_paths=str(tmp_path / "foundation.model"), device="cpu", default_dtype="float64"
        )
    for atoms, found in zip(structures, loaded.predict(structures), strict=True):
        copy = atoms.copy()
        copy.calc = native
        assert found.energy == pytest.approx(copy.get_potential_energy(), abs=1e-8)
        np.testing.assert_allclose(found.forces, copy.get_forces(), atol=1e-8)


def test_every_alias_asks_mace_torch_for_a_model_that_it_knows(
    monkeypatch: pytest.MonkeyPatch, structures: list[Atoms]
) -> None:
    mace_modules()
    from mace.calculators import foundations_models as theirs

    known = {"mp": theirs.mace_mp_names, "off": list(theirs.mace_off_urls)}
    asked = []

    def give(model: str, device: str, return_raw_model: bool) -> torch.nn.Module:
        assert return_raw_model
        asked.append(model)
        return foundation()

    monkeypatch.setattr("mace.calculators.mace_mp", give)
    monkeypatch.setattr("mace.calculators.mace_off", give)
    for alias, (family, name) in FOUNDATION_ALIASES.items():
        assert name in known[family], alias
        loaded, _ = load_potential(alias)
        assert isinstance(loaded, MacePotential)
        assert asked[-1] == name
    assert np.isfinite(loaded.predict(structures)[0].energy)


def test_offline_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    mace_modules()

    def fail(**_: object) -> torch.nn.Module:
        raise RuntimeError("Model download failed\nand no local model found")

    monkeypatch.setattr("mace.calculators.mace_mp", fail)
    with pytest.raises(ModelError, match=r"mace-mpa-0: .*failed and no.*by hand and give its path"):
        load_potential("mace-mpa-0")
