"""SchNet, PaiNN, NequIP and TensorNet: the contract, native files, types, stress and heads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk

pytest.importorskip("graph_pes", reason="not installed: pip install 'farfield[graphpes]'")

from farfield.errors import CapabilityError, ConfigError, ModelError
from farfield.potentials.create import create
from farfield.potentials.graphpes import SETTINGS
from farfield.potentials.graphpes.network import LAYERED
from farfield.potentials.headed import HeadedPotential
from farfield.potentials.loading import load_potential
from farfield.potentials.network import HeadTable
from farfield.testing import check_potential

ENERGIES = {1: -13.6, 6: -1029.5, 7: -1485.0, 8: -2042.0}
ARCHITECTURES = tuple(SETTINGS)
NATIVE = """
import sys, numpy, torch
from pathlib import Path
from ase.io import read
from graph_pes.models import load_model
torch.set_default_dtype(torch.float64)
folder = Path(sys.argv[1])
for path in folder.glob("*.pt"):
    atoms = read(folder / "crystal.json")
    atoms.calc = load_model(path).ase_calculator(skin=0.0)
    results = [[atoms.get_potential_energy()], atoms.get_forces().ravel(), atoms.get_stress()]
    numpy.save(path.with_suffix(".npy"), numpy.concatenate(results))
