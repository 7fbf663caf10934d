"""``farfield simulate``: molecular dynamics that says when and why it went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from farfield.cli import options


def command(
    start: options.Structures,
    model: options.Model,
    output: options.Folder,
    head: Annotated[
        str | None, typer.Option("--head", help="Output head; default: the main head.")
    ] = None,
    ensemble: Annotated[
        str | None, typer.Option("--ensemble", help="nve, nvt (default) or npt (crystals).")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="K; default: 300.")
    ] = None,
    timestep: Annotated[float | None, typer.Option("--timestep", help="fs; default: 0.5.")] = None,
    duration: Annotated[float | None, typer.Option("--duration", help="ps; default: 10.")] = None,
    friction: Annotated[
        float | None, typer.Option("--friction", help="Of the thermostat, 1/fs; default: 0.01.")
    ] = None,
    pressure: Annotated[
        float | None, typer.Option("--pressure", help="Of npt, GPa; default: 0.")
    ] = None,
    replicas: Annotated[
        int | None, typer.Option("--replicas", min=1, help="Simulations of each structure.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of velocities and random forces.")
    ] = None,
    stride: Annotated[
        int | None, typer.Option("--stride", min=1, help="Steps between frames; default: 20.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="Simulations in one call of the model.")
    ] = None,
    trajectory_format: Annotated[
        str | None,
        typer.Option("--trajectory-format", help="extxyz (default), or hdf5 for long runs."),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu or cuda.")] = "cpu",
    dtype: Annotated[
        str | None,
        typer.Option("--dtype", help="float32 or float64; default: the model's."),
    ] = None,
    allow_reactions: Annotated[
        bool, typer.Option("--allow-reactions", help="Bonds may break and form.")
    ] = False,
    stop_on_alarm: Annotated[
        bool,
        typer.Option("--stop-on-alarm", help="Shift and disagreement with the prior end it."),
    ] = False,
    refine: Annotated[
        str | None,
        typer.Option("--refine", help="Refine first: radius, ttt, correction, distil or auto."),
    ] = None,
    refine_on: Annotated[
        list[Path] | None,
        typer.Option("--refine-on", help="Structures to refine for; default: those of the start."),
    ] = None,
    sample: Annotated[
        float | None,
        typer.Option(
            "--sample", help="ps; refine for frames of the prior's own dynamics of that length."
        ),
    ] = None,
    sample_temperature: Annotated[
        float | None,
        typer.Option(
            "--sample-temperature", help="K, of that dynamics; default: twice --temperature."
        ),
    ] = None,
    prior: options.Prior = None,
    profile: Annotated[
        Path | None, typer.Option("--profile", help="Profile of the training set.")
    ] = None,
    replay: Annotated[
        list[Path] | None,
        typer.Option("--replay", help="Labelled training structures, for --refine."),
    ] = None,
    like_training: Annotated[
        list[Path] | None,
        typer.Option("--like-training", help="Unlabelled training structures, for --refine."),
    ] = None,
    refine_steps: Annotated[
        int | None, typer.Option("--refine-steps", min=1, help="Gradient steps of --refine.")
    ] = None,
    copies: Annotated[
        int | None,
        typer.Option("--copies", min=0, help="Of --refine: rattled copies of each structure."),
    ] = None,
    refine_every: Annotated[
        float | None,
        typer.Option(
            "--refine-every", help="ps; refine anew at each such time if an alarm has fired."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Let --refine act where the gate would not.")
    ] = False,
    config: Annotated[
        Path | None, typer.Option("--config", help="YAML file of simulation settings.")
    ] = None,
    workers: options.Workers = 1,
    cache: options.Cache = None,
    as_json: options.Json = False,
) -> None:
    """Simulate with a model, refined first if wanted; a killed run goes on where it was."""
    import json

    from farfield.processes import set_up_process
    from farfield.verbs.simulate import simulate

    set_up_process()
    flags = {"allow_reactions": allow_reactions, "stop_on_alarm": stop_on_alarm}
    settings: dict[str, Any] = {
        "ensemble": ensemble,
        "temperature": temperature,
        "timestep": timestep,
        "duration": duration,
        "friction": friction,
        "pressure": pressure,
        "replicas": replicas,
        "seed": seed,
        "stride": stride,
        "batch": batch,
        "trajectory_format": trajectory_format,
        "refine_every": refine_every,
        "checks": {key: True for key, given in flags.items() if given} or None,
    }
    further = {"steps": refine_steps, "copies": copies, "force": force or None}
    done = simulate(
        start,
        model=model,
        output=output,
        head=head,
        refine=refine,
        refine_on=refine_on,
        sample=sample,
        sample_temperature=sample_temperature,
        prior=prior,
        profile=profile,
        replay=replay,
        like_training=like_training,
        refine_options={key: value for key, value in further.items() if value is not None},
        device=device,
        dtype=dtype,
        workers=workers,
        cache=cache,
        config=config,
        **{key: value for key, value in settings.items() if value is not None},
    )
    record = done.record
    for warning in record["warnings"]:
        typer.echo(f"warning: {warning}", err=True)
    for outcome in done.outcomes:
        if outcome.failure is not None:
            failure = outcome.failure
            typer.echo(
                f"{outcome.folder} ({outcome.formula}): {failure.check} at "
                f"{failure.time_fs:g} fs: {failure.message}",
                err=True,
            )
    for name, count in record["alarms"].items():
        typer.echo(f"alarm: {name} in {count} of {record['n_simulations']}", err=True)
    for each in record["decisions"]:
        did = "refined anew" if each["acted"] else f"not refined ({'; '.join(each['reasons'])})"
        typer.echo(f"{each['time_ps']:g} ps: {did}", err=True)
    typer.echo(
        f"{output}: {record['n_completed']} of {record['n_simulations']} simulations reached "
        f"{record['settings']['duration_ps']:g} ps, {record['speed_ns_per_day']:.3g} ns/day in all",
        err=True,
    )
    if as_json:
        typer.echo(json.dumps(record, ensure_ascii=False, allow_nan=False))
