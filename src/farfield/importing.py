"""Objects named on the command line as ``module:Name`` or ``file.py:Name``."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, final

from farfield.errors import ConfigError, did_you_mean
from farfield.files import sha256


@final
@dataclass(frozen=True)
class Imported:
    """An object by its address; unlike the object itself, it can go to another process.

    Attributes
    ----------
    source
        An importable module, or the absolute path of a Python file.
    name
        The object's name in it.
    """

    source: str
    name: str

    @classmethod
    def parse(cls, spec: str) -> Imported:
        """Read ``module:Name`` or ``file.py:Name``; the file must exist."""
        source, _, name = spec.rpartition(":")
        if not source or not name.isidentifier():
            raise ConfigError(f"{spec!r} is not of the form module:Name or file.py:Name")
        if source.endswith(".py"):
            path = Path(source).expanduser().resolve()
            if not path.is_file():
                raise ConfigError(f"{spec!r}: there is no file {source}")
            source = str(path)
        return cls(source, name)

    def load(self) -> Any:
        """Import the module or run the file, once per process, and return the object."""
        module = _run_file(Path(self.source)) if self._is_file else _import_module(self.source)
        if self.name not in vars(module):
            public = [name for name in vars(module) if not name.startswith("_")]
            raise ConfigError(
                f"{self.source} has no {self.name!r}{did_you_mean(self.name, public)}"
            )
        return vars(module)[self.name]

    def __call__(self) -> Any:
        """Call the object without arguments."""
        return self.load()()

    @property
    def version(self) -> str:
        """The file's hash or the package's version; empty when neither is known."""
        if self._is_file:
            return f"sha256 {sha256(Path(self.source))[:16]}"
        package = self.source.split(".")[0]
        try:
            return f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            return ""

    @property
    def _is_file(self) -> bool:
        return self.source.endswith(".py")


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise ConfigError(f"cannot import {name} ({type(error).__name__}: {error})") from error


def _run_file(path: Path) -> ModuleType:
    name = f"farfield_file_{path.stem}_{sha256(path)[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # its name ends in .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ConfigError(f"cannot run {path} ({type(error).__name__}: {error})") from error
    return module
