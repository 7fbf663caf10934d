"""The contract test of a potential: run it on your own adapter.

>>> from farfield.testing import check_potential
>>> check_potential(MyPotential(), structures)  # doctest: +SKIP
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from ase import Atoms
from scipy.spatial.transform import Rotation

from farfield.errors import CapabilityError, DirectForcesWarning, ModelError
from farfield.potentials import Potential, Prediction, TrainablePotential
from farfield.testing.radii import check_radii
from farfield.testing.trainable import check_trainable

# For models in float64. The loosest that still catch a planted bug: a wrong sign, a swapped
# axis or a missing periodic image is off by the force itself.
ENERGY_TOLERANCE = 1e-5  # eV per structure
FORCE_TOLERANCE = 1e-4  # eV/Å
GRADIENT_STEP = 1e-3  # Å, along a direction of unit length in all 3N coordinates
GRADIENT_TOLERANCE = 1e-3  # eV/Å, of the derivative along that direction
FORBIDDEN_ELEMENT = 118


def check_potential(potential: Potential, structures: Sequence[Atoms]) -> None:
    """Raise unless ``potential`` keeps the contract of :class:`farfield.potentials.Potential`.

    Parameters
    ----------
    potential
        The potential to test, in float64 if it has a choice.
    structures
        At least two structures that it takes, not all of the same size, with forces that
        are not zero; at least one of three atoms or more.

    Raises
    ------
    AssertionError
        Naming the rule that is broken, and by how much.
    """
    assert len({len(atoms) for atoms in structures}) > 1, "give structures of different sizes"
    together = potential.predict(structures)
    for atoms, found in zip(structures, together, strict=True):
        _check_shapes(atoms, found)
        _same(potential.predict([atoms])[0], found, "alone and in a batch")
        _check_symmetry(potential, atoms, found)
        if potential.conservative:
            _check_gradient(potential, atoms, found)
        _check_calculator(potential, atoms, found)
    _check_refusals(potential, structures)
    _check_graph(potential, structures)
    if isinstance(potential, TrainablePotential):
        check_trainable(potential, structures)
    check_radii(potential, structures)


def _check_shapes(atoms: Atoms, found: Prediction) -> None:
    assert np.isfinite(found.energy), "the energy is not finite"
    assert found.forces.shape == (len(atoms), 3), f"forces have the shape {found.forces.shape}"
    assert np.isfinite(found.forces).all(), "forces are not finite"
    if found.features is not None:
        assert len(found.features) == len(atoms), "features are not per atom"


def _same(first: Prediction, second: Prediction, what: str) -> None:
    energy = abs(first.energy - second.energy)
    forces = float(np.abs(first.forces - second.forces).max())
    assert energy < ENERGY_TOLERANCE, f"energies differ by {energy:.2e} eV: {what}"
    assert forces < FORCE_TOLERANCE, f"forces differ by {forces:.2e} eV/Å: {what}"
    if first.features is not None and second.features is not None:
        scale = 1.0 + np.abs(second.features).max()
        apart = float(np.abs(first.features - second.features).max()) / scale
        assert apart < FORCE_TOLERANCE, f"features differ by {apart:.2e}: {what}"


def _check_symmetry(potential: Potential, atoms: Atoms, found: Prediction) -> None:
    moved = atoms.copy()
    moved.positions += (0.37, -1.21, 2.05)
    _same(potential.predict([moved])[0], found, "after a translation")

    matrix = Rotation.from_euler("xyz", (0.3, 1.1, -0.7)).as_matrix()
    turned = atoms.copy()
    turned.set_cell(np.asarray(atoms.cell) @ matrix.T)
    turned.positions = atoms.positions @ matrix.T
    rotated = Prediction(found.energy, found.forces @ matrix.T, found.features)
    _same(potential.predict([turned])[0], rotated, "after a rotation")

    order = np.random.default_rng(0).permutation(len(atoms))
    features = None if found.features is None else found.features[order]
    permuted = Prediction(found.energy, found.forces[order], features)
    _same(potential.predict([atoms[order]])[0], permuted, "after a permutation")

    if atoms.pbc.any():
        wrapped = atoms.copy()
        wrapped.positions[0] += np.asarray(atoms.cell)[np.flatnonzero(atoms.pbc)[0]]
        _same(potential.predict([wrapped])[0], found, "with an atom moved by a cell vector")


def _check_gradient(potential: Potential, atoms: Atoms, found: Prediction) -> None:
    direction = np.random.default_rng(1).normal(size=(len(atoms), 3))
    direction /= np.linalg.norm(direction)
    energies = []
    for sign in (1.0, -1.0):
        copy = atoms.copy()
        copy.positions += sign * GRADIENT_STEP * direction
        energies.append(potential.predict([copy])[0].energy)
    numerical = -(energies[0] - energies[1]) / (2 * GRADIENT_STEP)
    analytical = float((found.forces * direction).sum())
    apart = abs(numerical - analytical)
    assert apart < GRADIENT_TOLERANCE, (
        f"the force along a direction is {analytical:.5f} eV/Å, minus the energy's derivative "
        f"{numerical:.5f}: declare conservative = False, or mend the forces"
    )


def _check_calculator(potential: Potential, atoms: Atoms, found: Prediction) -> None:
    copy = atoms.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DirectForcesWarning)
        copy.calc = potential.calculator()
    through_ase = Prediction(copy.get_potential_energy(), copy.get_forces())
    _same(through_ase, found, "through the ASE calculator")


def _check_refusals(potential: Potential, structures: Sequence[Atoms]) -> None:
    _raises(ModelError, "an unknown head", lambda: potential.predict(structures, "no such head"))
    if potential.species is not None:
        strange = structures[0].copy()
        strange.numbers[0] = FORBIDDEN_ELEMENT
        _raises(ModelError, "an unknown element", lambda: potential.predict([strange]))


def _check_graph(potential: Potential, structures: Sequence[Atoms]) -> None:
    if potential.cutoff is None:
        _raises(CapabilityError, "a graph without a cutoff", lambda: potential.graph(structures[0]))
        return
    for atoms in structures:
        graph = potential.graph(atoms)
        assert graph.n_atoms == len(atoms), "the graph lacks atoms"
        assert (graph.distances <= potential.cutoff).all(), "an edge is longer than the cutoff"
    pair = structures[0][:1] + structures[0][:1]
    pair.pbc = False
    pair.positions = [(0.0, 0.0, 0.0), (potential.cutoff + 0.01, 0.0, 0.0)]
    forces = potential.predict([pair])[0].forces
    assert np.abs(forces).max() < FORCE_TOLERANCE, "atoms beyond the cutoff act on each other"


def _raises(kind: type[Exception], what: str, function: object) -> None:
    assert callable(function)
    try:
        function()
    except kind:
        return
    raise AssertionError(f"{what} must raise {kind.__name__}")
