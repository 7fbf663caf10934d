"""The splits that the authors of the paper on distribution shifts published."""

from __future__ import annotations

from collections.abc import Iterator

from farfield.datasets.contract import NO_LEVEL, Block, Dataset, File, Source, Subset
from farfield.datasets.formats.extended_xyz import read_extended_xyz
from farfield.datasets.units import Units
from farfield.errors import DatasetError

_ARCHIVE = File("benchmarks.zip", unpack=True)
_LEVELS = {  # by a word of the path in the archive
    "md17": "PBE+vdW-TS",
    "md22": "PBE+MBD",
    "spice": "wB97M-D3(BJ)/def2-TZVPPD",
}


def _subset(name: str) -> Subset:
    levels = {level for word, level in _LEVELS.items() if word in name.lower()}
    return Subset(_ARCHIVE, name, level_of_theory=levels.pop() if len(levels) == 1 else "")


def _read(source: Source) -> Iterator[Block]:
    wanted = source.subset.part
    files = sorted(source.path.rglob("*.xyz"))
    names = [path.relative_to(source.path).as_posix() for path in files]
    chosen = [
        path
        for path, name in zip(files, names, strict=True)
        if name in (wanted, f"{wanted}.xyz") or name.endswith((f"/{wanted}", f"/{wanted}.xyz"))
    ]
    if len(chosen) != 1:
        raise DatasetError(
            f"{source.path}: {len(chosen)} of its files are {wanted!r}; it holds {', '.join(names)}"
        )
    return read_extended_xyz(source, chosen)


KREIMAN2025 = Dataset(
    name="kreiman2025",
    title="Published splits of the paper on distribution shifts: SPICE 2, MD22 by force norm, MD17",
    level_of_theory=NO_LEVEL,
    licence="not stated by its authors",
    citation="Kreiman and Krishnapriyan, arXiv:2503.08674 (2025)",
    page="https://drive.google.com/file/d/1u15bRsrOrERb4WSMfNP-T4jsAiFFNQeb",
    format="extended XYZ in an archive",
    units=Units(),
    reader=_read,
    subset_of=_subset,
    note="The subset is a file's path in the archive, such as "
    "md17_ood_sim/md17_aspirin_benzene_uracil_train; the level of theory follows from 'md17', "
    "'md22' or 'spice' in it, and is unknown without. Their repository names no list of files.",
)
