"""The one door to mace-torch: lazy, with its side effects on the process kept out."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import torch

from farfield.errors import DependencyError, ModelError
from farfield.potentials.precision import default_dtype

_SWITCH = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
FOUNDATION_ALIASES = {  # to mace-torch's function and its name of the model
    **{
        f"mace-{family}-{size}": (family, size)
        for family in ("mp", "off")
        for size in ("small", "medium", "large")
    },
    "mace-mp-0b3": ("mp", "medium-0b3"),
    "mace-mpa-0": ("mp", "medium-mpa-0"),
    "mace-omat-0-small": ("mp", "small-omat-0"),
    "mace-omat-0-medium": ("mp", "medium-omat-0"),
    "mace-matpes-pbe-0": ("mp", "mace-matpes-pbe-0"),
    "mace-matpes-r2scan-0": ("mp", "mace-matpes-r2scan-0"),
}


def mace_modules() -> Any:
    """Return :mod:`mace.modules`.

    Importing mace-torch switches ``torch.load``'s safety off for the whole process; the
    switch is set back here.

    Raises
    ------
    DependencyError
        mace-torch is not installed.
    """
    with contained(), redirect_stdout(io.StringIO()):  # it prints what it would accelerate with
        try:
            from mace import modules
        except ModuleNotFoundError as error:
            raise DependencyError("mace-torch", "mace", "a MACE model") from error
    return modules


def mace_scripts() -> Any:
    """Return :mod:`mace.tools.scripts_utils`, which knows a model's configuration."""
    mace_modules()
    with contained():
        from mace.tools import scripts_utils
    return scripts_utils


def load_native(path: Path, device: torch.device | str) -> torch.nn.Module:
    """Load mace-torch's own ``.model`` file.

    Such a file is a pickle and can run any code when it is opened: open only files whose
    origin you trust, and prefer farfield's own format.

    Raises
    ------
    ModelError
        The file cannot be read as a MACE model.
    """
    mace_modules()
    try:
        with contained():
            module = torch.load(path, map_location=device, weights_only=False)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{path}: not a readable MACE model file ({reason})") from error
    if not isinstance(module, torch.nn.Module) or not hasattr(module, "radial_embedding"):
        raise ModelError(f"{path}: it holds a {type(module).__name__}, not a MACE model")
    return module


def load_foundation(alias: str, device: torch.device | str) -> torch.nn.Module:
    """Fetch one of the MACE foundation models through mace-torch's own downloader.

    Raises
    ------
    ModelError
        The download failed (no network, say).
    """
    family, size = FOUNDATION_ALIASES[alias]
    mace_modules()
    with contained():
        from mace.calculators import mace_mp, mace_off

        function = {"mp": mace_mp, "off": mace_off}[family]
        try:
            module: torch.nn.Module = function(
                model=size, device=str(device), return_raw_model=True
            )
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(
                f"{alias}: mace-torch could not fetch it ({reason}): download the .model file "
                "by hand and give its path"
            ) from error
    return module


@contextmanager
def contained() -> Iterator[None]:
    """Undo what mace-torch and e3nn do to the process: environment, default type, warnings.

    What they print goes to standard error: standard output belongs to the command line.
    """
    before = os.environ.get(_SWITCH)
    torch.serialization.add_safe_globals([slice])  # e3nn reads its constants with it
    try:
        with (
            default_dtype(torch.get_default_dtype()),
            warnings.catch_warnings(),
            redirect_stdout(sys.stderr),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        if before is None:
            os.environ.pop(_SWITCH, None)
        else:
            os.environ[_SWITCH] = before
