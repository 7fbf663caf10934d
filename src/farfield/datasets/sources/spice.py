"""SPICE 1 and 2: drug-like molecules, peptides, dimers and solvated molecules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ase import Atoms

from farfield.datasets.contract import Block, Dataset, File, Source, Subset
from farfield.datasets.formats import hdf5
from farfield.datasets.frames import labelled
from farfield.datasets.units import Units
from farfield.errors import DatasetError

_ENERGY, _GRADIENT, _POSITIONS = "dft_total_energy", "dft_total_gradient", "conformations"
_CHARGE = re.compile(r"\[[^\]]*?(\++|-+)(\d*)(?::\d+)?\]")


def charge_of(smiles: str) -> int:
    """The total charge of a SMILES string: the sum of its atoms' formal charges.

    Examples
    --------
    >>> charge_of("[NH3+:1][CH2:2][C:3](=[O:4])[O-:5]"), charge_of("[Ca+2:1]")
    (0, 2)
    """
    return sum(
        (1 if signs[0] == "+" else -1) * (int(number) if number else len(signs))
        for signs, number in _CHARGE.findall(smiles)
    )


def _read(source: Source) -> Iterator[Block]:
    """One block for each molecule. Forces are minus the gradient."""
    with hdf5.opened(source.path) as handle:
        found = False
        for group in handle.values():
            hdf5.require(group, ("atomic_numbers", _POSITIONS, _ENERGY, _GRADIENT), source.path)
            if not _has_words(_text(group, "subset"), source.subset.part):
                continue
            found = True
            _confirm_units(source, group)
            count = hdf5.count_of(
                group, (_ENERGY, _POSITIONS, _GRADIENT), len(group["atomic_numbers"]), source.path
            )

            def read(places: Sequence[int], group: Any = group) -> Iterator[Atoms]:
                return _structures(source, group, places)

            yield Block(count, read)
        if not found:
            raise DatasetError(f"{source.path}: no molecule's subset has {source.subset.part!r}")


def _structures(source: Source, group: Any, places: Sequence[int]) -> Iterator[Atoms]:
    numbers = group["atomic_numbers"][()]
    charge = charge_of(_text(group, "smiles"))
    positions, energies, gradients = group[_POSITIONS], group[_ENERGY], group[_GRADIENT]
    for place in places:
        yield labelled(
            source,
            numbers,
            positions[place],
            energies[place],
            -gradients[place],
            where=f"{source.path.name}, {group.name}, conformation {place}",
            info={"charge": charge, "spice_subset": _text(group, "subset")},
        )


def _has_words(name: str, words: str) -> bool:
    """Whether words stand in a name as they are: "set 1" is not in "set 10"."""
    return not words or bool(re.search(rf"(?<!\w){re.escape(words)}(?!\w)", name.lower()))


def _confirm_units(source: Source, group: Any) -> None:
    where = f"{source.path}, {group.name}"
    energy, _, length = hdf5.unit_of(group[_GRADIENT]).partition("/")
    source.dataset.units.confirm(where, energy=energy, length=length)
    source.dataset.units.confirm(
        where, energy=hdf5.unit_of(group[_ENERGY]), length=hdf5.unit_of(group[_POSITIONS])
    )


def _text(group: Any, key: str) -> str:
    if key not in group:
        return ""
    value = group[key][0]
    return value.decode() if isinstance(value, bytes) else str(value)


def _spice(name: str, version: str, file: File, count: int | None, citation: str) -> Dataset:
    return Dataset(
        name=name,
        title=f"SPICE {version}: drug-like molecules, peptides, dimers and water",
        level_of_theory="wB97M-D3(BJ)/def2-TZVPPD",
        licence="CC0 1.0",
        citation=citation,
        page="https://github.com/openmm/spice-dataset",
        format="HDF5",
        units=Units("Hartree", "Bohr"),
        reader=_read,
        subsets={"all": Subset(file, n_structures=count)},
        subset_of=lambda word: Subset(file, word.lower()),
        extra="data",
        note="A subset is named by words of its name in the file, such as 'PubChem Set 1'. The "
        "total charge is that of the SMILES string.",
    )


_FIRST = File(
    "SPICE-1.1.4.hdf5",
    "https://zenodo.org/records/8222043/files/SPICE-1.1.4.hdf5",
    "md5:f27d4c81da0e37d6547276bf6b4ae6a1",
)
_SECOND = File(
    "SPICE-2.0.1.hdf5",
    "https://zenodo.org/records/10975225/files/SPICE-2.0.1.hdf5",
    "md5:bfba2224b6540e1390a579569b475510",
    37_479_271_148,
)
SPICE1 = _spice(
    "spice1",
    "1.1.4",
    _FIRST,
    None,
    "Eastman et al., Sci. Data 10, 11 (2023), doi:10.1038/s41597-022-01882-6",
)
SPICE2 = _spice(
    "spice2",
    "2.0.1",
    _SECOND,
    2_008_628,
    "Eastman et al., J. Chem. Theory Comput. 20, 8583 (2024), doi:10.1021/acs.jctc.4c00794",
)
