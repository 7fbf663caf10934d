"""The contract test of a prior: run it on your own before you trust its labels.

>>> from farfield.testing import check_prior
>>> check_prior(MyPrior())  # doctest: +SKIP
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.build import bulk, molecule

from farfield.priors import Failure, Prior, compute
from farfield.structures import Labels, describe

# The loosest that still catch a planted bug. Self-consistent methods converge to about
# 1e-5 eV and 1e-4 eV/Å; a flipped sign or a swapped axis is off by the force itself.
ENERGY_TOLERANCE = 1e-4  # eV per structure: invariance, repetition
FORCE_TOLERANCE = 2e-3  # eV/Å: invariance, repetition
GRADIENT_STEP = 5e-3  # Å, along a direction of unit length in all 3N coordinates
GRADIENT_TOLERANCE = 0.01  # eV/Å, of the derivative along that direction
GRADIENT_RELATIVE = 0.01  # of the largest force
LARGEST_FORCE = (0.3, 50.0)  # eV/Å, in the stiffest default structure; in Hartree or kcal: outside
N_DIRECTIONS = 3
RATTLE = 0.05  # Å, standard deviation

_TETRAHEDRON = 0.9 * np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)])  # sides 2.5 Å
_UNKNOWN_ELEMENTS = (118, 117, 94, 87, 2, 3)  # the first that a prior does not declare is tried


def default_structures() -> list[Atoms]:
    """Return small structures, rattled so that forces are not zero: molecules, metals, crystals."""
    structures = [molecule(name) for name in ("H2O", "CH3OH", "C2H4", "NH3")]
    structures += [Atoms("Cu4", _TETRAHEDRON), Atoms("Al2Au2", _TETRAHEDRON)]
    structures += [bulk("Cu", cubic=True).repeat(2), molecule("H2O", cell=[9.0] * 3, pbc=True)]
    for seed, atoms in enumerate(structures):
        atoms.rattle(RATTLE, seed=seed)
    return structures


def check_prior(prior: Prior, structures: Sequence[Atoms] | None = None) -> None:
    """Raise unless ``prior`` keeps the contract of :class:`farfield.priors.Prior`.

    Parameters
    ----------
    prior
        The prior to test.
    structures
        What to test it on: a few small structures with forces that are not zero. None takes
        those of :func:`default_structures` that the prior does not refuse.

    Raises
    ------
    AssertionError
        Naming the rule that is broken, the structure, and by how much.
    """
    _check_declaration(prior)
    _check_refusal(prior)
    given = default_structures() if structures is None else list(structures)
    taken = [atoms for atoms in given if prior.refusal(atoms) is None]
    assert taken, (
        f"{prior.name} refuses every structure of this test ({prior.refusal(given[0])}): "
        "pass structures that it takes"
    )
    found = [_check_labels(prior, atoms) for atoms in taken]
    if structures is None:
        _check_scale(prior, found)
    _check_independence(prior, taken, found)
    for atoms, labels in zip(taken, found, strict=True):
        _check_symmetry(prior, atoms, labels)
        if prior.conservative:
            _check_gradient(prior, atoms, labels)


def _check_declaration(prior: Prior) -> None:
    assert prior.name.replace("_", "a").isalnum() and prior.name == prior.name.lower(), (
        f"the name {prior.name!r} must be lower-case letters, digits and underscores"
    )
    assert prior.level_of_theory.strip(), f"{prior.name} declares no level of theory"
    assert prior.cost in ("cheap", "moderate", "costly"), f"{prior.name}: cost {prior.cost!r}"
    try:
        copy = pickle.loads(pickle.dumps(prior))
    except Exception as error:
        raise AssertionError(
            f"{prior.name} cannot be pickled, so it cannot label in several processes: {error}"
        ) from error
    assert (copy.name, copy.level_of_theory) == (prior.name, prior.level_of_theory), (
        f"{prior.name} is another prior after pickling"
    )


def _check_refusal(prior: Prior) -> None:
    if prior.elements is None:
        return
    unknown = next(number for number in _UNKNOWN_ELEMENTS if number not in prior.elements)
    outcome = compute(prior, Atoms([unknown], positions=[[0.0, 0.0, 0.0]]))
    assert isinstance(outcome, Failure), (
        f"{prior.name} gives labels for element {unknown}, which it does not declare"
    )


def _check_labels(prior: Prior, atoms: Atoms) -> Labels:
    before = atoms.copy()
    labels = _labels(prior, atoms)
    assert atoms == before and atoms.info == before.info, f"{describe(atoms)} was changed"
    assert atoms.arrays.keys() == before.arrays.keys(), f"{describe(atoms)} got new arrays"
    assert labels.energy is not None and np.isfinite(labels.energy)
    shape = _forces(labels).shape
    assert shape == (len(atoms), 3), (
        f"{describe(atoms)}: the forces of {prior.name} have the shape {shape}, "
        f"not {(len(atoms), 3)}"
    )
    assert labels.level_of_theory == prior.level_of_theory
    return labels


def _check_scale(prior: Prior, found: Sequence[Labels]) -> None:
    largest = max(np.abs(_forces(labels)).max() for labels in found)
    low, high = LARGEST_FORCE
    assert low < largest < high, (
        f"the largest force of {prior.name} on structures rattled by {RATTLE} Å is {largest:.3g} "
        f"eV/Å, outside {low:g} to {high:g}: is it in eV and Å? If so, pass structures that suit it"
    )


def _check_independence(prior: Prior, taken: Sequence[Atoms], found: Sequence[Labels]) -> None:
    """One calculator for all structures, twice over, gives what a new one gives for each."""
    first, second = prior.calculator(), prior.calculator()
    assert first is not second, f"{prior.name}.calculator() must return a new one every time"
    order = list(range(len(taken)))
    for calculator, indices in ((first, order), (second, order[::-1]), (first, order)):
        for index in indices:
            again = _labels(prior, taken[index], calculator)
            _compare(f"{prior.name}, a calculator used before", taken[index], again, found[index])


def _check_symmetry(prior: Prior, atoms: Atoms, labels: Labels) -> None:
    generator = np.random.default_rng(0)
    forces = _forces(labels)

    moved = atoms.copy()
    moved.positions += generator.normal(size=3)
    _compare(f"{prior.name}, translated", atoms, _labels(prior, moved), labels)

    turned = atoms.copy()
    turned.rotate(77.0, (1.0, 2.0, 3.0), rotate_cell=True)
    turning = Atoms("HHH", positions=np.eye(3))
    turning.rotate(77.0, (1.0, 2.0, 3.0))  # its positions are now the rotation, row by row
    expected = Labels(labels.energy, forces @ turning.positions)
    _compare(f"{prior.name}, rotated", atoms, _labels(prior, turned), expected)

    order = generator.permutation(len(atoms))
    if prior.refusal(atoms[order]) is None:  # a model of one molecule may know one order alone
        expected = Labels(labels.energy, forces[order])
        found = _labels(prior, atoms[order])
        _compare(f"{prior.name}, atoms in another order", atoms, found, expected)

    if atoms.pbc.all():
        shifted = atoms.copy()
        shifted.positions[0] += np.asarray(atoms.cell)[0] - np.asarray(atoms.cell)[2]
        _compare(
            f"{prior.name}, one atom moved by lattice vectors",
            atoms,
            _labels(prior, shifted),
            labels,
        )


def _check_gradient(prior: Prior, atoms: Atoms, labels: Labels) -> None:
    generator = np.random.default_rng(0)
    forces = _forces(labels)
    allowed = GRADIENT_TOLERANCE + GRADIENT_RELATIVE * np.abs(forces).max()
    directions = [generator.normal(size=forces.shape) for _ in range(N_DIRECTIONS)]
    if np.linalg.norm(forces) > 0.0:
        directions.append(forces)  # along the forces a factor shows best
    for direction in directions:
        unit = direction / np.linalg.norm(direction)
        energies = []
        for sign in (+1, -1):
            moved = atoms.copy()
            moved.positions += sign * GRADIENT_STEP * unit
            energies.append(_energy(_labels(prior, moved)))
        numeric = -(energies[0] - energies[1]) / (2 * GRADIENT_STEP)
        given = float((forces * unit).sum())
        assert abs(numeric - given) < allowed, (
            f"{prior.name} on {describe(atoms)}: forces are not minus the gradient of the energy: "
            f"{given:.4f} eV/Å along a direction where the energy falls by {numeric:.4f} eV/Å"
        )


def _compare(what: str, atoms: Atoms, one: Labels, other: Labels) -> None:
    energy = abs(_energy(one) - _energy(other))
    assert energy < ENERGY_TOLERANCE, (
        f"{what}: the energy of {describe(atoms)} differs by {energy:.2g} eV"
    )
    force = np.abs(_forces(one) - _forces(other)).max()
    assert force < FORCE_TOLERANCE, (
        f"{what}: the forces on {describe(atoms)} differ by {force:.2g} eV/Å"
    )


def _labels(prior: Prior, atoms: Atoms, calculator: object = None) -> Labels:
    outcome = compute(prior, atoms, calculator)  # type: ignore[arg-type]
    assert not isinstance(outcome, Failure), (
        f"{prior.name} does not refuse {describe(atoms)} but gives no labels: {outcome.reason}"
    )
    return outcome


def _energy(labels: Labels) -> float:
    assert labels.energy is not None
    return labels.energy


def _forces(labels: Labels) -> npt.NDArray[np.float64]:
    assert labels.forces is not None
    return labels.forces
