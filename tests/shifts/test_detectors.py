"""Each detector: the symmetries, its own training structures, what it has never seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from farfield.errors import ProfileError
from farfield.graphs import neighbour_graph
from farfield.shifts import DEFAULT, DETECTORS
from farfield.shifts.profile import remember
from tests.shifts.made import CUTOFF, NAMES, fitted, rattled, seen

SAME = 1e-6  # of a score: references are kept in float32
AXES = tuple(DETECTORS)
PROFILE = fitted()
axes = pytest.mark.parametrize("axis", AXES)


def test_the_axes_are_those_of_the_files() -> None:
    names = ("elements", "force_norm", "connectivity", "representation", "prior_residual")
    assert names == DEFAULT == PROFILE.default_axes == AXES[: len(names)]
    assert tuple(PROFILE.axes) == AXES
    for axis, detector in DETECTORS.items():
        assert detector.axis == axis
        assert detector.title and detector.unit and detector.explanation.endswith(".")


@axes
@settings(max_examples=10)
@given(st.integers(0, 10**6), st.sampled_from([*NAMES, "C6H6", "CH3Cl"]))
def test_order_rotation_and_translation(axis: str, seed: int, name: str) -> None:
    (atoms,) = rattled(1, seed, names=[name], width=0.15)
    rng = np.random.default_rng(seed)
    start = PROFILE.score(axis, seen(atoms))
    order = rng.permutation(len(atoms))
    moved = atoms[order]
    matrix = Rotation.random(rng=rng).as_matrix()
    moved.positions = moved.positions @ matrix.T + rng.normal(scale=20.0, size=3)
    end = PROFILE.score(axis, seen(moved))
    assert end.structure == pytest.approx(start.structure, abs=SAME)
    assert np.allclose(end.atoms, start.atoms[order], atol=SAME)
    assert end.reason == start.reason
    quantiles = [PROFILE.atom_quantiles(axis, score.atoms) for score in (start, end)]
    assert np.allclose(quantiles[0][order], quantiles[1], atol=2e-2)


@axes
def test_scores_change_with_the_structure(axis: str) -> None:
    squeezed = molecule("C2Cl4")
    squeezed.positions *= 0.7
    chain = Atoms("C30", positions=[[2.5 * place, 0, 0] for place in range(30)])
    star = Atoms("C7", positions=3.0 * np.vstack([np.zeros(3), np.eye(3), -np.eye(3)]))
    near = PROFILE.score(axis, seen(molecule("CH3CH2OH")))
    fars = [PROFILE.score(axis, seen(atoms)) for atoms in (squeezed, chain, star)]
    assert max(far.structure for far in fars) > near.structure + 100 * SAME
    if DETECTORS[axis].default:
        assert fars[0].structure > near.structure + 100 * SAME
        assert np.ptp(near.atoms) > 100 * SAME or axis == "elements"


@pytest.mark.parametrize("axis", ["connectivity", "representation"])
def test_training_structures_are_at_no_distance_from_themselves(axis: str) -> None:
    observations = [seen(atoms) for atoms in rattled(40, seed=0)]
    own = [PROFILE.score(axis, observation).structure for observation in observations]
    others = [PROFILE.score(axis, seen(atoms)).structure for atoms in rattled(40, seed=1)]
    assert max(own) < 0.3 * np.median(others)
    assert max(own) < PROFILE.axes[axis].null.min()
    if axis == "connectivity":
        assert max(own) < SAME


def test_elements_of_training_structures_are_no_surprise() -> None:
    for atoms in rattled(5, seed=3):
        assert PROFILE.quantile("elements", PROFILE.score("elements", seen(atoms)).structure) < 1.0


def test_an_unseen_element_is_beyond_all_and_named() -> None:
    score = PROFILE.score("elements", seen(molecule("CH3Cl")))
    assert PROFILE.quantile("elements", score.structure) == 1.0
    assert score.structure == pytest.approx(np.log10(40 / 0.5))
    assert score.reason == "Cl is in no training structure"
    (chlorine,) = np.flatnonzero(molecule("CH3Cl").numbers == 17)
    assert score.atoms.argmax() == chlorine
    assert np.delete(score.atoms, chlorine).max() < 0.2 * score.structure  # not its neighbours
    two = PROFILE.score("elements", seen(molecule("SiF4")))
    assert two.reason == "F and Si are each in no training structure"
    assert (two.atoms == two.structure).all()


def test_an_unseen_pair_is_named_with_the_cutoff() -> None:
    carbon_only = fitted_on([molecule("C2H6")] * 10 + [molecule("O2")] * 10)
    score = DETECTORS["elements"].score(seen(molecule("H2O")), carbon_only)
    assert score.reason == "the pair H-O within 4 Å is in no training structure"
    assert score.structure == pytest.approx(np.log10(20 / 0.5))
    apart = Atoms("OHH", positions=[[0, 0, 0], [9, 0, 0], [9, 0, 0.8]])
    score = DETECTORS["elements"].score(seen(apart), carbon_only)
    assert score.reason == "H and O are each in 10 of 20 training structures"
    assert score.atoms == pytest.approx([np.log10(2)] * 3)


def test_an_element_that_all_have() -> None:
    state = fitted_on([molecule("CH4")] * 12)
    score = DETECTORS["elements"].score(seen(molecule("CH4")), state)
    assert score.reason == "H and C are each in every training structure"
    assert (score.structure, score.atoms.max()) == (0.0, 0.0)


def fitted_on(structures: list[Atoms]) -> dict:
    return DETECTORS["elements"].fit(remember(seen(atoms) for atoms in structures))


@axes
@pytest.mark.parametrize(
    "atoms",
    [
        Atoms("H"),
        Atoms("Xe"),
        Atoms("H2", positions=[[0, 0, 0], [0, 0, 50.0]]),
        molecule("CH4") + Atoms("Ne", positions=[[60.0, 0, 0]]),
        bulk("Cu"),
    ],
    ids=["atom", "unseen atom", "two atoms", "molecule and atom", "crystal"],
)
def test_atoms_alone_and_disconnected_structures_are_scored(axis: str, atoms: Atoms) -> None:
    score = PROFILE.score(axis, seen(atoms))
    assert np.isfinite(score.structure)
    assert score.atoms.shape == (len(atoms),)
    assert np.isfinite(score.atoms).all()
    assert score.reason


def test_the_force_norm_is_the_mean_norm_and_one_sided() -> None:
    observation = seen(molecule("CH3OH"))
    forces = np.zeros((6, 3))
    forces[0] = [3.0, 4.0, 0.0]
    score = PROFILE.score("force_norm", replace(observation, forces=forces))
    assert score.structure == pytest.approx(5.0 / 6)
    assert score.atoms.tolist() == [5.0, 0, 0, 0, 0, 0]
    assert score.reason.startswith("the mean force is 0.83 eV/Å, where training has a median of ")
    assert PROFILE.quantile("force_norm", 0.0) == 0.0


def test_features_that_hardly_vary_do_not_drown_the_others() -> None:
    observations = [seen(atoms) for atoms in rattled(20, seed=0)]
    rng = np.random.default_rng(0)

    def noisy(observation):
        noise = 3.0 + 1e-7 * rng.normal(size=(observation.graph.n_atoms, 1))
        return replace(observation, features=np.hstack([observation.features, noise]))

    detector = DETECTORS["representation"]
    state = detector.fit(remember(noisy(observation) for observation in observations))
    assert detector.score(noisy(observations[0]), state).structure < 1e-3


def test_features_that_do_not_vary_at_all_are_compared_as_they_are() -> None:
    same = [
        replace(seen(atoms), features=np.ones((len(atoms), 4))) for atoms in rattled(10, seed=0)
    ]
    detector = DETECTORS["representation"]
    other = replace(same[0], features=np.full_like(same[0].features, 1.5))
    assert detector.score(same[0], detector.fit(remember(same))).structure == 0.0
    assert detector.score(other, detector.fit(remember(same))).structure == pytest.approx(0.5)


def test_the_prior_residual_is_the_mean_norm_and_names_training() -> None:
    residual = np.zeros((6, 3))
    residual[2] = [0.3, 0.0, -0.4]
    score = PROFILE.score("prior_residual", replace(seen(molecule("CH3OH")), residual=residual))
    assert score.structure == pytest.approx(0.5 / 6)
    assert score.atoms.tolist() == pytest.approx([0, 0, 0.5, 0, 0, 0])
    words = "the model misses the prior's forces by 0.08 eV/Å, where the structures it was trained"
    assert score.reason.startswith(words)


@pytest.mark.parametrize(
    ("axis", "field"),
    [("force_norm", "forces"), ("representation", "features"), ("prior_residual", "residual")],
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_raise(axis: str, field: str, value: float) -> None:
    observation = seen(molecule("CH4"))
    spoilt = getattr(observation, field).copy()
    spoilt[2, 1] = value
    with pytest.raises(ProfileError, match=f"5 atoms has no finite score on the axis {axis}"):
        PROFILE.score(axis, replace(observation, **{field: spoilt}))


def test_connectivity_tells_cells_from_structures() -> None:
    crystal = [bulk("Cu").repeat(2) for _ in range(10)]
    for seed, atoms in enumerate(crystal):
        atoms.rattle(0.02, seed=seed)
    detector = DETECTORS["connectivity"]
    state = detector.fit(remember(seen(atoms) for atoms in crystal))
    again = detector.score(seen(bulk("Cu")), state).structure
    other = detector.score(seen(bulk("Si")), state).structure
    assert again < 0.1 * other


def test_graphs_are_those_that_were_given() -> None:
    assert PROFILE.cutoff == CUTOFF
    wide = replace(seen(molecule("CH3OH")), graph=neighbour_graph(molecule("CH3OH"), 8.0))
    narrow = seen(molecule("CH3OH"))
    scores = [PROFILE.score("connectivity", item).structure for item in (narrow, wide)]
    assert scores[1] > scores[0] + 0.01
