"""``farfield refine``: change a model at test time, without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from farfield.cli import options


def command(
    test: options.Structures,
    model: options.Model,
    method: Annotated[
        str, typer.Option("--method", help="radius, ttt, correction, distil or auto.")
    ],
    output: options.Folder,
    profile: Annotated[
        Path | None, typer.Option("--profile", help="Profile of the training set.")
    ] = None,
    prior: options.Prior = None,
    replay: Annotated[
        list[Path] | None,
        typer.Option(
            "--replay",
            help="Labelled training structures: replayed by ttt and distil, so that none is "
            "forgotten; radius and correction check the prior on them.",
        ),
    ] = None,
    like_training: Annotated[
        list[Path] | None,
        typer.Option(
            "--like-training",
            help="Structures from the training domain without labels, for correction and distil.",
        ),
    ] = None,
    delta: Annotated[
        str | None,
        typer.Option(
            "--delta",
            help="Of correction, distil and auto: a model trained with --strategy delta, as a "
            "second opinion.",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Gradient steps of ttt and distil.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", min=0.0, help="Of ttt and distil.")
    ] = None,
    objectives: Annotated[
        str | None,
        typer.Option(
            "--objectives",
            help="Of ttt: prior and difference (the default), anchor, denoise, consistency; "
            "several with commas, and the last two only with --force where prior is not named.",
        ),
    ] = None,
    parameters: Annotated[
        str | None,
        typer.Option("--parameters", help="What ttt and distil move: all, early or lora."),
    ] = None,
    rank: Annotated[int | None, typer.Option("--rank", min=1, help="Of lora.")] = None,
    forgetting_limit: Annotated[
        float | None,
        typer.Option(
            "--forgetting-limit",
            min=0.0,
            help="Of ttt and distil: largest rise of the error on training structures, as a "
            "share of it.",
        ),
    ] = None,
    interpolate: Annotated[
        bool,
        typer.Option("--interpolate", help="Of ttt and distil: judge weights part of the way too."),
    ] = False,
    project: Annotated[
        bool,
        typer.Option("--project", help="Of ttt and distil: no step against replay's gradient."),
    ] = False,
    copies: Annotated[
        int | None,
        typer.Option(
            "--copies", min=0, help="Of ttt and distil: rattled copies of each structure."
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", help="What distil learns from: given, rattled or md structures."),
    ] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", help="Of radius: taper, truncate or rescale.")
    ] = None,
    criterion: Annotated[
        str | None,
        typer.Option(
            "--criterion",
            help="Of radius: corrected, prior, weighted-coordination, coordination, width, "
            "density, nearest, unnormalised or paper; without it what helped on groups left out "
            "of training.",
        ),
    ] = None,
    per: Annotated[
        str | None,
        typer.Option(
            "--per",
            help="structure, composition or set: of radius, one for each structure (the default), "
            "for each composition, or for all; of ttt, weights for the set (the default), or for "
            "each structure on its own.",
        ),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Of auto: a model that needs no prior at inference.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Let ttt, correction or distil act where the gate would not."),
    ] = False,
    seed: options.Seed = 0,
    workers: options.Workers = 1,
    cache: options.Cache = None,
    as_json: options.Json = False,
) -> None:
    """Refine a model for test structures, whose reference labels are never read."""
    import json

    from farfield.processes import set_up_process
    from farfield.verbs.refine import refine

    set_up_process()
    further: dict[str, Any] = {
        "steps": steps,
        "learning_rate": learning_rate,
        "objectives": objectives,
        "parameters": parameters,
        "rank": rank,
        "forgetting_limit": forgetting_limit,
        "interpolate": interpolate or None,
        "project": project or None,
        "copies": copies,
        "on": on,
        "mode": mode,
        "criterion": criterion,
        "per": per,
        "plain": plain or None,
        "force": force or None,
    }
    refined = refine(
        test,
        model=model,
        method=method,
        profile=profile,
        prior=prior,
        replay=replay,
        like_training=like_training,
        delta=delta,
        seed=seed,
        workers=workers,
        cache=cache,
        output=output,
        **{key: value for key, value in further.items() if value is not None},
    )
    did = "refined" if refined.record.acted else "left untouched"
    typer.echo(f"{method}: {did}: {'; '.join(refined.record.reasons)}", err=True)
    typer.echo(f"model: {output / 'model'}", err=True)
    if as_json:
        typer.echo(json.dumps(refined.record.to_json(), ensure_ascii=False, allow_nan=False))
