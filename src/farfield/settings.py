"""Settings as pydantic models, whose complaints are one line with a "did you mean"."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from farfield.errors import ConfigError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], content: dict[str, Any], where: str) -> Model:
    """Build ``model`` from ``content``, which came from ``where``.

    Raises
    ------
    ConfigError
        A key is unknown, or has an impossible value.
    """
    try:
        return model(**content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            hint = did_you_mean(key, model.model_fields) if len(first["loc"]) == 1 else ""
            raise ConfigError(f"{where}: unknown key {key!r}{hint}") from error
        if first["type"] == "missing":
            raise ConfigError(f"{where}: the key {key!r} is missing") from error
        said = first["msg"].removeprefix("Value error, ")
        if not key:  # the keys do not agree with each other
            raise ConfigError(f"{where}: {said}") from error
        raise ConfigError(f"{where}: {key}: {said} (got {first['input']!r})") from error


def read_yaml(path: Path | None) -> dict[str, Any]:
    """Read the keys and values of a YAML file; without one there are none.

    Raises
    ------
    ConfigError
        The file is missing, not YAML, or holds something else.
    """
    if path is None:
        return {}
    if not path.exists():
        raise ConfigError(f"{path}: no such file")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: must hold 'key: value' lines")
    return content
