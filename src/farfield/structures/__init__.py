"""Labelled structures: read, check, split, write. Knows ASE and nothing of farfield above it."""

from farfield.structures.checks import check
from farfield.structures.compositions import composition, some_of_each
from farfield.structures.groups import LeftOut, leave_groups_out
from farfield.structures.h5md import read_h5md
from farfield.structures.labels import (
    REFERENCE,
    UNKNOWN_LEVEL,
    Labels,
    attach,
    describe,
    labels_of,
    require_labels,
    single_level,
    without_labels,
)
from farfield.structures.naming import name_reference
from farfield.structures.reading import read
from farfield.structures.references import is_reference, stream_reference
from farfield.structures.splitting import folds, halves
from farfield.structures.writing import write

__all__ = [
    "REFERENCE",
    "UNKNOWN_LEVEL",
    "Labels",
    "LeftOut",
    "attach",
    "check",
    "composition",
    "describe",
    "folds",
    "halves",
    "is_reference",
    "labels_of",
    "leave_groups_out",
    "name_reference",
    "read",
    "read_h5md",
    "require_labels",
    "single_level",
    "some_of_each",
    "stream_reference",
    "without_labels",
    "write",
]
