from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import ClassVar, final

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.cluster import Icosahedron

import farfield.priors
from farfield.priors import PRIORS, CalculatorPrior, EMTPrior, Prior, compute, load_prior
from farfield.testing import check_prior

PACKAGES = {"gfn2": "tblite", "gfn1": "tblite", "gfnff": "xtb", "uff": "rdkit", "mmff94": "rdkit"}


def crystal(element: str) -> Atoms:
    atoms = bulk(element, cubic=True)
    atoms.rattle(0.1, seed=0)
    return atoms


# For those that refuse all of the usual ones.
STRUCTURES = {"sw": [crystal("Si"), crystal("Ge"), crystal("Si")]}


def prior_or_skip(name: str) -> Prior:
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name], reason=f"the prior {name} needs {PACKAGES[name]}")
    return load_prior(name)


def test_every_prior_that_needs_no_argument_has_an_alias():
    for module in pkgutil.iter_modules(farfield.priors.__path__):
        importlib.import_module(f"farfield.priors.{module.name}")
    named = {prior for prior in Prior.__subclasses__() if prior.__module__ in sys.modules}
    named |= {child for prior in named for child in prior.__subclasses__()}
    ours = {prior for prior in named if prior.__module__.startswith("farfield.priors.")}
    assert {prior for prior in ours if "name" in vars(prior)} == set(PRIORS.values())


@pytest.mark.parametrize("name", PRIORS)
def test_every_prior_keeps_the_contract(name):
    check_prior(prior_or_skip(name), STRUCTURES.get(name))


def test_emt_keeps_the_contract_on_a_metal_cluster_and_an_alloy():
    cluster = Icosahedron("Cu", noshells=2)
    alloy = bulk("Cu", cubic=True).repeat(2)
    alloy.symbols[:8] = "Au"
    for atoms in (cluster, alloy):
        atoms.rattle(0.05, seed=1)
    check_prior(EMTPrior(), [cluster, alloy])


@pytest.mark.parametrize("name", PRIORS)
def test_every_prior_is_final_and_stands_under_its_own_name(name):
    assert PRIORS[name].name == name
    assert PRIORS[name].__final__


@pytest.mark.parametrize("name", PRIORS)
def test_a_calculator_used_before_gives_what_a_new_one_gives(name):
    prior = prior_or_skip(name)
    generator = np.random.default_rng(0)
    formulas = ("CH3OH", "CH3OH", "H2O", "CH3OH", "NH3", "H2O")
    given = STRUCTURES.get(name) or [molecule(formula) for formula in formulas]
    frames = [atoms.copy() for atoms in given]
    for atoms in frames:
        atoms.positions += generator.normal(0.0, 0.05, atoms.positions.shape)
    used = prior.calculator()
    for atoms in frames:
        again, fresh = compute(prior, atoms, used), compute(prior, atoms)
        assert again.energy == pytest.approx(fresh.energy, abs=1e-6)
        np.testing.assert_allclose(again.forces, fresh.forces, atol=1e-6)


class Altered(Calculator):
    """EMT with a planted bug."""

    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]

    def __init__(self, bug):
        super().__init__()
        self.bug = bug
        self.emt = EMT()

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        copy = self.atoms.copy()
        copy.calc = self.emt
        energy, forces = self.bug(self, copy, copy.get_potential_energy(), copy.get_forces())
        self.results = {"energy": energy, "forces": forces}


def flipped(calculator, atoms, energy, forces):
    return energy, -forces


def sheared(calculator, atoms, energy, forces):
    return energy, forces + 0.1 * np.roll(forces, 1, axis=1)


def one_percent_of_twice(calculator, atoms, energy, forces):
    return energy, 1.05 * forces


def swapped(calculator, atoms, energy, forces):
    return energy, forces[::-1]


def kilocalories(calculator, atoms, energy, forces):
    return 23.06 * energy, 23.06 * forces


def hartree(calculator, atoms, energy, forces):
    return energy / 27.211, forces / 27.211


def tied_to_the_origin(calculator, atoms, energy, forces):
    return energy + 0.01 * float((atoms.positions**2).sum()), forces - 0.02 * atoms.positions


def pulled_along_z(calculator, atoms, energy, forces):
    return energy + 0.1 * np.ptp(atoms.positions[:, 2]), forces


