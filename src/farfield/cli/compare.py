"""``farfield compare``: runs of simulate side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farfield.cli import options


def command(
    runs: Annotated[list[Path], typer.Argument(help="Folders that farfield simulate wrote.")],
    output: options.Folder,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference", help="Folder of the run whose distances h(r) are those to compare with."
        ),
    ] = None,
    formula: Annotated[
        str | None,
        typer.Option("--formula", help="Of which molecule distances and surfaces are drawn."),
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option("--prior", help="Draw energy surfaces along its two softest modes."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            help="FOLDER=MODEL, for the surfaces; refined models are found.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Compare simulations: who lived, what ended them, distances, the energy surface."""
    import json

    from farfield.errors import ConfigError
    from farfield.processes import set_up_process
    from farfield.verbs.compare import compare

    set_up_process()
    models = dict(given.partition("=")[::2] for given in model or ())
    if lacking := [name for name, spec in models.items() if not spec]:
        raise ConfigError(f"--model {lacking[0]}: give the name of a run's folder, =, and a model")
    found = compare(
        runs, output=output, reference=reference, formula=formula, prior=prior, models=models
    )
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, allow_nan=False))
        return
    for name, run in found["runs"].items():
        median = run["median_lifetime_ps"]
        lived = "over the end" if median is None else f"{median:.3g} ps"
        alive = f"{run['n_completed']} of {run['n_simulations']} alive"
        typer.echo(f"{name:24} {alive}, median lifetime {lived}")
        for known, error in run["h_difference"].items():
            told = "all ended too early" if error is None else f"{error:.2f}"
            typer.echo(f"{'':24} h(r) of {known} against the reference: {told}")
    typer.echo(f"{output / 'report.html'}", err=True)
