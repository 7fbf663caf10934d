"""Views of a model at another radius: what they change, what they share, and their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk

from farfield.errors import CapabilityError
from farfield.potentials.contract import CutoffMode, Prediction
from farfield.potentials.loading import load_potential
from farfield.potentials.mace import MacePotential, adapter
from farfield.potentials.mace.library import contained
from farfield.potentials.radii import candidate_radii
from farfield.testing.radii import check_radii

from .conftest import small_mace

EXACT = 1e-9  # eV and eV/Å, float64 against float64
MODES: tuple[CutoffMode, ...] = ("truncate", "taper", "rescale")


def assert_same(first: list[Prediction], second: list[Prediction]) -> None:
    for one, two in zip(first, second, strict=True):
        assert one.energy == pytest.approx(two.energy, abs=EXACT)
        np.testing.assert_allclose(one.forces, two.forces, atol=EXACT)


@pytest.mark.parametrize("mode", MODES)
def test_a_view_keeps_its_radius_in_copies_and_files(
    mode: CutoffMode, mace: MacePotential, structures: list[Atoms], tmp_path: Path
) -> None:
    view = mace.with_cutoff(3.6, mode)
    found = view.predict(structures)
    assert_same(view.clone().predict(structures), found)
    view.save(tmp_path / "model")
    loaded, rule = load_potential(str(tmp_path / "model"))
    assert rule == {} and loaded.cutoff == pytest.approx(3.6)
    assert_same(loaded.predict(structures), found)
    grown = view.with_head("more", dict.fromkeys(mace.species, -1.0))
    assert_same(grown.predict(structures), found)


@pytest.mark.parametrize("mode", MODES)
def test_the_native_file_gives_the_same_forces_in_mace_itself(
    mode: CutoffMode, mace: MacePotential, structures: list[Atoms], tmp_path: Path
) -> None:
    view = mace.with_cutoff(3.6, mode)
    view.export(tmp_path / "view.model", "gfn2")
    with contained():
        from mace.calculators import MACECalculator

        calculator = MACECalculator(
            str(tmp_path / "view.model"), device="cpu", default_dtype="float64"
        )
        for atoms, expected in zip(structures, view.predict(structures, "gfn2"), strict=True):
            copy = atoms.copy()
            copy.calc = calculator
            np.testing.assert_allclose(copy.get_forces(), expected.forces, atol=1e-8)
            assert copy.get_potential_energy() == pytest.approx(expected.energy, abs=1e-8)


def test_training_a_view_trains_the_model(mace: MacePotential, structures: list[Atoms]) -> None:
    view = mace.with_cutoff(3.6, "taper")
    before = mace.predict(structures)[0].energy
    with torch.no_grad():
        for parameter in view.representation_parameters().values():
            parameter.mul_(1.1)
    assert mace.predict(structures)[0].energy != before


def test_an_untouched_envelope_is_found(
    mace: MacePotential, structures: list[Atoms], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A taper that only drops edges is a truncation, and its energy jumps."""
    real = adapter.at_radius

    def planted(module: object, radius: float, mode: CutoffMode) -> object:
        return real(module, radius, "truncate" if radius < 4.5 and mode == "taper" else mode)

    monkeypatch.setattr(adapter, "at_radius", planted)
    with pytest.raises(AssertionError, match="jumps"):
        check_radii(mace, structures)


def test_a_view_that_writes_into_the_model_is_found(
    mace: MacePotential, structures: list[Atoms], monkeypatch: pytest.MonkeyPatch
) -> None:
    def planted(module: object, radius: float, mode: CutoffMode) -> object:
        changed = real(module, radius, mode)
        module.radial_embedding.cutoff_fn.r_max.fill_(4.4)  # type: ignore[attr-defined]
        return changed

    real = adapter.at_radius
    monkeypatch.setattr(adapter, "at_radius", planted)
    with pytest.raises(AssertionError):
        check_radii(mace, structures)


def test_what_would_change_nothing_is_refused_with_the_reason(mace: MacePotential) -> None:
    with pytest.raises(CapabilityError, match="change nothing"):
        mace.with_cutoff(9.0, "truncate")
    with pytest.raises(CapabilityError, match="next to nothing"):
        mace.with_cutoff(0.96 * mace.cutoff, "truncate")
    with pytest.raises(CapabilityError, match="own radius"):
        mace.with_cutoff(mace.cutoff, "taper")
    with pytest.raises(CapabilityError, match="knows nothing"):
        mace.with_cutoff(2 * mace.cutoff, "taper")
    radii, refused = candidate_radii(mace, "truncate")
    assert max(radii) < mace.cutoff and len(refused) == 4
    assert max(candidate_radii(mace, "taper")[0]) > mace.cutoff


def test_a_pair_repulsion_is_never_cut(mace: MacePotential) -> None:
    mace.module.pair_repulsion_fn = torch.nn.Identity()
    assert MacePotential(mace.module).cutoff_modes == {"truncate"}


def test_a_chgnet_is_tapered_and_rescaled(tmp_path: Path) -> None:
    pytest.importorskip("chgnet", reason="chgnet is not installed: pip install 'farfield[chgnet]'")
    chgnet, _ = load_potential("chgnet", dtype=torch.float64)
    crystal = bulk("NaCl", "rocksalt", a=5.64)
    crystal.rattle(0.1, seed=0)
    for mode in MODES:
        view = chgnet.with_cutoff(5.0, mode)
        view.save(tmp_path / "model")  # type: ignore[attr-defined]
        loaded, _ = load_potential(str(tmp_path / "model"))
        assert loaded.cutoff == 5.0
        assert_same(loaded.predict([crystal]), view.predict([crystal]))
    view = chgnet.with_cutoff(5.0, "rescale")
    view.export(tmp_path / "native.pth.tar")  # type: ignore[attr-defined]
    native, _ = load_potential(str(tmp_path / "native.pth.tar"), dtype=torch.float64)
    assert native.cutoff == 5.0
    np.testing.assert_allclose(
        native.predict([crystal])[0].forces, view.predict([crystal])[0].forces, atol=1e-4
    )
    with pytest.raises(CapabilityError, match="no place"):
        chgnet.with_cutoff(5.0, "taper").export(tmp_path / "x")  # type: ignore[attr-defined]
    with pytest.raises(CapabilityError, match="angles reach"):
        chgnet.with_cutoff(2.5, "taper")


def test_a_transformed_distance_is_not_stretched() -> None:
    mace = small_mace()
    mace.module.radial_embedding.distance_transform = torch.nn.Identity()
    assert MacePotential(mace.module).cutoff_modes == {"truncate", "taper"}
