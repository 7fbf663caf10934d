"""h(r), g(r) and the distribution that they share."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.geometry.rdf import get_rdf

from farfield.errors import ConfigError, StructureError
from farfield.simulation.observables import interatomic_distances, radial_distribution
from tests.simulation.observables.made import moving

WATER = molecule("H2O")


def rattled(count: int, size: float, seed: int) -> list[Atoms]:
    rng = np.random.default_rng(seed)
    shape = (count, len(WATER), 3)
    return moving(WATER.positions + size * rng.standard_normal(shape), "OH2")


def test_every_distance_counts_once_and_the_density_integrates_to_one() -> None:
    found = interatomic_distances([WATER, WATER], width=0.01, reach=5.0)
    assert found.samples == 6
    assert found.density.sum() * 0.01 == pytest.approx(1.0)
    where = found.edges[np.flatnonzero(found.density)]
    assert where == pytest.approx([0.96, 1.52])  # O-H twice, H-H
    assert found.density.max() * 0.01 == pytest.approx(2 / 3)
    assert found.mean == pytest.approx(np.mean(WATER.get_all_distances()[np.triu_indices(3, 1)]),
                                       abs=0.005)  # fmt: skip


def test_difference_is_0_for_the_same_and_2_for_strangers() -> None:
    near = interatomic_distances([molecule("H2")])
    far = interatomic_distances([Atoms("H2", [[0, 0, 0], [3, 0, 0]])])
    lost = interatomic_distances([Atoms("H2", [[0, 0, 0], [3e6, 0, 0]])])
    half = interatomic_distances([molecule("H2"), Atoms("H2", [[0, 0, 0], [3e6, 0, 0]])])
    assert near.difference(near) == 0.0
    assert near.difference(far) == pytest.approx(2.0)
    assert near.difference(lost) == pytest.approx(2.0)
    assert near.difference(half) == half.difference(near) == pytest.approx(1.0)
    assert lost.beyond == 1.0


def test_difference_tells_a_colder_trajectory_from_another_sample() -> None:
    reference = interatomic_distances(rattled(3000, 0.05, 0))
    again = interatomic_distances(rattled(3000, 0.05, 1))
    colder = interatomic_distances(rattled(3000, 0.025, 2))
    assert reference.difference(again) < 0.15
    assert reference.difference(colder) > 0.5


def test_distributions_on_other_grids_are_not_compared() -> None:
    with pytest.raises(ConfigError, match="same width and reach"):
        interatomic_distances([WATER]).difference(interatomic_distances([WATER], width=0.05))
    with pytest.raises(ConfigError, match="must divide"):
        interatomic_distances([WATER], width=0.03, reach=1.0)


def test_ideal_gas_has_g_of_one() -> None:
    rng = np.random.default_rng(3)
    count, edge = 200, 15.0
    frames = moving(rng.uniform(0, edge, (60, count, 3)), f"Ar{count}", cell=edge)
    found = radial_distribution(frames, reach=7.0, width=0.5)
    expected = 1.0 - 1.0 / count
    samples = expected * 60 * count * count / edge**3 * 4 / 3 * np.pi * np.diff(found.edges**3) / 2
    assert (np.abs(found.values - expected)[2:] < 4.5 / np.sqrt(samples[2:])).all()
    assert found.values[5:].mean() == pytest.approx(expected, abs=0.006)


def test_shells_of_fcc() -> None:
    copper = bulk("Cu", "fcc", a=3.6)  # one atom: its images are its neighbours
    found = radial_distribution([copper], reach=5.0, width=0.02)
    peaks = found.edges[np.flatnonzero(found.values)]
    assert peaks == pytest.approx(3.6 * np.sqrt([0.5, 1.0, 1.5]), abs=0.02)
    assert found.neighbours[-1] == 12 + 6 + 24
    assert found.neighbours[np.searchsorted(found.centres, 3.0)] == 12


def test_pairs_agree_with_ase() -> None:
    rng = np.random.default_rng(4)
    salt = bulk("NaCl", "rocksalt", a=5.6, cubic=True).repeat(2)
    salt.positions += 0.1 * rng.standard_normal(salt.positions.shape)
    for pair in (None, ("Na", "Cl"), ("Na", "Na")):
        expected = get_rdf(salt, 5.0, 50, elements=pair, no_dists=True)
        found = radial_distribution([salt], pair, reach=5.0, width=0.1)
        assert found.values == pytest.approx(expected)
        assert found.pair == pair


def test_each_frame_has_its_own_volume() -> None:
    small, large = bulk("Cu", a=3.6), bulk("Cu", a=4.0)
    both = radial_distribution([small, large], reach=4.5)
    alone = [radial_distribution([atoms], reach=4.5).values for atoms in (small, large)]
    assert both.values == pytest.approx(np.mean(alone, axis=0))


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "at least 1"),
        ([Atoms("H")], "no two atoms"),
        ([bulk("Cu")], "radial_distribution"),
        ([WATER, molecule("CO2")], "frame 1 .* other atoms"),
        ([WATER, WATER[[1, 0, 2]]], "another order"),
        ([WATER, Atoms("OH2", [[0, 0, 0], [np.nan, 0, 0], [1, 1, 1]])], "not finite"),
    ],
)
def test_bad_molecules_are_refused(frames: list[Atoms], message: str) -> None:
    with pytest.raises(StructureError, match=message):
        interatomic_distances(frames)


def test_bad_crystals_are_refused() -> None:
    with pytest.raises(StructureError, match="interatomic_distances"):
        radial_distribution([WATER])
    with pytest.raises(StructureError, match="cell vector is zero"):
        radial_distribution([Atoms("Cu2", np.eye(3)[:2], pbc=True)])
    with pytest.raises(StructureError, match="no volume"):
        radial_distribution([Atoms("Cu", cell=[[1, 0, 0], [2, 0, 0], [0, 0, 1]], pbc=True)])
    with pytest.raises(StructureError, match="other periodic axes"):
        radial_distribution([bulk("Cu"), Atoms("Cu", cell=bulk("Cu").cell)])
    with pytest.raises(ConfigError, match=r"has no .cu.; known: Cu"):
        radial_distribution([bulk("Cu")], ("Cu", "cu"))
    with pytest.raises(ConfigError, match="above zero"):
        radial_distribution([bulk("Cu")], reach=-1.0)
