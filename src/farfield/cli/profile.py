"""``farfield profile``: fit the profile of a training set."""

from __future__ import annotations

from pathlib import Path
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
    calibration: Annotated[
        list[Path] | None,
        typer.Option(
            "--calibration",
            help="Structures like those in training that the model was not fitted to: quantiles "
            "are then against them, and with reference labels force errors can be estimated.",
        ),
    ] = None,
    leave_out: Annotated[
        int | None,
        typer.Option(
            "--leave-out",
            min=2,
            help="Learn how prior correction and radius refinement should act: train the model "
            "again without each of so many groups of compositions.",
        ),
    ] = None,
    leave_out_epochs: Annotated[
        int | None, typer.Option("--leave-out-epochs", min=1, help="Of each of these trainings.")
    ] = None,
    seed: options.Seed = 0,
    workers: options.Workers = 1,
    cache: options.Cache = None,
    as_json: options.Json = False,
) -> None:
    """Fit the profile of a training set, against which test structures are scored."""
    import json

    from farfield.refinement import RadiusEvidence
    from farfield.refinement.radius import EVIDENCE as RADIUS_EVIDENCE
    from farfield.threads import limit_threads
    from farfield.verbs.methods import EVIDENCE
    from farfield.verbs.profile import profile

    limit_threads()
    fitted = profile(
        train,
        model=model,
        cutoff=cutoff,
        prior=prior,
        calibration=calibration,
        leave_out=leave_out,
        leave_out_epochs=leave_out_epochs,
        seed=seed,
        workers=workers,
        cache=cache,
        output=output,
        say=lambda line: typer.echo(line, err=True),
    )
    axes = ", ".join(fitted.axes)
    typer.echo(
        f"{output}: {fitted.header['n_structures']} structures, graph within {fitted.cutoff:g} Å, "
        f"axes {axes}",
        err=True,
    )
    for axis, reason in fitted.header["not_fitted"].items():
        typer.echo(f"not fitted: {axis}: {reason}", err=True)
    if EVIDENCE in fitted.header:
        typer.echo(f"correction: {fitted.header[EVIDENCE]['evidence']}", err=True)
    for found in map(RadiusEvidence.from_plain, fitted.header.get(RADIUS_EVIDENCE, [])):
        if found.helps:
            typer.echo(f"radius: {found.told()}", err=True)
    if calibration:
        typer.echo(f"error estimate: {fitted.header['error_estimate']}", err=True)
    if as_json:
        typer.echo(json.dumps({**fitted.header, "axes": list(fitted.axes), "output": str(output)}))
