"""NumPy archives (npz) of one molecule: fixed elements, and arrays over its geometries."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.datasets.contract import Block, Source
from farfield.datasets.frames import labelled
from farfield.errors import DatasetError


@final
@dataclass(frozen=True)
class Keys:
    """The names of the arrays: elements (N,), positions (n, N, 3), energies (n,), forces."""

    numbers: str
    positions: str
    energies: str
    forces: str


SGDML = Keys("z", "R", "E", "F")
REVISED = Keys("nuclear_charges", "coords", "energies", "forces")


def read_arrays(source: Source, path: Path, keys: Keys) -> Iterator[Block]:
    """Yield the one block of an npz file; units that the file declares are compared.

    The arrays of positions and forces are loaded whole: the format cannot do otherwise.
    """
    try:
        with path.open("rb") as handle, np.load(handle) as archive:  # it pickles nothing
            missing = [key for key in vars(keys).values() if key not in archive.files]
            if missing:
                raise DatasetError(
                    f"{path}: it has no array {missing[0]!r}: it holds {', '.join(archive.files)}"
                )
            source.dataset.units.confirm(
                str(path), energy=_word(archive, "e_unit"), length=_word(archive, "r_unit")
            )
            numbers, energies = archive[keys.numbers], archive[keys.energies].reshape(-1)

            def read(places: Sequence[int]) -> Iterator[Atoms]:
                positions = _array(archive, keys.positions, len(energies), numbers, path)
                forces = _array(archive, keys.forces, len(energies), numbers, path)
                for place in places:
                    yield labelled(
                        source,
                        numbers,
                        positions[place],
                        energies[place],
                        forces[place],
                        where=f"{path.name}, structure {place}",
                    )

            yield Block(len(energies), read)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DatasetError(f"{path}: it is no whole npz file ({reason}): fetch it again") from error


def _array(
    archive: Any, key: str, count: int, numbers: npt.NDArray[Any], path: Path
) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = archive[key]
    if array.shape != (count, len(numbers), 3):
        raise DatasetError(
            f"{path}: {key} has the shape {array.shape}, and there are {count} energies of "
            f"{len(numbers)} atoms: the lengths must agree"
        )
    return array


def _word(archive: Any, key: str) -> str:
    if key not in archive.files:
        return ""
    value = archive[key].reshape(-1)[0]
    return value.decode() if isinstance(value, bytes) else str(value)
