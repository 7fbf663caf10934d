"""A user's sGDML model: a kernel force field of one molecule, in its own units."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import chemical_symbols, covalent_radii
from ase.units import Bohr, Hartree, kcal, kJ, mol

from farfield.errors import ConfigError, DependencyError, ModelError, did_you_mean
from farfield.files import sha256
from farfield.priors.contract import Prior
from farfield.priors.function import FunctionCalculator, Results

ENERGY_UNITS = {"eV": 1.0, "kcal/mol": kcal / mol, "kJ/mol": kJ / mol, "Hartree": Hartree}
LENGTH_UNITS = {"Ang": 1.0, "Angstrom": 1.0, "Å": 1.0, "Bohr": Bohr}
BONDED, BROKEN = 1.25, 1.75  # in sums of covalent radii
_KEYS = ("type", "z", "sig", "c", "std", "perms", "tril_perms_lin", "R_desc", "R_d_desc_alpha")
_OPTIONAL = ("alphas_E", "lattice", "r_unit", "e_unit")


@final
class SGDMLPrior(Prior):
    """An sGDML model file (Chmiela et al., Nat. Commun. 9, 3887, 2018).

    It describes one molecule, with the atoms in one order. Other compositions and other
    orders are refused, and so is a structure in which a bond of all training structures is
    longer than 1.75 times the sum of the covalent radii: its atoms are in another order, or
    it has dissociated, and the model would give a wrong number in silence.

    Parameters
    ----------
    path
        The ``.npz`` file that ``sgdml`` wrote. Nothing pickled in it is read.
    energy_unit
        Unit of its energies, ``"kcal/mol"``, ``"eV"``, ``"kJ/mol"`` or ``"Hartree"``, for a
        file that declares none; its lengths are then in Å.

    Raises
    ------
    ModelError
        The file is no sGDML model, or one of a periodic system.
    ConfigError
        The units are not known, or not those that the file declares.
    """

    periodic = False
    conservative = True
    cost: Literal["cheap", "moderate", "costly"] = "moderate"

    def __init__(self, path: str | Path, energy_unit: str | None = None) -> None:
        self.path = Path(path).expanduser().resolve()
        model = _read(self.path)
        self._hash = sha256(self.path)
        self._units = _units(model, energy_unit, self.path)
        self._numbers = np.asarray(model["z"], dtype=int)
        self._bonds = _bonds(self._numbers, np.asarray(model["R_desc"]), self._units[1])
        self.elements = frozenset(self._numbers.tolist())
        stem = "".join(letter if letter.isalnum() else "_" for letter in self.path.stem.lower())
        self.name = f"sgdml_{stem}" if stem.isascii() else "sgdml"
        self.level_of_theory = (
            f"sGDML {self.path.name} (sha256 {self._hash[:16]}, {self._units[0]!r} eV and "
            f"{self._units[1]!r} Å)"
        )

    def refusal(self, atoms: Atoms) -> str | None:
        """Return why this model cannot take ``atoms``, or None when it can."""
        reason = super().refusal(atoms)
        if reason:
            return reason
        if not np.array_equal(atoms.numbers, self._numbers):
            wanted = "".join(chemical_symbols[number] for number in self._numbers)
            return f"{self.name} is a model of the atoms {wanted} in this order, and of no others"
        first, second, longest = self._bonds
        lengths = np.linalg.norm(atoms.positions[first] - atoms.positions[second], axis=1)
        if (lengths <= longest).all():
            return None
        worst = int(np.argmax(lengths / longest))
        symbols = [chemical_symbols[number] for number in self._numbers]
        one, other = int(first[worst]), int(second[worst])
        return (
            f"{self.name}: its bond {symbols[one]}{one}-{symbols[other]}{other} is "
            f"{lengths[worst]:.2f} Å long here: the atoms are in another order, or it is broken"
        )

    def calculator(self) -> Calculator:
        """Return a new calculator.

        Raises
        ------
        DependencyError
            The package sgdml is not installed.
        ModelError
            The file has changed.
        """
        try:
            with own_loggers():
                from sgdml.predict import GDMLPredict
        except ImportError as error:
            raise DependencyError("sgdml", "sgdml", f"the prior {self.name!r}") from error
        if sha256(self.path) != self._hash:
            raise ModelError(f"{self.path} has changed since it was loaded: load the prior again")
        engine = GDMLPredict(_read(self.path), max_processes=1)
        energy_unit, length_unit = self._units

        def function(atoms: Atoms) -> Results:
            energy, forces = engine.predict(atoms.positions.ravel() / length_unit)
            return {
                "energy": float(energy[0]) * energy_unit,
                "forces": forces.reshape(-1, 3) * (energy_unit / length_unit),
            }

        return FunctionCalculator(function)


@contextmanager
def own_loggers() -> Iterator[None]:
    """Import sgdml inside: it makes its own kind of logger that of the whole process."""
    import torch  # noqa: F401 - which sgdml imports, and which makes loggers when imported

    before = logging.getLoggerClass()
    try:
        yield
    finally:
        logging.setLoggerClass(before)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"there is no sGDML model {path}")
    try:
        with np.load(path, allow_pickle=False) as file:
            model = {key: file[key] for key in _KEYS}
            model.update({key: file[key] for key in _OPTIONAL if key in file})
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise ModelError(f"{path} is no sGDML model ({error})") from error
    if _text(model["type"]) != "m":
        raise ModelError(f"{path} is an sGDML file of another kind (a data set or a task)")
    if "lattice" in model:
        raise ModelError(f"{path} is an sGDML model of a periodic system, which is not supported")
    return model


def _units(model: dict[str, Any], given: str | None, path: Path) -> tuple[float, float]:
    """Return the units of energy and length in eV and Å."""
    declared = _text(model["e_unit"]) if "e_unit" in model else None
    energy = declared or given
    if energy is None:
        raise ConfigError(
            f"{path} declares no units: name that of its energies (lengths are then in Å), "
            f"sgdml:{path.name}@kcal/mol for example"
        )
    if given is not None and _find(given, ENERGY_UNITS) != _find(energy, ENERGY_UNITS):
        raise ConfigError(f"{path} declares energies in {declared}, not in {given}")
    length = _text(model["r_unit"]) if "r_unit" in model else "Ang"
    return _find(energy, ENERGY_UNITS), _find(length, LENGTH_UNITS)


def _find(unit: str, known: dict[str, float]) -> float:
    for name, value in known.items():
        if name.lower() == unit.lower():
            return value
    raise ConfigError(f"unknown unit {unit!r}{did_you_mean(unit, known)}")


def _bonds(
    numbers: npt.NDArray[np.int64], descriptors: npt.NDArray[np.float64], length_unit: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the pairs bonded in all training structures, and how long they may be (Å).

    ``descriptors`` (pairs, structures) are inverse distances of the lower triangle.
    """
    first, second = np.tril_indices(len(numbers), k=-1)
    radii = covalent_radii[numbers[first]] + covalent_radii[numbers[second]]  # (pairs,)
    longest = length_unit / descriptors.min(axis=1)  # (pairs,), Å
    bonded = longest < BONDED * radii
    return first[bonded], second[bonded], BROKEN * radii[bonded]


def _text(value: Any) -> str:
    found = np.asarray(value).item()
    return found.decode() if isinstance(found, bytes) else str(found)
