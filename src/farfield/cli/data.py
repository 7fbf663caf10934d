"""``farfield data``: public data sets, and synthetic ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farfield.cli import options

app = typer.Typer(
    help="List, describe, fetch and make sets of labelled structures.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Reference = Annotated[
    str,
    typer.Argument(help="NAME or NAME:SUBSET, then maybe @count=N, @sample=N,seed=S or the like."),
]


@app.command("list")
def list_sets(as_json: options.Json = False) -> None:
    """List the data sets that can be named wherever a file of structures can."""
    import json

    from farfield.verbs.data import all_sets

    found = all_sets()
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for described in found:
        typer.echo(f"{described['name']:13}{described['title']}")


@app.command("info")
def info(name: Reference, as_json: options.Json = False) -> None:
    """Describe a data set: content, level of theory, licence, files and how they are verified."""
    import json

    from farfield.verbs.data import describe_set, text_of

    described = describe_set(name)
    if as_json:
        typer.echo(json.dumps(described, ensure_ascii=False))
        return
    typer.echo(text_of(described))


@app.command("get")
def get(
    reference: Reference,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the structures to this extended XYZ file."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Fetch a subset and verify it; with -o, write its structures as extended XYZ."""
    import json

    from farfield.verbs.data import get as get_set

    done = get_set(reference, output)
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False))
        return
    typer.echo(done["path"], err=True)
    if output is not None:
        skipped = f", {done['n_skipped']} without labels left out" if done["n_skipped"] else ""
        typer.echo(f"{output}: {done['n_structures']} structures{skipped}", err=True)
