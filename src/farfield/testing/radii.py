"""The part of the potential's contract test that concerns other radii."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from farfield.errors import CapabilityError
from farfield.potentials import Potential, Prediction, TrainablePotential
from farfield.potentials.radii import candidate_radii

LEAST_CHANGE = 1e-6  # eV/Å, of the largest force component; rounding is a millionth of it
STEP = 1e-5  # Å, in all 3N coordinates; small, as a stretched basis makes sharp curves
GRADIENT_TOLERANCE = 1e-3  # eV/Å, of the derivative along that direction
JUMP = 1e-6  # eV: how far an energy may move while a pair crosses the radius
CROSSING = 1e-4  # Å


def check_radii(potential: Potential, structures: Sequence[Atoms]) -> None:
    """Raise unless every mode is refused, or changes the output as it should.

    At every radius of the grid the output changes. In every mode but ``truncate`` the energy
    is smooth as a pair crosses the radius, and forces are minus its gradient.

    Raises
    ------
    AssertionError
        Naming the rule that is broken.
    """
    before = potential.predict(structures)
    for mode in ("truncate", "taper", "rescale"):
        if mode not in potential.cutoff_modes:
            _must_refuse(potential, 1.0, mode)
            continue
        assert potential.cutoff is not None, "cutoff modes need a cutoff"
        _must_refuse(potential, potential.cutoff, mode)
        radii, refused = candidate_radii(potential, mode)
        assert radii, f"mode {mode} changes nothing at any radius: {refused}"
        for place, radius in enumerate(radii):
            changed = potential.with_cutoff(radius, mode)
            told = f"mode {mode} at {radius:g} Å"
            assert abs((changed.cutoff or 0.0) - radius) < 1e-6 * radius, f"{told}: its cutoff"
            after = changed.predict(structures)
            moved = max(
                float(np.abs(a.forces - b.forces).max()) for a, b in zip(after, before, strict=True)
            )
            assert moved > LEAST_CHANGE, f"{told} is a no-op: forces move by {moved:.1e} eV/Å"
            if mode != "truncate" and potential.conservative:
                index = place % len(structures)
                _check_gradient(changed, structures[index], after[index], told)
                _check_crossing(changed, structures[0], radius, told)
        _check_sharing(potential, radii[0], mode)
    for one, two in zip(potential.predict(structures), before, strict=True):
        same = one.energy == two.energy and np.array_equal(one.forces, two.forces)
        assert same, "making views of the model changed the model"


def _must_refuse(potential: Potential, radius: float, mode: str) -> None:
    try:
        potential.with_cutoff(radius, mode)  # type: ignore[arg-type]
    except CapabilityError:
        return
    raise AssertionError(f"mode {mode} at {radius:g} Å must raise CapabilityError")


def _check_gradient(potential: Potential, atoms: Atoms, found: Prediction, told: str) -> None:
    direction = np.random.default_rng(1).normal(size=(len(atoms), 3))
    direction /= np.linalg.norm(direction)
    energies = []
    for sign in (1.0, -1.0):
        copy = atoms.copy()
        copy.positions += sign * STEP * direction
        energies.append(potential.predict([copy])[0].energy)
    numerical = -(energies[0] - energies[1]) / (2 * STEP)
    apart = abs(numerical - float((found.forces * direction).sum()))
    assert apart < GRADIENT_TOLERANCE, (
        f"{told}: the force is {apart:.1e} eV/Å off minus the energy's derivative"
    )


def _check_crossing(potential: Potential, atoms: Atoms, radius: float, told: str) -> None:
    pair = atoms[:1] + atoms[:1]
    pair.pbc = False
    energies = []
    for distance in (radius - CROSSING, radius + CROSSING):
        pair.positions = [(0.0, 0.0, 0.0), (distance, 0.0, 0.0)]
        energies.append(potential.predict([pair])[0].energy)
    jump = abs(energies[1] - energies[0])
    assert jump < JUMP, f"{told}: the energy jumps by {jump:.1e} eV as a pair crosses the radius"


def _check_sharing(potential: Potential, radius: float, mode: str) -> None:
    """A view holds the very weights of the model, and a copy of it has its radius."""
    if not isinstance(potential, TrainablePotential):
        return
    changed = potential.with_cutoff(radius, mode)  # type: ignore[arg-type]
    assert isinstance(changed, TrainablePotential)
    for part in ("representation_parameters", "head_parameters"):
        ours = {key: value.data_ptr() for key, value in getattr(potential, part)().items()}
        theirs = {key: value.data_ptr() for key, value in getattr(changed, part)().items()}
        assert ours == theirs, f"a view in mode {mode} does not share the weights"
    assert changed.clone().cutoff == changed.cutoff, "clone() of a view loses its radius"
