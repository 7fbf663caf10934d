"""``farfield demo``: the main job on the embedded example."""

from __future__ import annotations

from typing import Annotated

import typer

from farfield.cli import options


def command(
    output: options.Folder,
    seed: options.Seed = 0,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes, of one thread each.")
    ] = 2,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Gradient steps of test-time training.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Profile, diagnose, refine and report on the embedded example."""
    import json

    from farfield.processes import set_up_process
    from farfield.verbs.demo import demo

    set_up_process()
    results = demo(
        output, seed=seed, steps=steps, workers=workers, say=lambda line: typer.echo(line, err=True)
    )
    typer.echo(f"report: {output / 'report.html'} ({results['seconds']:.0f} s)", err=True)
    if as_json:
        typer.echo(json.dumps(results, ensure_ascii=False, allow_nan=False))
