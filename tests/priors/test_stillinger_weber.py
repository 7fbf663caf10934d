from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.fd import calculate_numerical_stress

from farfield.errors import CapabilityError
from farfield.priors import Failure, StillingerWeberPrior, compute, load_prior
from farfield.testing import check_prior

PRIOR = StillingerWeberPrior()


def diamond(element="Si", a=5.431, rattle=0.0, **kwargs):
    atoms = bulk(element, "diamond", a=a, **kwargs)
    if rattle:
        atoms.rattle(rattle, seed=1)
    return atoms


def published(atoms, epsilon, sigma, angles):
    """Energy of a cluster, from the formula as it is printed: loops over pairs and triplets."""

    def reach(r, scale=1.0):
        return np.exp(scale / (r - 1.8)) if r < 1.8 else 0.0

    positions = atoms.positions / sigma
    energy = 0.0
    for i in range(len(atoms)):
        to = positions - positions[i]
        r = np.linalg.norm(to, axis=1)
        for j in range(len(atoms)):
            if j > i:
                energy += 7.049556277 * (0.6022245584 * r[j] ** -4 - 1.0) * reach(r[j])
            for k in range(j + 1, len(atoms)):
                if i in (j, k):
                    continue
                cosine = to[j] @ to[k] / (r[j] * r[k])
                energy += angles * reach(r[j], 1.2) * reach(r[k], 1.2) * (cosine + 1 / 3) ** 2
    return epsilon * energy


def test_sw_is_an_alias():
    assert isinstance(load_prior("sw"), StillingerWeberPrior)


@pytest.mark.parametrize(
    ("element", "a", "expected"), [("Si", 5.431, -4.3366), ("Ge", 5.6537, -3.86)]
)
def test_the_diamond_crystal_has_the_published_energy_and_is_at_rest(element, a, expected):
    labels = compute(PRIOR, diamond(element, a))
    assert labels.energy / 2 == pytest.approx(expected, abs=2e-4)
    assert np.abs(labels.forces).max() < 1e-10
    assert np.abs(PRIOR.calculator().get_stress(diamond(element, a))).max() < 1e-3


@pytest.mark.parametrize("parameters", [("Si", 2.1683, 2.0951, 21.0), ("Ge", 1.93, 2.181, 31.0)])
def test_a_cluster_has_the_energy_of_the_printed_formula(parameters):
    element, *values = parameters
    cluster = diamond(element, 5.5, rattle=0.25, cubic=True)
    cluster.pbc = False
    assert compute(PRIOR, cluster).energy == pytest.approx(published(cluster, *values), abs=1e-9)


def test_the_contract_is_kept_in_crystals_of_either_element_and_in_a_dense_phase():
    dense = bulk("Si", "bcc", a=3.1).repeat(2)
    dense.rattle(0.1, seed=0)
    check_prior(PRIOR, [diamond(rattle=0.1), diamond("Ge", 5.66, rattle=0.1, cubic=True), dense])


def test_stress_is_the_derivative_of_the_energy():
    atoms = diamond(rattle=0.1, cubic=True)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.03), scale_atoms=True)
    atoms.calc = PRIOR.calculator()
    numerical = calculate_numerical_stress(atoms, eps=1e-5)
    np.testing.assert_allclose(atoms.get_stress(), numerical, atol=1e-6)


def test_an_atom_alone_and_a_pair_out_of_reach_have_no_energy():
    end = 1.8 * 2.0951
    for atoms in (Atoms("Si"), Atoms("Si2", [[0, 0, 0], [0, 0, end + 1e-6]])):
        labels = compute(PRIOR, atoms)
        assert labels.energy == 0.0 and not labels.forces.any()
    near = compute(PRIOR, Atoms("Si2", [[0, 0, 0], [0, 0, end - 0.05]]))
    assert 0.0 < abs(near.energy) < 1e-12


def test_other_elements_and_mixtures_are_refused():
    mixed = diamond(cubic=True)
    mixed.symbols[0] = "Ge"
    carbide = bulk("SiC", "zincblende", a=4.36)
    for atoms, reason in ((mixed, "silicon and germanium in one"), (carbide, "parameters for C")):
        outcome = compute(PRIOR, atoms)
        assert isinstance(outcome, Failure) and reason in outcome.reason
        with pytest.raises(CapabilityError, match=reason):
            PRIOR.calculator().get_potential_energy(atoms)
