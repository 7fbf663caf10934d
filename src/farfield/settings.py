"""Settings as pydantic models, whose complaints are one line with a "did you mean"."""

from __future__ import annotations

from typing import Any, TypeVar

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
            hint = did_you_mean(key, model.model_fields)
            raise ConfigError(f"{where}: unknown key {key!r}{hint}") from error
        raise ConfigError(f"{where}: {key}: {first['msg']} (got {first['input']!r})") from error
