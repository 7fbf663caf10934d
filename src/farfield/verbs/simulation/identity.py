"""What makes one run of ``simulate`` another: all that decides its trajectories, in one hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from ase import Atoms

from farfield.potentials import fingerprint
from farfield.simulation import Job


def named(value: Any) -> Any:
    """What was given in a form that can be hashed."""
    if isinstance(value, Atoms):
        return _geometry(value)
    if isinstance(value, (list, tuple)):
        return [named(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): named(item) for key, item in value.items()}
    return None if value is None else str(value)


def identity(
    job: Job, groups: list[list[int]], refining: Mapping[str, Any], loading: Mapping[str, Any]
) -> str:
    """Hash all that decides the trajectories, but for their length."""
    content = {
        "model": [fingerprint(job.potential), job.head],
        "starts": [_geometry(atoms) for atoms in job.starts],
        "settings": {k: v for k, v in job.settings.model_dump().items() if k != "duration"},
        "groups": groups,
        "loading": loading,
        "refining": refining,
        "prior": None if job.prior is None else job.prior.level_of_theory,
        "profile": None if job.profile is None else job.profile.header,
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _geometry(atoms: Atoms) -> str:
    digest = hashlib.sha256()
    for array in (atoms.numbers, atoms.positions, np.asarray(atoms.cell), atoms.pbc):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(repr([atoms.info.get("charge"), atoms.info.get("spin")]).encode())
    return digest.hexdigest()[:16]
