"""``farfield profile``: fit the profile of a training set."""

from __future__ import annotations

from typing import Annotated

import typer

from farfield.cli import options


def command(
    train: options.Structures,
    output: options.File,
    model: options.MaybeModel = None,
    cutoff: Annotated[
        float | None, typer.Option("--cutoff", help="Radius of the graph without a model, Å.")
    ] = None,
    prior: options.Prior = None,
    seed: options.Seed = 0,
    workers: options.Workers = 1,
    cache: options.Cache = None,
    as_json: options.Json = False,
) -> None:
    """Fit the profile of a training set, against which test structures are scored."""
    import json

    from farfield.threads import limit_threads
    from farfield.verbs.profile import profile

    limit_threads()
    fitted = profile(
        train,
        model=model,
        cutoff=cutoff,
        prior=prior,
        seed=seed,
        workers=workers,
        cache=cache,
        output=output,
    )
    axes = ", ".join(fitted.axes)
    typer.echo(
        f"{output}: {fitted.header['n_structures']} structures, graph within {fitted.cutoff:g} Å, "
        f"axes {axes}",
        err=True,
    )
    if as_json:
        typer.echo(json.dumps({**fitted.header, "axes": list(fitted.axes), "output": str(output)}))
