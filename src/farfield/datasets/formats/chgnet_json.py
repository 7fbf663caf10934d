"""The JSON of MPtrj as CHGNet's authors publish it: materials, and in each its frames.

The file is one object of 11 GB; it is read one material at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np
from ase import Atoms
from ase.units import GPa

from farfield.datasets.contract import Block, Source
from farfield.datasets.frames import labelled
from farfield.errors import DatasetError

_CHUNK = 1 << 22  # characters read at once
_KILOBAR = 0.1 * GPa  # eV/Å³
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def read_chgnet_json(source: Source) -> Iterator[Block]:
    """Yield one block for each material.

    The energy is ``uncorrected_total_energy``: VASP's, without the corrections by which the
    Materials Project mixes functionals. VASP's stress is in kB and positive when the cell would
    expand; it is turned to ASE's sign.
    """
    with source.path.open(encoding="utf-8") as handle:
        for material, frames in _entries(handle, str(source.path)):

            def read(
                places: Sequence[int], material: str = material, frames: dict[str, Any] = frames
            ) -> Iterator[Atoms]:
                names = list(frames)
                for place in places:
                    yield _structure(source, frames[names[place]], f"{material}, {names[place]}")

            yield Block(len(frames), read)


def _structure(source: Source, frame: dict[str, Any], where: str) -> Atoms:
    try:
        structure = frame["structure"]
        symbols = [_element(site, where) for site in structure["sites"]]
        positions = [site["xyz"] for site in structure["sites"]]
        cell = structure["lattice"]["matrix"]
        energy, forces, stress = (
            frame["uncorrected_total_energy"],
            frame["force"],
            np.asarray(frame["stress"], dtype=float),
        )
    except KeyError as error:
        raise DatasetError(f"{source.path}, {where}: it has no {error}") from error
    if stress.shape != (3, 3):
        raise DatasetError(f"{source.path}, {where}: stress of shape {stress.shape}, not (3, 3)")
    return labelled(
        source,
        Atoms(symbols).numbers,
        positions,
        energy,
        forces,
        stress=-_KILOBAR * np.array([stress[index] for index in _VOIGT]),
        cell=cell,
        pbc=True,
        where=where,
    )


def _element(site: dict[str, Any], where: str) -> str:
    species = site["species"]
    if len(species) != 1:
        raise DatasetError(f"{where}: a site with {len(species)} elements: it must have one")
    return str(species[0]["element"])


def _entries(handle: IO[str], path: str) -> Iterator[tuple[str, Any]]:
    """The keys and values of a JSON object that is too large to hold."""
    decoder = json.JSONDecoder()
    buffer = handle.read(_CHUNK).lstrip()
    if not buffer.startswith("{"):
        raise DatasetError(f"{path}: it does not begin with an object: is it the JSON of MPtrj?")
    buffer = buffer[1:]
    while True:
        buffer = buffer.lstrip().removeprefix(",").lstrip()
        if buffer.startswith("}"):
            return
        try:
            key, end = decoder.raw_decode(buffer)
            rest = buffer[end:].lstrip()
            if not rest.startswith(":"):
                raise json.JSONDecodeError("no ':'", buffer, end)
            rest = rest[1:].lstrip()
            value, end = decoder.raw_decode(rest)
        except json.JSONDecodeError as error:
            more = handle.read(max(_CHUNK, len(buffer)))
            if not more:
                raise DatasetError(f"{path}: it ends early: fetch it again") from error
            buffer += more
            continue
        if not isinstance(value, dict):
            raise DatasetError(f"{path}, {key}: a material must be an object of frames")
        yield str(key), value
        buffer = rest[end:]
