"""``farfield train``: train a model, with or without a prior head."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farfield.cli import options

JUDGED = ("residual_rms_eV_per_A", "residual_mae_eV_per_A", "drift_mae_eV_per_A")  # a retrofit


def command(
    structures: options.Structures,
    output: options.File,
    strategy: Annotated[
        str,
        typer.Option(
            "--strategy",
            help="supervised; joint (a reference and a prior head); freeze (all learns from the "
            "prior, then the main head and what --trainable says from the reference); delta (a "
            "model of the reference minus the prior, which is added at inference); or retrofit "
            "(a prior head for a trained --model, without a reference label).",
        ),
    ],
    architecture: Annotated[
        str,
        typer.Option("--architecture", help="Of a new model: mace, or another of `farfield list`."),
    ] = "mace",
    model: options.MaybeModel = None,
    prior: options.Prior = None,
    pretrain: Annotated[
        list[Path] | None,
        typer.Option(
            "--pretrain",
            help="Of freeze: structures for the prior, which need no labels; several times. "
            "Default: those to train on.",
        ),
    ] = None,
    valid: Annotated[
        Path | None, typer.Option("--valid", help="Structures to judge by during the run.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Passes over the training set.")
    ] = None,
    update: Annotated[
        str | None,
        typer.Option(
            "--update",
            help="Of a retrofit: 'all' weights (default), the old heads held to the model's own "
            "predictions; or the new 'head' alone, which leaves every prediction as it is.",
        ),
    ] = None,
    trainable: Annotated[
        str | None,
        typer.Option(
            "--trainable",
            help="Of freeze, what learns from the reference: 'late' (default), all but the first "
            "layer; the 'head' alone; or 'all'.",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="YAML file of training settings.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of the weights and the batches.")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            "--patience",
            min=1,
            help="End after so many epochs without a better error on --valid, with the weights "
            "that did best.",
        ),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu or cuda.")] = "cpu",
    dtype: Annotated[
        str | None,
        typer.Option("--dtype", help="float32 or float64; default: the architecture's."),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--report", help="Folder for the curves, report.html, and training.json."),
    ] = None,
    workers: options.Workers = 1,
    cache: options.Cache = None,
    as_json: options.Json = False,
) -> None:
    """Train a model, or give a trained one a prior head; a killed run goes on where it was.

    Several processes share the work:  torchrun --nproc-per-node 2 -m farfield train ...
    """
    import json

    from farfield.cli.progress import epochs_bar
    from farfield.processes import set_up_process
    from farfield.training import load_settings
    from farfield.training.distributed import is_first
    from farfield.training.loop import best_epoch
    from farfield.verbs.train import train

    set_up_process()
    settings = load_settings(
        config,
        epochs=epochs,
        seed=seed,
        update=update,
        trainable=trainable,
        patience=patience,
    )
    settings = settings.for_strategy(strategy)
    with epochs_bar(settings.all_epochs(strategy), shown=is_first()) as report:
        potential = train(
            structures,
            strategy=strategy,
            architecture=architecture,
            model=model,
            prior=prior,
            pretrain=pretrain,
            valid=valid,
            settings=settings,
            device=device,
            dtype=dtype,
            workers=workers,
            cache=cache,
            output=output,
            page=page,
            report=report,
        )
    if not is_first():
        return
    known = potential.metadata
    history = known["history"]
    kept = best_epoch(history) if settings.patience is not None else len(history)
    last = history[kept - 1]
    said = (
        f"{output}: {potential.name}, heads {', '.join(potential.heads)}, "
        f"training force RMSE {last['force_rmse']:.3f} eV/Å"
    )
    judged = {key: known[key] for key in JUDGED if key in known}
    if judged:
        moved = known["drift_mae_eV_per_A"][potential.heads[0]]
        said += (
            f"; held out: prior head RMSE {known['residual_rms_eV_per_A']:.3f} eV/Å, "
            f"main head moved by {moved:.3f} eV/Å (MAE)"
        )
    typer.echo(said, err=True)
    if as_json:
        typer.echo(json.dumps({"output": str(output), "heads": potential.heads, **last, **judged}))
