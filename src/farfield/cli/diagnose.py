"""``farfield diagnose``: how far are structures from training, and along which axis?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farfield.cli import options

EXIT_SHIFTED = 3


def command(
    test: options.Structures,
    profile: Annotated[Path, typer.Option("--profile", help="Profile of the training set.")],
    output: options.Folder,
    model: options.MaybeModel = None,
    prior: options.Prior = None,
    committee: options.Committee = None,
    control: Annotated[
        Path | None,
        typer.Option(
            "--control", help="The one of the files that is like training: gives AUROC against it."
        ),
    ] = None,
    axes: Annotated[
        str | None,
        typer.Option(
            "--axes",
            help="'all' for the further axes too, beside the verdict, or names with commas "
            "between, of which the verdict is then made (see 'farfield list').",
        ),
    ] = None,
    judge: Annotated[
        bool,
        typer.Option(
            "--judge",
            help="Compare the scores, once made, with the true force errors of the model: the "
            "files must hold reference labels.",
        ),
    ] = False,
    fail_above: Annotated[
        float | None,
        typer.Option(
            "--fail-above",
            min=0.0,
            max=1.0,
            help="Exit with code 3 when a combined quantile exceeds this.",
        ),
    ] = None,
    workers: options.Workers = 1,
    cache: options.Cache = None,
    as_json: options.Json = False,
) -> None:
    """Score structures against a profile; writes a report, JSON, CSV and extended XYZ."""
    import json

    from farfield.processes import set_up_process
    from farfield.verbs.diagnose import diagnose

    set_up_process()
    found = diagnose(
        test,
        profile=profile,
        model=model,
        prior=prior,
        committee=committee or (),
        control=control,
        axes=None if axes is None else [name.strip() for name in axes.split(",")],
        judge=judge,
        workers=workers,
        cache=cache,
        output=output,
    )
    content = json.loads((output / "diagnosis.json").read_text(encoding="utf-8"))
    counts = ", ".join(f"{count} {verdict}" for verdict, count in content["verdicts"].items())
    typer.echo(f"{len(found.structures)} structures: {counts}", err=True)
    for axis, reason in found.not_scored.items():
        typer.echo(f"not scored: {axis}: {reason}", err=True)
    for axis, reason in found.partly_scored.items():
        typer.echo(f"partly scored: {axis}: {reason}", err=True)
    for axis, sets in content["auroc"].items():
        for name, auroc in sets.items():
            interval = f"[{auroc['low']:.3f}, {auroc['high']:.3f}]"
            typer.echo(f"AUROC of {axis}: {name} {auroc['value']:.3f} {interval}", err=True)
    for score in content.get("judgement", {}).get("scores", []):
        first, second = (score[name]["value"] for name in ("auroc", "spearman"))
        told = "the same for all structures"
        if second is not None:
            told = f"AUROC {first:.2f}, rank correlation {second:.2f}"
        typer.echo(f"judged by labels: {score['title']}: {told}", err=True)
    typer.echo(f"report: {output / 'report.html'}", err=True)
    if as_json:
        typer.echo(json.dumps(content, ensure_ascii=False, allow_nan=False))
    if fail_above is not None:
        beyond = [item for item in found.structures if item.quantile > fail_above]
        if beyond:
            typer.echo(
                f"{len(beyond)} structures lie above the quantile {fail_above:g}; the first: "
                f"{beyond[0].file} {beyond[0].index}: {beyond[0].sentence}",
                err=True,
            )
            raise typer.Exit(EXIT_SHIFTED)
