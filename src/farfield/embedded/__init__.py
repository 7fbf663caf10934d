"""The embedded example: a small DFT data set and two small models, made by this project.

``tools/embedded`` holds the scripts that made them, and ``README.md`` there says how.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent

CONTROL = "in_distribution"
SHIFTED = {
    "new_molecules": "representation",
    "high_force_norm": "force_norm",
    "new_element": "elements",
    "new_connectivity": "connectivity",
}
MODELS = {
    "embedded": _HERE / "models" / "joint.pt",
    "embedded-supervised": _HERE / "models" / "supervised.pt",
}


def structures_file(name: str) -> Path:
    """Path of one of the embedded sets: ``train``, ``isolated_atoms``, or a test set."""
    return _HERE / "data" / f"{name}.extxyz"