def first_atom_is_special(calculator, atoms, energy, forces):
    return energy + 0.01 * float(atoms.numbers[0]), forces


def remembers(calculator, atoms, energy, forces):
    calculator.count = getattr(calculator, "count", 0) + 1
    return energy + 0.01 * calculator.count, forces


def wrong_shape(calculator, atoms, energy, forces):
    return energy, forces.ravel()


def not_a_number(calculator, atoms, energy, forces):
    return np.nan, forces


BUGS = {
    flipped: "minus the gradient",
    sheared: "rotated",
    one_percent_of_twice: "minus the gradient",
    swapped: "in another order",
    kilocalories: "is it in eV",
    hartree: "is it in eV",
    tied_to_the_origin: "translated",
    pulled_along_z: "rotated",
    first_atom_is_special: "in another order",
    remembers: "used before",
    wrong_shape: "shape",
    not_a_number: "not finite",
}


class Maker:
    """A calculator factory that can be pickled."""

    def __init__(self, bug):
        self.bug = bug

    def __call__(self):
        return Altered(self.bug)


def altered(bug, **declared):
    elements = EMTPrior.elements
    return CalculatorPrior(
        Maker(bug), name="altered", level_of_theory="EMT, altered", elements=elements, **declared
    )


def right(calculator, atoms, energy, forces):
    return energy, forces


def test_the_contract_test_passes_what_it_wraps_when_nothing_is_planted():
    check_prior(altered(right))


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_planted_bug_turns_the_contract_test_red(bug):
    with pytest.raises(AssertionError, match=BUGS[bug]):
        check_prior(altered(bug))


def test_forces_that_are_no_gradient_are_allowed_where_that_is_declared():
    check_prior(altered(flipped, conservative=False))


def test_a_calculator_that_forgets_periodicity_is_found():
    def open_boundaries(calculator, atoms, energy, forces):
        bare = Atoms(atoms.numbers, atoms.positions, calculator=EMT())
        return bare.get_potential_energy(), bare.get_forces()

    crystal = bulk("Cu", cubic=True).repeat(2)
    crystal.rattle(0.05, seed=1)
    with pytest.raises(AssertionError, match="lattice vectors"):
        check_prior(_local(open_boundaries), [crystal])


def _local(bug):
    """Keep the bug at module level, so that the prior can be pickled."""
    globals()["local_bug"] = bug
    bug.__qualname__ = "local_bug"
    return altered(bug)


def test_one_calculator_shared_by_all_is_found():
    shared = EMT()

    class Shared:
        def __call__(self):
            return shared

        def __reduce__(self):
            return EMT, ()

    prior = CalculatorPrior(Shared(), name="shared", level_of_theory="EMT")
    with pytest.raises(AssertionError, match="a new one every time"):
        check_prior(prior, [Icosahedron("Cu", noshells=2)])


def test_a_prior_that_cannot_be_pickled_is_found():
    prior = CalculatorPrior(lambda: EMT(), name="emt2", level_of_theory="EMT")
    with pytest.raises(AssertionError, match="cannot be pickled"):
        check_prior(prior)


def test_a_prior_that_refuses_everything_must_be_given_structures():
    with pytest.raises(AssertionError, match="pass structures that it takes"):
        check_prior(EMTPrior(), [Atoms("Fe2", positions=[[0, 0, 0], [0, 0, 2.0]])])


@final
class OneOrder(Prior):
    """EMT, for the atoms O, H, H in this order; what it does with others is up to a test."""

    name = "one_order"
    level_of_theory = "EMT, one order"
    elements = None
    periodic = False
    conservative = True
    cost = "moderate"

    def __init__(self, refuses):
        self.refuses = refuses

    def refusal(self, atoms):
        known = atoms.numbers.tolist() == [8, 1, 1]
        return None if known or not self.refuses else "another order"

    def calculator(self):
        return Altered(first_atom_is_special)


def test_another_order_of_atoms_may_be_refused_but_not_done_wrongly():
    water = molecule("H2O")
    water.rattle(0.05, seed=0)
    check_prior(OneOrder(refuses=True), [water])
    with pytest.raises(AssertionError, match="in another order"):
        check_prior(OneOrder(refuses=False), [water])
