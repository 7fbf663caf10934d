"""``farfield refine``: change a model at test time, without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from farfield.cli import options


def command(
    test: options.Structures,
    model: options.Model,
    method: Annotated[str, typer.Option("--method", help="radius or ttt.")],
    output: options.Folder,
    profile: Annotated[
        Path | None, typer.Option("--profile", help="Profile of the training set.")
    ] = None,
    prior: options.Prior = None,
    replay: Annotated[
        list[Path] | None,
        typer.Option("--replay", help="Labelled training structures, so that none is forgotten."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Gradient steps of test-time training.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", min=0.0, help="Of test-time training.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Act even where the gate sees no reason to.")
    ] = False,
    seed: options.Seed = 0,
    workers: options.Workers = 1,
    cache: options.Cache = None,
    as_json: options.Json = False,
) -> None:
    """Refine a model for test structures, whose reference labels are never read."""
    import json

    from farfield.refinement import TestTimeSettings
    from farfield.threads import limit_threads
    from farfield.verbs.refine import refine

    limit_threads()
    given: dict[str, Any] = {"steps": steps, "learning_rate": learning_rate}
    settings = TestTimeSettings(
        seed=seed, force=force, **{key: value for key, value in given.items() if value is not None}
    )
    refined = refine(
        test,
        model=model,
        method=method,
        profile=profile,
        prior=prior,
        replay=replay,
        settings=settings,
        workers=workers,
        cache=cache,
        output=output,
    )
    did = "refined" if refined.record.acted else "left untouched"
    typer.echo(f"{method}: {did}: {'; '.join(refined.record.reasons)}", err=True)
    typer.echo(f"model: {output / 'model'}", err=True)
    if as_json:
        typer.echo(json.dumps(refined.record.to_json(), ensure_ascii=False, allow_nan=False))
