"""Keys of structures: the same geometry has the same key, on every machine and in every order."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from farfield.graphs.neighbours import Graph

Keys = npt.NDArray[np.uint64]

_GAMMA = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def content_key(graph: Graph) -> int:
    """64 bits of a hash of elements, positions, cell and periodicity, to the last bit."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(np.asarray(graph.numbers, dtype="<i8").tobytes())
    digest.update(np.asarray(graph.positions + 0.0, dtype="<f8").tobytes())  # no -0.0
    digest.update(np.asarray(graph.cell + 0.0, dtype="<f8").tobytes())
    digest.update(np.asarray(graph.pbc, dtype=bool).tobytes())
    return int.from_bytes(digest.digest(), "little")


def mixed(keys: Keys, salt: int) -> Keys:
    """Keys that are scrambled anew for every salt (SplitMix64), of the same shape."""
    start = np.uint64((salt * _GAMMA + _GAMMA) & _MASK)
    with np.errstate(over="ignore"):
        z = np.asarray(keys, dtype=np.uint64) * np.uint64(_GAMMA) + start
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))
