"""The molecules of the synthetic sets, by the set they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import final

KNOWN = "known"
TEMPERATURE = "temperature"
TRAIN, CONTROL = "train", "in_distribution"
AXES = ("size", "new_element", "new_connectivity", "functional_group")
SHIFTED = (TEMPERATURE, *AXES)
SETS: Mapping[str, str] = MappingProxyType(  # set of structures: set of molecules
    {TRAIN: KNOWN, CONTROL: KNOWN, TEMPERATURE: KNOWN, **{axis: axis for axis in AXES}}
)
USUAL_K = 300.0
TEMPERATURES_K = (600.0, 1000.0, 1500.0, 2000.0)


@final
@dataclass(frozen=True)
class Molecule:
    """A molecule by its name and SMILES string."""

    name: str
    smiles: str


@cache
def molecules() -> Mapping[str, tuple[Molecule, ...]]:
    """The molecules of each set, in the order of the list."""
    found: dict[str, list[Molecule]] = {}
    lines = Path(__file__).with_name("molecules.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if not line.startswith("#"):
            group, name, smiles = line.split()
            found.setdefault(group, []).append(Molecule(name, smiles))
    return MappingProxyType({group: tuple(members) for group, members in found.items()})
