"""A memory as plain arrays for a file, and back, to the last bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from farfield.graphs import References
from farfield.shifts.remembered.compositions import Compositions
from farfield.shifts.remembered.environments import Environments
from farfield.shifts.remembered.memory import Limits, Memory
from farfield.shifts.remembered.recalled import Recalled
from farfield.shifts.remembered.totals import Totals

Array = npt.NDArray[Any]

RISING = ("density", "plain_density", "local_densities")  # differences of these are small
_RAGGED = ("eigenvalues", "labelled")


def pack(memory: Memory) -> dict[str, Array]:
    """Everything that a settled memory holds, as arrays by name."""
    content = {
        "plain": np.array(json.dumps({"lacking": memory.lacking, "n_features": memory.n_features}))
    }
    parts = {
        "totals": memory.totals.arrays(),
        "references": memory.references.arrays(),
        "compositions": memory.compositions.arrays(),
        "environments": memory.environments.arrays(),
        "structures": _table(list(memory.structures.values())),
    }
    for part, arrays in parts.items():
        content |= {f"{part}/{name}": _steps(name, values) for name, values in arrays.items()}
    return content


def unpack(content: Mapping[str, Array], limits: Limits) -> Memory:
    """The memory that :func:`pack` gave.

    Raises
    ------
    KeyError
        Something is not there.
    """
    memory = Memory(limits)
    plain = json.loads(str(content["plain"]))
    memory.lacking = {axis: (count, reason) for axis, (count, reason) in plain["lacking"].items()}
    if plain["n_features"] is not None:
        memory.prepare(plain["n_features"])

    def part(name: str) -> dict[str, Array]:
        found = below(f"{name}/", content)
        return {key: _sums(key, values) for key, values in found.items()}

    memory.totals = Totals.from_arrays(part("totals"))
    memory.references = References.from_arrays(part("references"))
    memory.compositions = Compositions.from_arrays(part("compositions"))
    memory.environments = Environments.from_arrays(memory.environments.budget, part("environments"))
    table = part("structures")
    memory.structures = {one.key: one for one in _structures(table)} if table else {}
    return memory.settle()


def below(prefix: str, content: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays whose names begin with a prefix, without it."""
    return {
        name.removeprefix(prefix): values
        for name, values in content.items()
        if name.startswith(prefix)
    }


def _table(structures: list[Recalled]) -> dict[str, Array]:
    """One array per quantity; what each structure has of its own length is put end to end."""
    if not structures:
        return {}
    table: dict[str, Array] = {
        "keys": np.array([one.key for one in structures], dtype=np.uint64),
        "n_atoms": np.array([one.n_atoms for one in structures]),
        "cutoff": np.array([one.cutoff for one in structures]),
        "means": np.stack([one.means for one in structures]),
    }
    for name in structures[0].fixed:
        table[f"fixed/{name}"] = np.stack([one.fixed[name] for one in structures])
    for name in structures[0].rows:
        _put(table, f"rows/{name}", [one.rows[name] for one in structures])
    for name in _RAGGED:
        _put(table, name, [getattr(one, name) for one in structures])
    return table


def _put(table: dict[str, Array], name: str, parts: list[Array]) -> None:
    table[f"lengths/{name}"] = np.array([len(values) for values in parts])
    table[name] = np.concatenate(parts)


def _cut(table: Mapping[str, Array], name: str) -> list[Array]:
    return np.split(table[name], np.cumsum(table[f"lengths/{name}"])[:-1])


def _structures(table: Mapping[str, Array]) -> list[Recalled]:
    rows = {
        name.removeprefix("rows/"): _cut(table, name) for name in table if name.startswith("rows/")
    }
    fixed = below("fixed/", table)
    ragged = {name: _cut(table, name) for name in _RAGGED}
    return [
        Recalled(
            key=int(table["keys"][place]),
            n_atoms=int(table["n_atoms"][place]),
            cutoff=float(table["cutoff"][place]),
            fixed={name: values[place] for name, values in fixed.items()},
            means=table["means"][place],
            rows={name: parts[place] for name, parts in rows.items()},
            eigenvalues=ragged["eigenvalues"][place],
            labelled=ragged["labelled"][place],
        )
        for place in range(len(table["keys"]))
    ]


def _rises(name: str, values: Array) -> bool:
    return name.rsplit("/", 1)[-1] in RISING and values.dtype == np.uint16


def _steps(name: str, values: Array) -> Array:
    """Cumulative densities as differences, which compress well; wrapped, so reversible."""
    if not _rises(name, values):
        return values
    return np.diff(values, axis=-1, prepend=np.uint16(0))


def _sums(name: str, values: Array) -> Array:
    return np.cumsum(values, axis=-1, dtype=np.uint16) if _rises(name, values) else values
