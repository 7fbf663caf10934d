"""Make the synthetic sets: sample, label with a reference and a cheaper prior, write.

Whatever is finished stays: a set whose file is there is not made again, and labels come from the
cache. Same size, seed and machine: same structures.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from farfield.datasets.synthetic.molecules import (
    CONTROL,
    SETS,
    SHIFTED,
    TEMPERATURE,
    TEMPERATURES_K,
    TRAIN,
    USUAL_K,
    Molecule,
    molecules,
)
from farfield.datasets.synthetic.sampling import sample
from farfield.errors import ConfigError, DatasetError, LabelError
from farfield.files import default_cache_dir, write_json
from farfield.priors import Failure, LabelCache, Prior, label, load_prior
from farfield.structures import REFERENCE, Labels, attach, check, write

ISOLATED = "isolated_atoms"
RECORD = "synthetic.json"
REFERENCE_PRIOR, CHEAP_PRIOR = "gfn2", "gfn1"
_TENTHS = {TRAIN: 4, **dict.fromkeys((CONTROL, *SHIFTED), 1)}  # of the whole


@dataclass(frozen=True)
class Synthetic:
    """What was made.

    Attributes
    ----------
    size, seed
        As asked for.
    reference, prior
        Levels of theory of the reference labels and of the prior's.
    structures
        How many stand in each set's file.
    failed
        How many each set lost because the reference gave no labels.
    """

    size: int
    seed: int
    reference: str
    prior: str
    structures: dict[str, int]
    failed: dict[str, int]


def make_synthetic(
    folder: Path | str,
    *,
    size: int = 600,
    seed: int = 0,
    reference: Prior | str = REFERENCE_PRIOR,
    prior: Prior | str = CHEAP_PRIOR,
    workers: int = 1,
    cache: Path | str | None = None,
    progress: bool | None = None,
) -> Synthetic:
    """Write one file for each set into ``folder``, and ``synthetic.json`` last.

    ``train`` holds four tenths of the structures: small open chains of H, C, N and O at 300 K.
    ``in_distribution`` is more of the same, from other runs. Each of the other sets is shifted
    along one axis, a tenth each: ``temperature`` (the same molecules at 600 to 2000 K), ``size``,
    ``new_element``, ``new_connectivity`` (rings and cages) and ``functional_group``.
    ``isolated_atoms`` holds the free atoms of all elements, where the reference can label them.

    Parameters
    ----------
    folder
        Where to write.
    size
        How many structures in all, at least 10.
    seed
        Of everything random.
    reference, prior
        Priors, or their names; the first labels as the reference, the second as itself.
    workers
        Processes that label, of one thread each.
    cache
        Folder of the label cache; None takes farfield's.
    progress
        Whether to draw progress bars on standard error; None: if that is a terminal.

    Raises
    ------
    ConfigError
        The size is too small, or reference and prior are of one level of theory.
    DatasetError
        The folder holds sets of another size, seed or level.
    LabelError
        The reference gave no labels for a whole set.
    """
    truth, cheap = load_prior(reference), load_prior(prior)
    if size < 10:
        raise ConfigError(f"size={size}: at least 10 structures are needed, one for each set")
    if truth.level_of_theory == cheap.level_of_theory:
        raise ConfigError(
            f"reference and prior are both {truth.level_of_theory}: a prior that is the reference "
            "corrects everything and shows nothing"
        )
    folder = Path(folder)
    _same_recipe(folder, size, seed, truth, cheap)
    with LabelCache(default_cache_dir() if cache is None else cache) as opened:

        def labels(structures: list[Atoms], level: Prior) -> list[Labels | Failure]:
            return label(structures, level, workers=workers, cache=opened, progress=progress)

        finished = {}
        for name in (*SETS, ISOLATED):
            path = folder / f"{name}.extxyz"
            finished[name] = _known(path)
            if finished[name] is not None:
                continue
            structures = _geometries(name, size, seed)
            expected, offered = labels(structures, truth), labels(structures, cheap)
            kept = [
                _labelled(atoms, one, other, cheap)
                for atoms, one, other in zip(structures, expected, offered, strict=True)
                if isinstance(one, Labels)
            ]
            if kept:
                write(path, kept)
            elif name != ISOLATED:  # force fields know no free atoms, and training can do without
                raise LabelError(f"{truth.name} gave no labels for any structure of {name}")
            finished[name] = (len(kept), len(structures) - len(kept))
            write_json(path.with_suffix(".json"), finished[name])
    counts = {name: known[0] for name, known in finished.items() if known is not None}
    failed = {name: known[1] for name, known in finished.items() if known is not None}
    made = Synthetic(size, seed, truth.level_of_theory, cheap.level_of_theory, counts, failed)
    write_json(folder / RECORD, asdict(made))
    return made


def _same_recipe(folder: Path, size: int, seed: int, truth: Prior, cheap: Prior) -> None:
    """Write down what is made here before it is made, and refuse to mix two recipes."""
    recipe: dict[str, Any] = {
        "size": size,
        "seed": seed,
        "reference": truth.level_of_theory,
        "prior": cheap.level_of_theory,
    }
    path = folder / "recipe.json"
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
        if known != recipe:
            raise DatasetError(f"{folder} holds sets made with {known}: choose another folder")
        return
    write_json(path, recipe)


def _known(path: Path) -> tuple[int, int] | None:
    """Numbers of structures and of failures of a set that is finished."""
    counts = path.with_suffix(".json")
    if not (path.exists() and counts.exists()):
        return None
    kept, failed = json.loads(counts.read_text(encoding="utf-8"))
    return kept, failed


def _labelled(atoms: Atoms, truth: Labels, cheap: Labels | Failure, prior: Prior) -> Atoms:
    attach(atoms, truth, REFERENCE)
    if isinstance(cheap, Failure):
        atoms.info[f"{prior.label_name}_failure"] = cheap.reason
    else:
        attach(atoms, cheap, prior.label_name)
    return atoms


def _geometries(name: str, size: int, seed: int) -> list[Atoms]:
    if name == ISOLATED:
        return _isolated_atoms()
    found = []
    for (molecule, temperature), count in _shares(name, size, seed).items():
        run = [seed, *(zlib.crc32(word.encode()) for word in (name, molecule.name))]
        own = int(np.random.default_rng([*run, int(temperature)]).integers(2**31 - 1))
        for atoms in sample(molecule, temperature, count, own):
            check(atoms)
            atoms.info["axis"] = name
            found.append(atoms)
    return found


def _shares(name: str, size: int, seed: int) -> Mapping[tuple[Molecule, float], int]:
    """How many structures each run of a set gives: equal parts, of as many runs as there are."""
    temperatures: Sequence[float] = TEMPERATURES_K if name == TEMPERATURE else (USUAL_K,)
    runs = [(molecule, t) for molecule in molecules()[SETS[name]] for t in temperatures]
    order = np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(len(runs))
    total = size * _TENTHS[name] // sum(_TENTHS.values())
    shares: dict[tuple[Molecule, float], int] = {}
    for place in islice(cycle(order), max(1, total)):
        shares[runs[place]] = shares.get(runs[place], 0) + 1
    return {run: shares[run] for run in runs if run in shares}


def _isolated_atoms() -> list[Atoms]:
    symbols = ("H", "C", "N", "O", "F", "Si", "P", "S", "Cl")  # of all molecules
    return [Atoms(symbol, positions=[[0.0, 0.0, 0.0]]) for symbol in symbols]
