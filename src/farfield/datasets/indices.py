"""Lists of indices: which structures of a set belong to a published split."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from farfield.errors import DatasetError


def read_indices(path: Path) -> npt.NDArray[np.int64]:
    """Return the indices of a list, from 0, in increasing order.

    A file ``.npy``, ``.json`` (one list), or text with one index on each line (``.txt``, ``.csv``).

    Raises
    ------
    DatasetError
        It is no such list, or an index is negative or given twice.
    """
    try:
        if path.suffix == ".npy":
            values = np.load(path, allow_pickle=False)
        elif path.suffix == ".json":
            values = np.asarray(json.loads(path.read_text(encoding="utf-8")))
        else:
            words = path.read_text(encoding="utf-8").replace(",", " ").split()
            values = np.array([int(word) for word in words])
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DatasetError(
            f"{path}: no list of indices ({reason}): give a .npy, a JSON list, or one on each line"
        ) from error
    if values.ndim != 1 or not len(values) or values.dtype.kind not in "iu":
        raise DatasetError(f"{path}: it must be one list of whole numbers, at least one")
    ordered = np.sort(values.astype(np.int64))
    if ordered[0] < 0:
        raise DatasetError(f"{path}: the index {ordered[0]} is negative: indices begin at 0")
    twice = ordered[:-1][ordered[:-1] == ordered[1:]]
    if len(twice):
        raise DatasetError(f"{path}: the index {twice[0]} stands in it twice")
    return ordered
