"""The errors that farfield raises on purpose.

Each message says what was wrong, where, and what to do. The command line prints it on
one line and exits non-zero; Python users catch :class:`FarfieldError`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FarfieldError(Exception):
    """Base class of every error that farfield raises on purpose."""


class StructureError(FarfieldError):
    """A structure, or a file of structures, cannot be used as it is."""


class LabelError(FarfieldError):
    """Labels are missing, not finite, or belong to another level of theory."""


class CapabilityError(FarfieldError):
    """A potential or prior was asked for something that it cannot do."""


class DependencyError(FarfieldError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed: "
            f"run  pip install 'farfield[{extra}]'"
        )


class ModelError(FarfieldError):
    """A model cannot be found, read or understood."""


class DatasetError(FarfieldError):
    """A data set cannot be fetched, verified or read."""


class ProfileError(FarfieldError):
    """A profile cannot be read, or does not belong to the model or the data at hand."""


class ConfigError(FarfieldError):
    """An option or a configuration key is unknown or has an impossible value."""


class DirectForcesWarning(UserWarning):
    """A calculator's forces are not the gradient of its energy."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known word, else what is known.

    Examples
    --------
    >>> did_you_mean("gnf2", ["gfn1", "gfn2", "emt"])
    "; did you mean 'gfn2'?"
    """
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known: {', '.join(known)}" if known else ""
