"""GemNet-T and GemNet-dT: basis, triplets, physics, scaling factors and files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, molecule
from scipy.special import eval_legendre, spherical_jn

from farfield.errors import CapabilityError, ConfigError
from farfield.graphs import neighbour_graph
from farfield.potentials.batches import collate
from farfield.potentials.create import create
from farfield.potentials.gemnet import ARCHITECTURES, GemnetSettings
from farfield.potentials.gemnet.basis import CircularBasis, RadialBasis, bessel_roots, envelope
from farfield.potentials.gemnet.blocks import BilinearLayer, TripletInteraction
from farfield.potentials.gemnet.layers import Scaling
from farfield.potentials.gemnet.neighbours import meetings
from farfield.potentials.headed import HeadedPotential
from farfield.potentials.loading import load_potential
from farfield.testing import check_potential

ENERGIES = {1: -13.6, 6: -1029.5, 7: -1485.0, 8: -2042.0}
WIDTHS = ("atom_channels", "edge_channels", "triplet_channels", "bilinear_channels")
SMALL = {**dict.fromkeys(WIDTHS, 8), "basis_channels": 4, "dtype": "float64"}
CUTOFF = 4.5


def structures() -> list[Atoms]:
    """Molecules of different sizes, and a small cell with images of its own atoms."""
    diamond = bulk("C", "diamond", a=3.6)
    found = [molecule(name) for name in ("CH3OH", "HCN", "CH3CONH2")] + [diamond]
    for index, atoms in enumerate(found):
        atoms.rattle(0.08, seed=index)
    return found


def small(architecture: str, seed: int = 0, **settings: object) -> HeadedPotential:
    """A model with two heads and random weights."""
    potential = create(
        architecture,
        {**SMALL, **settings},
        structures=structures(),
        heads={"reference": ENERGIES, "gfn2": {z: e / 50 for z, e in ENERGIES.items()}},
        scales={"reference": 1.0, "gfn2": 1.3},
        seed=seed,
    )
    assert isinstance(potential, HeadedPotential)
    return potential


@pytest.fixture(params=ARCHITECTURES)
def potential(request: pytest.FixtureRequest) -> HeadedPotential:
    return small(request.param)


def test_it_keeps_the_contract(potential: HeadedPotential) -> None:
    check_potential(potential, structures())


def test_the_early_part_ends_with_the_first_block(potential: HeadedPotential) -> None:
    early = potential.early_parameters()
    rest = potential.representation_parameters().keys() - early
    assert {name.split(".")[2] for name in early if ".blocks." in name} == {"0"}
    assert {name.split(".")[1] for name in rest} == {"blocks", "for_output"}
    with pytest.raises(CapabilityError, match="single layer"):
        small(potential.network.architecture, n_blocks=1).early_parameters()


def test_forces_of_t_are_the_gradient_in_every_component_and_those_of_dt_are_not() -> None:
    atoms, step = structures()[0], 1e-4
    for architecture in ARCHITECTURES:
        model = small(architecture)
        forces = model.predict([atoms])[0].forces
        numerical = np.zeros_like(forces)
        for index in np.ndindex(*forces.shape):
            energies = []
            for sign in (1, -1):
                moved = atoms.copy()
                moved.positions[index] += sign * step
                energies.append(model.predict([moved])[0].energy)
            numerical[index] = -(energies[0] - energies[1]) / (2 * step)
        apart = np.abs(forces - numerical).max()
        assert apart < 1e-6 if model.conservative else apart > 0.1


def test_forces_of_t_sum_to_zero_and_have_no_torque() -> None:
    atoms = structures()[2]
    forces = small("gemnet-t").predict([atoms])[0].forces
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-10)
    np.testing.assert_allclose(np.cross(atoms.positions, forces).sum(axis=0), 0.0, atol=1e-10)


def test_a_mirror_image_has_mirrored_forces(potential: HeadedPotential) -> None:
    atoms = structures()[2]
    mirrored = atoms.copy()
    mirrored.positions[:, 0] *= -1.0
    one, two = potential.predict([atoms, mirrored])
    assert two.energy == pytest.approx(one.energy, abs=1e-9)
    np.testing.assert_allclose(two.forces, one.forces * (-1.0, 1.0, 1.0), atol=1e-10)


def test_it_is_smooth_where_an_atom_leaves_the_cutoff(potential: HeadedPotential) -> None:
    def moved(distance: float) -> Atoms:
        return Atoms("OHHC", [(0, 0, 0), (0.96, 0, 0), (-0.24, 0.93, 0), (0, 0, distance)])

    inside, outside = potential.predict([moved(CUTOFF - 1e-3), moved(CUTOFF + 1e-3)])
    far = potential.predict([moved(CUTOFF - 0.3)])[0]
    assert abs(far.energy - outside.energy) > 1e-5  # so there was something to fade out
    assert inside.energy == pytest.approx(outside.energy, abs=1e-7)
    np.testing.assert_allclose(inside.forces, outside.forces, atol=1e-4)


def test_it_sees_angles_that_no_distance_within_the_cutoff_tells(
    potential: HeadedPotential,
) -> None:
    def bent(angle: float) -> Atoms:
        third = 2.5 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0])
        return Atoms("COH", [(0, 0, 0), (2.5, 0, 0), third])

    one, two = potential.predict([bent(130.0), bent(175.0)])  # O and H are 4.53 and 5 Å apart
    assert abs(one.energy - two.energy) > 1e-5


def test_stress_is_the_derivative_of_the_energy_and_dt_has_none() -> None:
    crystal, step = structures()[-1], 1e-4
    assert small("gemnet-dt").predict([crystal])[0].stress is None
    model = small("gemnet-t")
    strain = np.array([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 1.0]])
    energies = []
    for sign in (1, -1):
        strained = crystal.copy()
        strained.set_cell(crystal.cell @ (np.eye(3) + sign * step * strain), scale_atoms=True)
        energies.append(model.predict([strained])[0].energy)
    numerical = (energies[0] - energies[1]) / (2 * step) / crystal.get_volume()
    stress = model.predict([crystal])[0].stress
    assert stress is not None and abs(numerical) > 1e-4
    assert stress[2] + stress[5] == pytest.approx(numerical, rel=1e-5)


def test_dt_declares_what_it_lacks() -> None:
    model = small("gemnet-dt")
    assert not model.conservative and small("gemnet-t").conservative
    with pytest.raises(CapabilityError, match="GemNet-dT has no native file"):
        model.export(Path("nowhere"))


def test_atoms_without_neighbours_and_pairs_are_defined(potential: HeadedPotential) -> None:
    apart = Atoms("CC", [(0, 0, 0), (0, 0, 9.0)])
    one, two, pair = potential.predict([Atoms("C"), apart, Atoms("CO", [(0, 0, 0), (0, 0, 1.1)])])
    assert np.abs(one.forces).max() == 0.0 and np.abs(two.forces).max() == 0.0
    assert one.energy == pytest.approx(ENERGIES[6], abs=1e-9)
    assert two.energy == pytest.approx(2 * ENERGIES[6], abs=1e-9)
    assert np.abs(pair.forces[:, 2]).min() > 1e-3


def test_float32_is_good_at_short_distances(potential: HeadedPotential) -> None:
    single = small(potential.network.architecture, dtype="float32", n_spherical=7)
    exact = small(potential.network.architecture, n_spherical=7)
    exact.restore(single.state())
    hydrogen = Atoms("HHO", [(0, 0, 0), (0, 0, 0.7), (0, 1.0, 0.3)])
    one, two = single.predict([hydrogen])[0], exact.predict([hydrogen])[0]
    assert np.abs(two.forces).max() > 0.1
    np.testing.assert_allclose(one.forces, two.forces, atol=1e-4 * np.abs(two.forces).max())


def test_the_basis_functions_are_those_of_scipy() -> None:
    roots = bessel_roots(5, 4)
    orders = np.arange(5)[:, None]
    np.testing.assert_allclose(spherical_jn(orders, roots), 0.0, atol=1e-12)
    np.testing.assert_allclose(roots[1, :2], [4.493409457909064, 7.725251836937707])
    circular = CircularBasis(5, 4, CUTOFF, 5)
    distances = torch.linspace(0.7, 4.4, 9, dtype=torch.float64)
    x = distances.numpy()[:, None, None] / CUTOFF
    sizes = np.sqrt(2 / CUTOFF**3) / np.abs(spherical_jn(orders + 1, roots))
    expected = sizes * spherical_jn(orders[None], roots * x)
    expected *= envelope(torch.as_tensor(x), 5).numpy()
    np.testing.assert_allclose(circular.radial(distances), expected, atol=1e-12)
    cosines = torch.linspace(-1.0, 1.0, 7, dtype=torch.float64)
    legendre = [
        np.sqrt((2 * k + 1) / (4 * np.pi)) * eval_legendre(k, cosines.numpy()) for k in range(5)
    ]
    np.testing.assert_allclose(circular.angular(cosines), np.stack(legendre, axis=1), atol=1e-12)


def test_the_radial_functions_are_orthogonal_without_the_envelope() -> None:
    r = torch.linspace(1e-4, CUTOFF, 20001, dtype=torch.float64)
    radial = RadialBasis(3, CUTOFF, 5).double()(r)[:-1] / envelope(r / CUTOFF, 5)[:-1, None]
    r = r[:-1]
    overlaps = torch.trapezoid(
        radial[:, :, None] * radial[:, None, :] * r[:, None, None] ** 2, r, dim=0
    )
    np.testing.assert_allclose(overlaps.detach(), np.eye(3), atol=1e-3)


@pytest.mark.parametrize("exponent", [5, 6])
def test_the_envelope_ends_with_two_derivatives(exponent: int) -> None:
    x = torch.tensor([1.0 - 1e-9, 0.5], dtype=torch.float64, requires_grad=True)
    value = envelope(x, exponent)
    first = torch.autograd.grad(value.sum(), x, create_graph=True)[0]
    second = torch.autograd.grad(first.sum(), x)[0]
    assert max(abs(tensor.detach()[0]) for tensor in (value, first, second)) < 1e-6
    assert first.detach()[1] < -0.1
    assert float(envelope(torch.tensor(1e-9), exponent)) == 1.0


def test_edges_meet_those_into_the_same_atom() -> None:
    chosen = [structures()[0], structures()[-1], Atoms("C")]
    graphs = [neighbour_graph(atoms, 2.7) for atoms in chosen]
    batch = collate(graphs, [0, 0, 0], torch.float64, torch.device("cpu"))
    meet = meetings(batch)
    senders, receivers = batch.edges
    vectors = batch.vectors()
    assert torch.equal(senders[meet.reverse], receivers)
    np.testing.assert_allclose(vectors[meet.reverse], -vectors, atol=1e-12)
    for edge in range(len(receivers)):
        found = meet.others[edge][meet.exists[edge] > 0].tolist()
        expected = [
            other
            for other in range(len(receivers))
            if receivers[other] == receivers[edge] and other != edge
        ]
        assert sorted(found) == expected


def test_the_bilinear_layer_is_the_sum_over_triplets() -> None:
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    layer = BilinearLayer(3, 2, 4).double()
    radial, angular, messages = normal(5, 6, 2), normal(5, 7, 6), normal(5, 7, 3)
    naive = torch.zeros(5, 4, dtype=torch.float64)
    for edge in range(5):
        for other in range(7):
            basis = torch.einsum("lb,l->b", radial[edge], angular[edge, other])
            naive[edge] += torch.einsum("b,i,ibo->o", basis, messages[edge, other], layer.weight)
    np.testing.assert_allclose(
        layer(radial, angular, messages).detach(), naive.detach(), atol=1e-12
    )


def test_triplet_messages_go_to_the_edge_and_back() -> None:
    size = GemnetSettings(**dict.fromkeys(WIDTHS, 4), basis_channels=3)
    layer = TripletInteraction(size).double()
    graph = neighbour_graph(structures()[1], CUTOFF)
    batch = collate([graph], [0], torch.float64, torch.device("cpu"))
    meet, n_edges = meetings(batch), batch.edges.shape[1]
    generator = torch.Generator().manual_seed(0)
    shapes = ((n_edges, 4), (n_edges, 3), (n_edges, 2, 3), (n_edges, n_edges, 2))
    m, radial, circular, angles = (
        torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes
    )
    with torch.no_grad():
        here = torch.arange(n_edges)[:, None]
        angular = angles[here, meet.others] * meet.exists[..., None]
        found = layer(m, radial, (circular, angular), meet)
        x = layer.down(layer.dense(m) * layer.of_radial(radial))
        summed = torch.zeros(n_edges, 4, dtype=torch.float64)
        for edge, other in np.ndindex(n_edges, n_edges):
            if edge != other and batch.edges[1, edge] == batch.edges[1, other]:
                basis = torch.einsum("lb,l->b", circular[edge], angles[edge, other])
                weight = layer.bilinear.weight
                summed[edge] += torch.einsum("b,i,ibo->o", basis, x[other], weight)
        up, back = layer.up(summed), layer.up_reverse(summed)
        for edge, (sender, receiver) in enumerate(batch.edges.T.tolist()):
            reverse = batch.edges.T.tolist().index([receiver, sender])
            expected = (up[edge] + back[reverse]) / 2**0.5
            np.testing.assert_allclose(found[edge], expected, atol=1e-12)


def test_scaling_factors_are_measured_once_and_kept(
    potential: HeadedPotential, tmp_path: Path
) -> None:
    scalings = [m for m in potential.network.modules() if isinstance(m, Scaling)]
    factors = torch.stack([scaling.factor for scaling in scalings])
    assert (factors != 1.0).all() and not any(scaling.measuring for scaling in scalings)
    values = torch.randn(200, 3) * 5.0
    scaling = Scaling()
    scaling.measuring = True
    assert float(scaling(values, values / 10).std()) == pytest.approx(0.5, rel=0.1)
    potential.save(tmp_path / "model")
    loaded, _ = load_potential(str(tmp_path / "model"))
    assert isinstance(loaded, HeadedPotential) and loaded.dtype == torch.float64
    again = [m.factor for m in loaded.network.modules() if isinstance(m, Scaling)]
    assert torch.equal(torch.stack(again), factors)


def test_unknown_settings_are_told() -> None:
    with pytest.raises(ConfigError, match="did you mean 'edge_channels'"):
        small("gemnet-t", edge_chanels=3)
