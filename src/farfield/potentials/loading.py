"""Find a model by alias, path, ``file.py:object`` or ``module:Class``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from ase.calculators.calculator import Calculator

from farfield import embedded
from farfield.errors import ModelError, did_you_mean
from farfield.importing import Imported
from farfield.potentials import archive
from farfield.potentials.adapters import adapter
from farfield.potentials.blackbox import BlackBoxPotential
from farfield.potentials.chgnet.library import PRETRAINED_ALIASES
from farfield.potentials.contract import Potential
from farfield.potentials.mace.library import FOUNDATION_ALIASES
from farfield.potentials.trainable import TrainablePotential

CALCULATORS = {"emt": "ase.calculators.emt:EMT", "lj": "ase.calculators.lj:LennardJones"}
MACE_SUFFIX = ".model"  # of mace-torch; such a file is a pickle, opened for its name alone
CHGNET_SUFFIX = ".tar"  # of chgnet
ALIASES = (*embedded.MODELS, *PRETRAINED_ALIASES, *FOUNDATION_ALIASES, *CALCULATORS)


def load_potential(
    spec: str,
    *,
    cutoff: float | None = None,
    dtype: torch.dtype | None = None,
    device: str = "cpu",
) -> tuple[Potential, dict[str, Any]]:
    """Load a model, and the refinement rule stored beside it (empty when there is none).

    Parameters
    ----------
    spec
        An alias (``embedded``, ``chgnet``, ``mace-mp-small``, ``emt``, ...); the path of a
        model file of farfield, of chgnet (``.pth.tar``), or of mace-torch (``.model``, a
        pickle: open none that you do not trust); or ``module:Name`` or ``file.py:Name``,
        where ``Name`` is a potential, an ASE calculator, its class, or a function that
        returns one.
    cutoff
        Radius of the graph for a black box, Å.
    dtype
        Floating-point type; None keeps the file's.
    device
        ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    ModelError
        Nothing has that name, or what has it is no model.
    """
    if spec in embedded.MODELS:
        return _from_archive(embedded.MODELS[spec], dtype, device)
    if spec in PRETRAINED_ALIASES:
        return _native_chgnet(spec, dtype, device), {}
    if spec in FOUNDATION_ALIASES:
        return _native_mace(spec, dtype, device), {}
    if spec in CALCULATORS:
        spec = CALCULATORS[spec]
    if ":" in spec:
        return _from_code(spec, cutoff), {}
    path = Path(spec)
    if not path.is_file():
        raise ModelError(
            f"no model is called {spec!r}, and no such file{did_you_mean(spec, ALIASES)}"
        )
    native = {MACE_SUFFIX: _native_mace, CHGNET_SUFFIX: _native_chgnet}
    if path.suffix in native and not archive.is_archive(path):
        return native[path.suffix](path, dtype, device), {}
    return _from_archive(path, dtype, device)


def moved(
    potential: TrainablePotential, dtype: torch.dtype | None = None, device: str = "cpu"
) -> TrainablePotential:
    """Return a copy of another floating-point type (None: the same) on a device."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        potential.save(path)
        return _from_archive(path, dtype, device)[0]


def _from_archive(
    path: Path, dtype: torch.dtype | None, device: str
) -> tuple[TrainablePotential, dict[str, Any]]:
    content = archive.load(path, device)
    module = adapter(content.architecture)
    if module is None:
        raise ModelError(
            f"{path}: unknown architecture {content.architecture!r}: "
            "install the package that has it"
        )
    return module.load(content, dtype, device), content.rule


def _native_mace(source: Path | str, dtype: torch.dtype | None, device: str) -> Potential:
    from farfield.potentials.mace import adapter as mace
    from farfield.potentials.mace import library

    if isinstance(source, Path):
        module = library.load_native(source, device)
    else:
        module = library.load_foundation(source, device)
    return mace.MacePotential(module if dtype is None else module.to(dtype))


def _native_chgnet(source: Path | str, dtype: torch.dtype | None, device: str) -> Potential:
    from farfield.potentials.chgnet import adapter as chgnet
    from farfield.potentials.chgnet import library

    if isinstance(source, Path):
        module = library.load_native(source)
    else:
        module = library.load_pretrained(source)
    return chgnet.from_native(module, dtype, device)


def _from_code(spec: str, cutoff: float | None) -> Potential:
    found = Imported.parse(spec).load()
    if callable(found) and not isinstance(found, (Potential, Calculator)):
        try:
            found = found()
        except Exception as error:
            raise ModelError(f"{spec} cannot be made: {type(error).__name__}: {error}") from error
    if isinstance(found, Potential):
        return found
    if isinstance(found, Calculator):
        return BlackBoxPotential(found, cutoff)
    raise ModelError(
        f"{spec} is a {type(found).__name__}: it must be a farfield potential or an ASE calculator"
    )
