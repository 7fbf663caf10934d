"""``farfield label``: label structures with a prior."""

from __future__ import annotations

from typing import Annotated

import typer

from farfield.cli.options import Cache, File, Json, Structures, Workers


def command(
    structures: Structures,
    prior: Annotated[
        str,
        typer.Option("--prior", help="An alias or a form of 'farfield list', such as gfn2."),
    ],
    output: File,
    workers: Workers = 1,
    cache: Cache = None,
    retry_failures: Annotated[
        bool, typer.Option("--retry-failures", help="Compute again what failed earlier.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Label structures with a prior; a run that was stopped continues where it was."""
    import json
    from dataclasses import asdict

    from farfield.verbs.label import label

    _, summary = label(
        structures,
        prior,
        workers=workers,
        cache=cache,
        retry_failures=retry_failures,
        output=output,
    )
    typer.echo(
        f"{output}: {summary.n_structures} structures, {summary.level_of_theory}, "
        f"{summary.n_computed} computed and {summary.n_cached} known, {summary.seconds:.1f} s",
        err=True,
    )
    if summary.first_failure is not None:
        typer.echo(
            f"{summary.n_failed} of {summary.n_structures} failed: {summary.first_failure}",
            err=True,
        )
    if as_json:
        typer.echo(json.dumps({**asdict(summary), "output": str(output)}, allow_nan=False))
