"""CHGNet on crystals: the contract, its own numbers, its own files, and a head of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, fcc111, molecule

pytest.importorskip("chgnet", reason="chgnet is not installed: pip install 'farfield[chgnet]'")

from farfield.errors import CapabilityError, ModelError
from farfield.graphs import neighbour_graph
from farfield.potentials.chgnet import ChgnetPotential
from farfield.potentials.chgnet.collate import collate
from farfield.potentials.chgnet.library import build, contained
from farfield.potentials.chgnet.network import HeadedNetwork
from farfield.potentials.loading import load_potential
from farfield.testing import check_potential

EXACT = 1e-8  # eV and eV/Å, float64 against float64
ROUNDING = 1e-4  # eV/Å: what float32 costs chgnet itself is up to 5e-5


def crystals() -> list[Atoms]:
    """Crystals with and without angles; in all of them atoms see images of themselves."""
    found = [
        bulk("Si", "diamond", a=5.43),
        bulk("NaCl", "rocksalt", a=5.64).repeat((1, 1, 2)),
        bulk("Na", "bcc", a=4.23, cubic=True),  # no two atoms within 3 Å: no angle
    ]
    for index, atoms in enumerate(found):
        atoms.rattle(0.1, seed=index)
    return found


def open_structures() -> list[Atoms]:
    """A slab and a molecule: not periodic in all directions, or in none."""
    slab = fcc111("Al", (1, 1, 2), vacuum=6.0)
    slab.pbc = (True, True, False)
    found = [slab, molecule("H2O")]
    for index, atoms in enumerate(found):
        atoms.rattle(0.05, seed=index)
    return found


@pytest.fixture(scope="module")
def _pretrained() -> ChgnetPotential:
    potential, _ = load_potential("chgnet", dtype=torch.float64)
    assert isinstance(potential, ChgnetPotential)
    return potential


@pytest.fixture
def chgnet(_pretrained: ChgnetPotential) -> ChgnetPotential:
    return _pretrained.clone()


def own_results(
    monkeypatch: pytest.MonkeyPatch, structures: list[Atoms], dtype: torch.dtype
) -> list[dict[str, np.ndarray]]:
    """What the package's own ASE calculator gives, in a type that it is not made for."""
    with contained():
        from chgnet.graph import converter
        from chgnet.model import dynamics, model

        monkeypatch.setattr(converter, "TORCH_DTYPE", dtype)
        monkeypatch.setattr(model, "TORCH_DTYPE", dtype)
        monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor.to(dtype))
        loaded = model.CHGNet.load(use_device="cpu", verbose=False).to(dtype)
        calculator = dynamics.CHGNetCalculator(loaded, use_device="cpu")
        results = []
        for atoms in structures:
            calculator.calculate(atoms)
            results.append(dict(calculator.results))
    return results


def test_it_keeps_the_contract_on_crystals(chgnet: ChgnetPotential) -> None:
    check_potential(chgnet, crystals())


def test_it_keeps_the_contract_on_slabs_and_molecules(chgnet: ChgnetPotential) -> None:
    check_potential(chgnet, open_structures())


