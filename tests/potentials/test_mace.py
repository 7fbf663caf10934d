"""What is MACE's own: native files, its neighbour list, float32, and a quiet import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms

from farfield.errors import CapabilityError, ConfigError, ModelError
from farfield.potentials.create import create
from farfield.potentials.loading import load_potential
from farfield.potentials.mace import MacePotential
from farfield.testing import check_potential

from .conftest import ENERGIES, small_mace


def test_a_native_file_with_one_head_passes_the_contract(
    mace: MacePotential, structures: list[Atoms], tmp_path: Path
) -> None:
    mace.export(tmp_path / "one.model", "gfn2")
    loaded, rule = load_potential(str(tmp_path / "one.model"))
    assert rule == {} and len(loaded.heads) == 1
    for ours, native in zip(
        mace.predict(structures, "gfn2"), loaded.predict(structures), strict=True
    ):
        assert native.energy == pytest.approx(ours.energy, abs=1e-9)
        np.testing.assert_allclose(native.forces, ours.forces, atol=1e-9)
    check_potential(loaded, structures)


def test_the_graph_is_the_one_that_mace_itself_builds(
    mace: MacePotential, structures: list[Atoms]
) -> None:
    from mace.data import get_neighborhood

    for atoms in structures:
        cell = np.asarray(atoms.cell) if atoms.pbc.any() else None
        edges, shifts, _, _ = get_neighborhood(
            atoms.positions, mace.cutoff, tuple(map(bool, atoms.pbc)), cell
        )
        graph = mace.graph(atoms)
        ours = zip(graph.senders, graph.receivers, graph.shifts @ graph.cell, strict=True)
        theirs = zip(*edges, shifts, strict=True)
        assert sorted((i, j, *np.round(s, 6) + 0.0) for i, j, s in ours) == sorted(
            (i, j, *np.round(s, 6) + 0.0) for i, j, s in theirs
        )


def test_energies_keep_their_digits_in_float32(structures: list[Atoms]) -> None:
    """At thousands of eV float32 resolves 0.5 meV; the isolated-atom part must not suffer."""
    double = small_mace()
    single = small_mace(dtype="float32")
    state = {
        key: value.float() for key, value in double.state().items() if value.dtype.is_floating_point
    }
    state = {**single.state(), **state}
    state["atomic_energies_fn.atomic_energies"] = double.state()[
        "atomic_energies_fn.atomic_energies"
    ]
    single.restore(state)
    for one, two in zip(single.predict(structures), double.predict(structures), strict=True):
        assert abs(one.energy - two.energy) < 2e-5


def test_a_stress_for_crystals_and_none_for_molecules(
    mace: MacePotential, structures: list[Atoms]
) -> None:
    molecule, crystal = structures[0], structures[-1]
    assert mace.predict([molecule])[0].stress is None
    stress = mace.predict([crystal, molecule])[0].stress
    assert stress is not None
    strain, energies = 1e-4, []
    for sign in (1, -1):
        strained = crystal.copy()
        strained.set_cell(crystal.cell @ np.diag([1 + sign * strain, 1, 1]), scale_atoms=True)
        energies.append(mace.predict([strained])[0].energy)
    numerical = (energies[0] - energies[1]) / (2 * strain) / crystal.get_volume()
    assert stress[0] == pytest.approx(numerical, abs=1e-6)


def test_the_seed_gives_the_weights_and_torch_keeps_its_own() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, again, other = small_mace(1), small_mace(1), small_mace(2)
    assert torch.equal(before, torch.get_rng_state())
    pairs = zip(first.state().values(), again.state().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert any(
        not torch.equal(a, b)
        for a, b in zip(first.state().values(), other.state().values(), strict=True)
    )


def test_unknown_architecture_and_settings_are_told() -> None:
    arguments = {"structures": [], "heads": {"reference": ENERGIES}, "scales": {"reference": 1.0}}
    with pytest.raises(ConfigError, match="did you mean 'mace'"):
        create("mce", {}, seed=0, **arguments)
    with pytest.raises(ConfigError, match="did you mean 'channels'"):
        create("mace", {"chanels": 3}, seed=0, **arguments)


def test_heads_have_their_own_names_and_energies(mace: MacePotential) -> None:
    with pytest.raises(CapabilityError, match="already"):
        mace.with_head("gfn2", ENERGIES)


def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    for name in ("broken.model", "broken.pt"):
        (tmp_path / name).write_bytes(b"not a model")
        with pytest.raises(ModelError, match="not a readable"):
            load_potential(str(tmp_path / name))


def test_importing_mace_leaves_the_process_as_it_was() -> None:
    code = (
        "import os, torch\n"
        "from farfield.potentials.mace.library import mace_modules\n"
        "mace_modules()\n"
        "assert 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD' not in os.environ\n"
        "assert torch.get_default_dtype() is torch.float32\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)  # set by another test's import
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
