"""What the scripts of studies do alike: open the models of tasks, and write what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from farfield.benchmarks.provenance import hardware, versions
from farfield.benchmarks.tasks.task import load_task
from farfield.benchmarks.zoo import Zoo
from farfield.files import write_json, write_text
from farfield.priors import LabelCache
from farfield.processes import set_up_process


def open_zoos(tasks: Sequence[str], folder: Path) -> Iterator[Zoo]:
    """The models of each task, kept in ``folder/models``, and one cache of labels beside them."""
    set_up_process()
    with LabelCache(folder / "cache") as cache:
        for spec in tasks:
            yield Zoo(load_task(spec), folder / "models", cache)


def write_study(path: Path, command: str, content: Mapping[str, Any], text: str) -> None:
    """Write ``path.json``, with what it was made by, and ``path.md``; print the latter.

    Parameters
    ----------
    path
        Without a suffix.
    command
        By which it is made again.
    content
        The results.
    text
        Markdown.
    """
    about = {"command": command, "versions": versions(), "hardware": hardware()}
    write_json(path.with_suffix(".json"), {**about, **content})
    write_text(path.with_suffix(".md"), text)
    print(text)