def test_energies_forces_and_stresses_are_chgnets_own(
    chgnet: ChgnetPotential, monkeypatch: pytest.MonkeyPatch
) -> None:
    structures = [
        *crystals(),
        bulk("Fe", "bcc", a=2.87),
        bulk("MgO", "rocksalt", a=4.2, cubic=True),
    ]
    structures[-1].rattle(0.1, seed=9)
    found = chgnet.predict(structures)
    expected = own_results(monkeypatch, structures, torch.float64)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.energy == pytest.approx(float(theirs["energy"]), abs=EXACT)
        np.testing.assert_allclose(ours.forces, theirs["forces"], atol=EXACT)
        stress = theirs["stress"][[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
        np.testing.assert_allclose(ours.stress, stress, atol=1e-6)  # GPa to two parts in 1e8


def test_float32_is_as_exact_as_chgnets_own(monkeypatch: pytest.MonkeyPatch) -> None:
    single, _ = load_potential("chgnet")
    structures = crystals()[:2]
    expected = own_results(monkeypatch, structures, torch.float32)
    for ours, theirs in zip(single.predict(structures), expected, strict=True):
        assert abs(ours.energy - theirs["energy"]) < ROUNDING
        np.testing.assert_allclose(ours.forces, theirs["forces"], atol=ROUNDING)


def test_a_molecule_is_computed_as_one_in_a_large_cell(chgnet: ChgnetPotential) -> None:
    alone = molecule("CH3OH")
    alone.rattle(0.05, seed=1)
    boxed = alone.copy()
    boxed.set_cell([20.0, 21.0, 22.0])
    boxed.pbc = True
    first, second = chgnet.predict([alone, boxed])
    assert first.stress is None and second.stress is not None
    assert first.energy == pytest.approx(second.energy, abs=EXACT)
    np.testing.assert_allclose(first.forces, second.forces, atol=EXACT)


def test_bonds_and_angles_are_those_that_chgnet_builds() -> None:
    with contained():
        from chgnet.graph import CrystalGraphConverter
        from pymatgen.io.ase import AseAtomsAdaptor

    converter = CrystalGraphConverter(atom_graph_cutoff=6, bond_graph_cutoff=3)
    for atoms in crystals():
        with contained():
            theirs = converter(AseAtomsAdaptor.get_structure(atoms))
        graph = neighbour_graph(atoms, 6.0)
        ours = collate([graph], [0], 3.0, torch.float64, torch.device("cpu"))
        assert len(ours.edges) == len(theirs.atom_graph)
        assert len(ours.edge_of_bond) == len(theirs.undirected2directed)
        assert len(ours.angles) == len(theirs.bond_graph)
        assert torch.bincount(ours.bond_of_edge).unique().tolist() == [2]
        reverse = graph.distances[ours.edge_of_bond.numpy()][ours.bond_of_edge.numpy()]
        np.testing.assert_allclose(reverse, graph.distances, atol=1e-12)


def test_stress_is_the_derivative_of_the_energy(chgnet: ChgnetPotential) -> None:
    crystal, step = crystals()[1], 1e-4
    strain = np.array([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 1.0]])
    energies = []
    for sign in (1, -1):
        strained = crystal.copy()
        strained.set_cell(crystal.cell @ (np.eye(3) + sign * step * strain), scale_atoms=True)
        energies.append(chgnet.predict([strained])[0].energy)
    numerical = (energies[0] - energies[1]) / (2 * step) / crystal.get_volume()
    stress = chgnet.predict([crystal])[0].stress
    assert stress is not None
    assert stress[2] + stress[5] == pytest.approx(numerical, abs=1e-6)  # zz and xy


def test_isolated_atoms_are_a_defined_case(chgnet: ChgnetPotential) -> None:
    atom = Atoms("Fe")
    both = Atoms("FeFe", [(0, 0, 0), (0, 0, 9.0)])
    one, two = chgnet.predict([atom, both])
    assert np.abs(one.forces).max() == 0.0
    assert two.energy == pytest.approx(2 * one.energy, abs=EXACT)


def test_elements_without_training_data_are_refused(chgnet: ChgnetPotential) -> None:
    assert len(chgnet.species) == 89
    with pytest.raises(ModelError, match="Po"):
        chgnet.predict([bulk("Po", "sc", a=3.35)])


def test_a_head_can_be_fitted_while_the_old_one_stays(chgnet: ChgnetPotential) -> None:
    structures = crystals()[:1]
    before = chgnet.predict(structures)
    grown = chgnet.with_head("cheap", {14: -2.0}, scale=0.5)
    optimiser = torch.optim.Adam(grown.head_parameters().values(), lr=3e-3)
    batch = grown.batch(structures, "cheap")
    wanted = torch.tensor(before[0].forces)  # twice the new head's: the factor must be learnt
    losses = []
    for _ in range(10):
        optimiser.zero_grad()
        loss = (grown.forward(batch, training=True).forces - wanted).pow(2).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    for one, two in zip(grown.predict(structures), before, strict=True):
        assert one.energy == two.energy
        np.testing.assert_array_equal(one.forces, two.forces)
    with pytest.raises(CapabilityError, match="already"):
        grown.with_head("cheap", {})
    with pytest.raises(ModelError, match=r"Cu.*'cheap'"):
        grown.predict([bulk("Cu")], "cheap")


def test_every_head_can_be_exported_for_chgnet(chgnet: ChgnetPotential, tmp_path: Path) -> None:
    structures = crystals()[:2]
    grown = chgnet.with_head("cheap", dict.fromkeys(chgnet.species, -1.0), scale=0.5)
    for head in grown.heads:
        path = tmp_path / f"{head}.pth.tar"
        grown.export(path, head)
        with contained():
            from chgnet.model.dynamics import CHGNetCalculator

            calculator = CHGNetCalculator.from_file(str(path), use_device="cpu")
            native, rule = load_potential(str(path), dtype=torch.float64)
        assert rule == {} and len(native.heads) == 1
        ours = grown.predict(structures, head)
        for atoms, prediction, again in zip(
            structures, ours, native.predict(structures), strict=True
        ):
            calculator.calculate(atoms)
            assert abs(calculator.results["energy"] - prediction.energy) < ROUNDING
            np.testing.assert_allclose(
                calculator.results["forces"], prediction.forces, atol=ROUNDING
            )
            assert again.energy == pytest.approx(prediction.energy, abs=ROUNDING)
    partial = chgnet.with_head("partial", {14: 0.0})
    with pytest.raises(CapabilityError, match="export the head 'reference'"):
        partial.export(tmp_path / "partial.pth.tar", "partial")


def test_a_file_keeps_heads_type_and_missing_energies(
    chgnet: ChgnetPotential, tmp_path: Path
) -> None:
    silicon = crystals()[:1]
    grown = chgnet.with_head("cheap", {14: -2.0})
    grown.metadata["strategy"] = "retrofit"
    grown.save(tmp_path / "model")
    loaded, _ = load_potential(str(tmp_path / "model"))
    assert isinstance(loaded, ChgnetPotential)
    assert loaded.heads == ("reference", "cheap") and loaded.dtype == torch.float64
    assert loaded.head_species("cheap") == {14}
    assert loaded.metadata == {"strategy": "retrofit"}
    assert loaded.predict(silicon, "cheap")[0].energy == grown.predict(silicon, "cheap")[0].energy
    single, _ = load_potential(str(tmp_path / "model"), dtype=torch.float32)
    assert isinstance(single, ChgnetPotential) and single.dtype == torch.float32
    assert single.network.energies.dtype == torch.float64


def test_no_parameter_is_left_out_but_those_without_effect(chgnet: ChgnetPotential) -> None:
    named = {**chgnet.representation_parameters(), **chgnet.head_parameters()}
    rest = {name: value for name, value in chgnet.network.named_parameters() if name not in named}
    assert {name.split(".")[1] for name in rest} == {"site_wise", "angle_layers"}
    before = chgnet.predict(crystals()[:1])[0]
    with torch.no_grad():
        for value in rest.values():
            value.add_(1.0)
    np.testing.assert_array_equal(chgnet.predict(crystals()[:1])[0].forces, before.forces)
    order = [name.split(".")[1:3] for name in chgnet.representation_parameters()]
    layers = [int(number) for part, number in order if part.endswith(("conv_layers", "_layers"))]
    assert layers == sorted(layers)


def test_the_early_part_is_the_embeddings_and_the_first_layers(chgnet: ChgnetPotential) -> None:
    early = chgnet.early_parameters()
    rest = [name for name in chgnet.representation_parameters() if name not in early]
    for part in ("atom_conv_layers", "bond_conv_layers", "angle_layers"):
        assert {name.split(".")[2] for name in early if f".{part}." in name} == {"0"}
        assert not [name for name in rest if f".{part}.0." in name]
    assert not [name for name in rest if "embedding" in name]
    assert not [name for name in early if "readout_norm" in name]


def test_building_a_model_prints_nothing_and_draws_no_random_number(
    chgnet: ChgnetPotential, capfd: pytest.CaptureFixture[str]
) -> None:
    before = torch.get_rng_state()
    build(chgnet.network.arguments)
    load_potential("chgnet")
    assert torch.equal(before, torch.get_rng_state())
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    "arguments", [{"mlp_first": False}, {"update_angle": False}, {"mlp_out_bias": True}]
)
def test_other_kinds_of_chgnet_are_refused(arguments: dict[str, bool]) -> None:
    with pytest.raises(CapabilityError, match="this CHGNet"):
        HeadedNetwork(build(arguments))


def test_a_file_that_is_no_chgnet_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.pth.tar").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="not a readable CHGNet"):
        load_potential(str(tmp_path / "broken.pth.tar"))
