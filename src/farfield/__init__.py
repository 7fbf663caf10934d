"""farfield: how far is a structure from what a force field was trained on, and what then?

The verbs of the command line are functions here, with the same names and defaults:
:func:`profile`, :func:`diagnose`, :func:`label`, :func:`train`, :func:`refine`,
:func:`simulate`, :func:`compare`, :func:`evaluate`, :func:`export` and :func:`demo`. They are
imported when first used. The parts of ``farfield bench`` are :func:`bench_run`, :func:`bench_list`,
:func:`bench_compare` and :func:`bench_report`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from farfield.errors import FarfieldError

if TYPE_CHECKING:
    from farfield.refinement.models import load_model
    from farfield.structures import read, write
    from farfield.verbs.bench import bench_compare, bench_list, bench_report, bench_run
    from farfield.verbs.compare import compare
    from farfield.verbs.demo import demo
    from farfield.verbs.diagnose import diagnose
    from farfield.verbs.evaluate import evaluate
    from farfield.verbs.export import export
    from farfield.verbs.label import label
    from farfield.verbs.profile import profile
    from farfield.verbs.refine import refine
    from farfield.verbs.simulate import simulate
    from farfield.verbs.train import train

_HOMES = {
    **{
        verb: f"farfield.verbs.{verb}"
        for verb in (
            "compare",
            "demo",
            "diagnose",
            "evaluate",
            "export",
            "label",
            "profile",
            "refine",
            "simulate",
            "train",
        )
    },
    **{f"bench_{part}": "farfield.verbs.bench" for part in ("compare", "list", "report", "run")},
    "load_model": "farfield.refinement.models",
    "read": "farfield.structures",
    "write": "farfield.structures",
}

__all__ = [
    "FarfieldError",
    "bench_compare",
    "bench_list",
    "bench_report",
    "bench_run",
    "compare",
    "demo",
    "diagnose",
    "evaluate",
    "export",
    "label",
    "load_model",
    "profile",
    "read",
    "refine",
    "simulate",
    "train",
    "write",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'farfield' has no attribute {name!r}")
