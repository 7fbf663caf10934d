"""``farfield data``: public data sets, and synthetic ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farfield.cli import options

app = typer.Typer(
    help="List, describe, fetch and make sets of labelled structures.",
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


@app.command("make")
def make(
    kind: Annotated[str, typer.Argument(help="What to make: synthetic.")],
    output: options.Folder,
    size: Annotated[int, typer.Option("--size", help="How many structures in all.")] = 600,
    seed: options.Seed = 0,
    reference: Annotated[
        str, typer.Option("--reference", help="The prior that labels as the reference.")
    ] = "gfn2",
    prior: Annotated[str, typer.Option("--prior", help="The cheaper prior beside it.")] = "gfn1",
    workers: options.Workers = 1,
    cache: options.Cache = None,
    as_json: options.Json = False,
) -> None:
    """Make synthetic sets, each shifted along one axis; a run that was stopped continues."""
    import json
    from dataclasses import asdict

    from farfield.datasets.synthetic.making import make_synthetic
    from farfield.errors import ConfigError

    if kind != "synthetic":
        raise ConfigError(f"{kind!r} cannot be made; known: synthetic")
    made = make_synthetic(
        output,
        size=size,
        seed=seed,
        reference=reference,
        prior=prior,
        workers=workers,
        cache=cache,
    )
    for name, count in made.structures.items():
        lost = f", {made.failed[name]} without reference labels" if made.failed[name] else ""
        typer.echo(f"{output / name}.extxyz: {count} structures{lost}", err=True)
    if as_json:
        typer.echo(json.dumps({**asdict(made), "output": str(output)}))
