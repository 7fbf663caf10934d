"""farfield's model file: a configuration and tensors, no code, read with ``weights_only``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from farfield.errors import ModelError
from farfield.files import atomic

FORMAT = "farfield-model"
VERSION = 1


@dataclass(frozen=True)
class Archive:
    """What a model file holds.

    Attributes
    ----------
    architecture
        Name of the adapter that rebuilds the model, such as ``"mace"``.
    config
        Plain values (numbers, strings, lists, dicts) from which the adapter builds it.
    state
        Its parameters and buffers.
    metadata
        How it was trained or refined: plain values.
    rule
        A refinement that is applied at every prediction, such as the radius rule; or empty.
    """

    architecture: str
    config: dict[str, Any]
    state: dict[str, torch.Tensor]
    metadata: dict[str, Any] = field(default_factory=dict)
    rule: dict[str, Any] = field(default_factory=dict)


def save(path: Path, archive: Archive) -> None:
    """Write ``archive`` atomically."""
    content = {"format": FORMAT, "version": VERSION, **vars(archive)}
    with atomic(path) as partial:
        torch.save(content, partial)


def is_archive(path: Path) -> bool:
    """Whether ``path`` is one of farfield's model files (reads no code from it)."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # noqa: BLE001 - any failure means: another kind of file
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT


def load(path: Path, device: torch.device | str = "cpu") -> Archive:
    """Read a model file; nothing in it is executed.

    Raises
    ------
    ModelError
        The file is damaged, is not farfield's, or has another version.
    """
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        raise ModelError(f"{path}: not a readable farfield model file: fetch it again") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelError(f"{path}: not a farfield model file")
    if content["version"] != VERSION:
        raise ModelError(
            f"{path}: written in version {content['version']} of the format, this farfield "
            f"reads version {VERSION}: train or refine the model again"
        )
    del content["format"], content["version"]
    return Archive(**content)
