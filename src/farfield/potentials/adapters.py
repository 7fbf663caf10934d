"""Which module knows an architecture: farfield's own, and those of other packages.

A package adds an architecture by an entry point of the group ``farfield.potentials``, whose
name is the architecture's and whose value is a module. ``docs/models.md`` says what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from farfield.potentials.gemnet.settings import ARCHITECTURES as GEMNET
from farfield.potentials.graphpes.settings import SETTINGS as GRAPHPES

GROUP = "farfield.potentials"
ARCHITECTURES = ("mace", *GRAPHPES, *GEMNET)  # that can be built anew
MODULES: Mapping[str, str] = MappingProxyType(
    {
        "mace": "farfield.potentials.mace.adapter",
        "chgnet": "farfield.potentials.chgnet.adapter",
        **dict.fromkeys(GEMNET, "farfield.potentials.gemnet.create"),
        **dict.fromkeys(GRAPHPES, "farfield.potentials.graphpes.create"),
    }
)


def architectures() -> tuple[str, ...]:
    """All that can be built anew, those of other packages last."""
    others = {point.name for point in entry_points(group=GROUP)} - MODULES.keys()
    return (*ARCHITECTURES, *sorted(others))


def adapter(architecture: str) -> Any:
    """The module that rebuilds a model of this architecture from its file, or None."""
    if architecture in MODULES:
        return import_module(MODULES[architecture])
    for point in entry_points(group=GROUP, name=architecture):
        return point.load()
    return None
