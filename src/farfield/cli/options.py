"""Options that several verbs share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Structures = Annotated[
    list[Path], typer.Argument(help="Files of structures, of any format that ASE reads.")
]
Model = Annotated[
    str,
    typer.Option(
        "--model", help="An alias (see 'farfield list'), a path, module:Class or file.py:object."
    ),
]
MaybeModel = Annotated[
    str | None,
    typer.Option(
        "--model", help="An alias (see 'farfield list'), a path, module:Class or file.py:object."
    ),
]
Prior = Annotated[
    str | None,
    typer.Option("--prior", help="An alias or a form of 'farfield list', such as gfn2."),
]
Committee = Annotated[
    list[str] | None,
    typer.Option(
        "--committee", help="A model trained like --model with another seed; several times."
    ),
]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes, of one thread each.")]
Cache = Annotated[
    Path | None,
    typer.Option("--cache", help="Folder of the label cache; default: farfield's in ~/.cache."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of everything random.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Folder = Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")]
File = Annotated[Path, typer.Option("--output", "-o", help="The file to write.")]
