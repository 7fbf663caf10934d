"""GFN-FF by xtb-python: a general force field for molecules, elements 1 to 86."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Literal, final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.units import Bohr, Hartree

from farfield.errors import CapabilityError, DependencyError
from farfield.priors.contract import Prior
from farfield.priors.function import FunctionCalculator, Results, charge_of

# Zn, Mo to Cd, W to Hg. Where two of them bond, xtb's gradient is not that of its energy: in
# half of 300 random clusters with two, by 0.1 to 2 eV/Å; with one at most, in none that is
# not on the verge of a bond.
UNSOUND_PAIRS = (30, *range(42, 49), *range(74, 81))


@final
class GFNFFPrior(Prior):
    """GFN-FF (Spicher and Grimme, Angew. Chem. Int. Ed. 59, 15665, 2020); a few ms for 20 atoms.

    Bonds are perceived anew from the geometry of each structure, so its labels depend on that
    structure alone, and its energy jumps where a bond is seen to break or form. It contains
    dispersion. ``info["charge"]`` is used, ``info["spin"]`` is not: GFN-FF has no spin.
    Structures with two atoms of Zn, Mo to Cd or W to Hg are refused: their forces are wrong.
    """

    name = "gfnff"
    level_of_theory = "GFN-FF (xtb-python 22.1)"
    elements = frozenset(range(1, 87))
    periodic = False
    conservative = True
    cost: Literal["cheap", "moderate", "costly"] = "moderate"

    def refusal(self, atoms: Atoms) -> str | None:
        """Return why this prior cannot take ``atoms``, or None when it can."""
        reason = super().refusal(atoms)
        if reason is None and np.isin(atoms.numbers, UNSOUND_PAIRS).sum() > 1:
            return (
                f"{self.name} has wrong forces where two atoms of Zn, Mo to Cd or W to Hg bond: "
                "use gfn2"
            )
        return reason

    def calculator(self) -> Calculator:
        """Return a new calculator, or raise DependencyError when xtb-python is not installed."""
        try:
            from xtb import _libxtb
        except ImportError as error:
            if sys.version_info >= (3, 12):
                raise CapabilityError(
                    "the prior 'gfnff' needs xtb-python 22.1, which PyPI has for Python up to "
                    "3.11: use Python 3.11, or install xtb-python from conda-forge"
                ) from error
            raise DependencyError("xtb", "gfnff", "the prior 'gfnff'") from error
        flush = _flush_of(_libxtb.__file__)

        def function(atoms: Atoms) -> Results:
            with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), _mute(flush):
                return _evaluate(atoms)

        return FunctionCalculator(function)


def _evaluate(atoms: Atoms) -> dict[str, Any]:
    """Evaluate one structure; xtb writes topology files to the working directory.

    It also reads ``.CHRG`` there, so an empty folder is needed for the right result.
    """
    from xtb import interface

    engine = interface.Calculator(
        interface.Param.GFNFF, atoms.numbers, atoms.positions / Bohr, float(charge_of(atoms)), 0
    )
    engine.set_verbosity("muted")
    found = engine.singlepoint()
    return {
        "energy": found.get_energy() * Hartree,
        "forces": -found.get_gradient() * (Hartree / Bohr),
    }


@contextlib.contextmanager
def _mute(flush: Callable[[], None]) -> Iterator[None]:
    """Send what Fortran prints to nowhere: it writes to file descriptor 1, muted or not."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        flush()  # else what Fortran has buffered comes out later
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _flush_of(library: str) -> Callable[[], None]:
    """Return a function that empties the buffers of the Fortran run-time library in use."""
    try:
        flush = ctypes.CDLL(library)._gfortran_flush_i4
    except AttributeError:  # built by another compiler than gfortran
        return lambda: None
    return lambda: flush(None)