assert not any(name.startswith("farfield") for name in sys.modules)
"""


def small(architecture: str, seed: int = 0, **settings: object) -> HeadedPotential:
    """A model with two heads and random weights."""
    given = {"channels": 6, "layers": 2, "dtype": "float64", **settings}
    potential = create(
        architecture,
        given,
        structures=[bulk("C", "diamond", a=3.6)],
        heads={"reference": ENERGIES, "gfn2": {z: e / 50 for z, e in ENERGIES.items()}},
        scales={"reference": 1.0, "gfn2": 1.3},
        seed=seed,
    )
    assert isinstance(potential, HeadedPotential)
    return potential


@pytest.fixture(params=ARCHITECTURES)
def potential(request: pytest.FixtureRequest) -> HeadedPotential:
    return small(request.param)


def test_it_keeps_the_contract(potential: HeadedPotential, structures: list[Atoms]) -> None:
    check_potential(potential, structures)


def test_nequip_with_both_parities_keeps_the_contract(structures: list[Atoms]) -> None:
    check_potential(small("nequip", channels=3, max_ell=2, parity=True), structures[2:])


def test_native_files_give_the_same_without_farfield(
    structures: list[Atoms], tmp_path: Path
) -> None:
    crystal = structures[-1]
    crystal.write(tmp_path / "crystal.json")
    models = {}
    for architecture in ARCHITECTURES:
        grown = small(architecture).with_head("other", dict.fromkeys(ENERGIES, -2.0), 0.5)
        grown.export(tmp_path / f"{architecture}.pt", "other")
        models[architecture] = grown
    command = [sys.executable, "-W", "ignore", "-c", NATIVE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for architecture, grown in models.items():
        found = np.load(tmp_path / f"{architecture}.npy")
        ours = grown.predict([crystal], "other")[0]
        assert ours.stress is not None
        assert found[0] == pytest.approx(ours.energy, abs=1e-6)
        np.testing.assert_allclose(found[1:-6], ours.forces.ravel(), atol=1e-8)
        np.testing.assert_allclose(found[-6:], ours.stress, atol=1e-8)


def test_stress_is_the_derivative_of_the_energy(
    potential: HeadedPotential, structures: list[Atoms]
) -> None:
    crystal, step = structures[-1], 1e-4
    strain = np.array([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 1.0]])
    energies = []
    for sign in (1, -1):
        strained = crystal.copy()
        strained.set_cell(crystal.cell @ (np.eye(3) + sign * step * strain), scale_atoms=True)
        energies.append(potential.predict([strained])[0].energy)
    numerical = (energies[0] - energies[1]) / (2 * step) / crystal.get_volume()
    stress = potential.predict([crystal])[0].stress
    assert stress is not None and np.abs(stress).max() > 1e-6
    assert stress[2] + stress[5] == pytest.approx(numerical, rel=1e-4, abs=1e-8)


def test_a_file_keeps_heads_type_and_missing_energies(
    potential: HeadedPotential, structures: list[Atoms], tmp_path: Path
) -> None:
    grown = potential.with_head("cheap", {6: -2.0}, 0.5)
    grown.metadata["strategy"] = "retrofit"
    grown.save(tmp_path / "model")
    loaded, _ = load_potential(str(tmp_path / "model"))
    assert isinstance(loaded, HeadedPotential)
    assert loaded.heads == ("reference", "gfn2", "cheap") and loaded.dtype == torch.float64
    assert loaded.head_species("cheap") == {6} and loaded.species == set(ENERGIES)
    assert loaded.metadata == {"strategy": "retrofit", "architecture": grown.network.architecture}
    with pytest.raises(ModelError, match=r"'cheap'"):
        loaded.predict(structures[:1], "cheap")
    with pytest.raises(CapabilityError, match="export the head 'reference'"):
        loaded.export(tmp_path / "native.pt", "cheap")
    single, _ = load_potential(str(tmp_path / "model"), dtype=torch.float32)
    assert isinstance(single, HeadedPotential) and single.dtype == torch.float32
    for one, two in zip(single.predict(structures), grown.predict(structures), strict=True):
        assert one.energy == pytest.approx(two.energy, abs=1e-4)
        np.testing.assert_allclose(one.forces, two.forces, atol=1e-4)


def test_float32_keeps_large_energies_exact(structures: list[Atoms]) -> None:
    exact, single = small("painn"), small("painn", dtype="float32")
    with torch.no_grad():
        for ours, theirs in zip(
            exact.network.parameters(), single.network.parameters(), strict=True
        ):
            ours.copy_(theirs)
    energies = [model.predict(structures[2:3])[0].energy for model in (exact, single)]
    assert abs(energies[0]) > 5000
    assert energies[0] == pytest.approx(energies[1], abs=2e-6)


def test_atoms_without_neighbours_feel_nothing(potential: HeadedPotential) -> None:
    one, two = potential.predict([Atoms("C"), Atoms("CC", [(0, 0, 0), (0, 0, 9.0)])])
    assert np.abs(one.forces).max() == 0.0 and np.abs(two.forces).max() == 0.0
    assert two.energy == pytest.approx(2 * one.energy, abs=1e-9)


def test_only_schnet_has_weight_beyond_its_cutoff(
    potential: HeadedPotential, structures: list[Atoms]
) -> None:
    if potential.network.architecture != "schnet":
        with pytest.raises(CapabilityError, match="would change nothing"):
            potential.with_cutoff(6.0, "truncate")
        return
    before = potential.predict(structures[-1:])[0]
    after = potential.with_cutoff(6.0, "truncate").predict(structures[-1:])[0]
    assert np.abs(after.forces - before.forces).max() > 1e-6


def test_a_head_can_be_fitted_while_the_old_one_stays(
    potential: HeadedPotential, structures: list[Atoms]
) -> None:
    before = potential.predict(structures[:1])
    grown = potential.with_head("cheap", ENERGIES, scale=0.5)
    optimiser = torch.optim.Adam(grown.head_parameters().values(), lr=1e-2)
    batch = grown.batch(structures[:1], "cheap")
    wanted = torch.tensor(before[0].forces)
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = (grown.forward(batch, training=True).forces - wanted).pow(2).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    for one, two in zip(grown.predict(structures[:1]), before, strict=True):
        assert one.energy == two.energy
        np.testing.assert_array_equal(one.forces, two.forces)
    with pytest.raises(CapabilityError, match="already"):
        grown.with_head("cheap", {})


def test_all_parameters_are_declared_in_the_order_of_layers(potential: HeadedPotential) -> None:
    declared = {**potential.representation_parameters(), **potential.head_parameters()}
    rest = [name for name, _ in potential.network.named_parameters() if name not in declared]
    assert all(name.endswith("aggregation.scale") for name in rest)
    parts = [name.split(".")[1:3] for name in potential.representation_parameters()]
    layers = [int(number) for _, number in parts if number.isdigit()]
    assert layers == sorted(layers) and set(layers) == {0, 1}


def test_the_early_part_is_the_embeddings_and_the_first_layer(potential: HeadedPotential) -> None:
    early = potential.early_parameters()
    first = {name.split(".")[2] for name in early if name.split(".")[1] in LAYERED}
    rest = {name.split(".")[2] for name in potential.representation_parameters().keys() - early}
    assert (first, rest) == ({"0"}, {"1"})
    assert any("embedding" in name.split(".")[1] for name in early)
    with pytest.raises(CapabilityError, match="single layer"):
        small(potential.network.architecture, layers=1).early_parameters()


def test_the_seed_decides_the_weights_and_nothing_else() -> None:
    before = torch.get_rng_state()
    first, again, other = small("painn"), small("painn"), small("painn", seed=1)
    assert torch.equal(before, torch.get_rng_state())
    weights = [
        model.state()["readouts.0.linear_layers.0.weight"] for model in (first, again, other)
    ]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_unknown_settings_and_states_are_told(potential: HeadedPotential) -> None:
    with pytest.raises(ConfigError, match="did you mean 'channels'"):
        small(potential.network.architecture, chanels=3)
    with pytest.raises(ModelError, match="not that of"):
        potential.restore({})


def test_the_table_of_heads_keeps_what_it_is_given() -> None:
    table = HeadTable({"a": {1: -1.5}, "b": {1: 2.0, 6: 3.0}}, {"a": 1.0, "b": 0.5})
    table.add("c", {6: 1.0}, 2.0)
    assert table.names == ("a", "b", "c") and table.scales.tolist() == [1.0, 0.5, 2.0]
    assert table.species("a") == {1} and table.species("b") == {1, 6}
    assert table.energies.dtype == torch.float64 and float(table.energies[1, 6]) == 3.0
