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
    committee: options.Committee = None,
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
    coreset: Annotated[
        int | None,
        typer.Option(
            "--coreset",
            min=2,
            help="Keep so many training structures WITH THEIR LABELS in the profile, for refine to "
            "replay; otherwise a profile holds no structure.",
        ),
    ] = None,
    coreset_by: Annotated[
        str | None,
        typer.Option(
            "--coreset-by",
            help="farthest (the default): far from each other in the representation; loss: with "
            "the largest force errors.",
        ),
    ] = None,
    seed: options.Seed = 0,
    workers: options.Workers = 1,
    cache: options.Cache = None,
    merge: Annotated[
        bool,
        typer.Option(
            "--merge",
            help="The files are profiles of the parts of a training set: make that of the whole.",
        ),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Fit the profile of a training set, against which test structures are scored."""
    import json

    from farfield.errors import ConfigError
    from farfield.processes import set_up_process
    from farfield.refinement import RadiusEvidence
    from farfield.refinement.radius.refinement import EVIDENCE as RADIUS_EVIDENCE
    from farfield.verbs.methods import EVIDENCE
    from farfield.verbs.profile import merge_profiles, profile

    set_up_process()
    if merge:
        given: dict[str, object] = {
            "--model": model,
            "--cutoff": cutoff,
            "--prior": prior,
            "--committee": committee,
            "--calibration": calibration,
            "--leave-out": leave_out,
            "--coreset": coreset,
            "--coreset-by": coreset_by,
        }
        for option, value in given.items():
            if value is not None:
                raise ConfigError(
                    f"--merge takes profiles, which hold their {option}: leave it out"
                )
        fitted = merge_profiles(train, output=output)
    else:
        fitted = profile(
            train,
            model=model,
            cutoff=cutoff,
            prior=prior,
            committee=committee or (),
            calibration=calibration,
            leave_out=leave_out,
            leave_out_epochs=leave_out_epochs,
            coreset=coreset,
            coreset_by=coreset_by,
            seed=seed,
            workers=workers,
            cache=cache,
            output=output,
            say=lambda line: typer.echo(line, err=True),
        )
    axes = ", ".join(fitted.default_axes)
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
    if fitted.header["n_held_out"] is not None:
        typer.echo(f"error estimate: {fitted.header['error_estimate']}", err=True)
    if fitted.coreset is not None:
        typer.echo(
            f"coreset: the file holds {len(fitted.coreset)} training structures with their labels, "
            f"chosen by {fitted.coreset.by} ({fitted.coreset.n_bytes / 1000:.0f} kB)",
            err=True,
        )
    if as_json:
        content = {**fitted.header, "fingerprint": fitted.fingerprint}
        content |= {"axes": list(fitted.default_axes), "output": str(output)}
        typer.echo(json.dumps(content))
