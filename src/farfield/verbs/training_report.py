"""The report of a run of ``train``: the curves of its phases, and the record in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from farfield.files import write_json
from farfield.potentials import TrainablePotential
from farfield.reports import Action, Curve, Report, write_report
from farfield.reports.render import without_nan
from farfield.training.loop import Record, best_epoch

UNITS = {
    "history.loss": "that of the settings' weights",
    "history.force_rmse, history.valid_force_mae": "eV/Å",
    "history.seconds": "s",
}
CURVES = (
    ("loss", "Loss", "", "training"),
    ("force_rmse", "Root mean square force error", "eV/Å", "training"),
    ("valid_force_mae", "Mean absolute force error", "eV/Å", "validation"),
)


def write_training(potential: TrainablePotential, folder: Path) -> None:
    """Write ``report.html`` and ``training.json`` from what a trained model's metadata say."""
    known = potential.metadata
    content = {
        "schema": "farfield-training/1",
        "farfield": version("farfield"),
        "units": UNITS,
        **known,
    }
    write_json(folder / "training.json", without_nan(content))
    write_report(training_report(potential), folder / "report.html")


def training_report(potential: TrainablePotential) -> Report:
    """The report of how a model was trained."""
    known = potential.metadata
    settings, history = known["settings"], known["history"]
    phases = {"Training": history}
    if "pretraining" in known:
        phases = {"First phase: the prior": known["pretraining"]["history"]}
        phases["Second phase: the reference"] = history
    patient = settings["patience"] is not None
    facts = {
        "Model": potential.name,
        "Heads": ", ".join(potential.heads),
        "Levels of theory": ", ".join(known["levels_of_theory"].values()),
        "Structures": str(known["n_structures"]),
        "Seed": str(settings["seed"]),
    }
    return Report(
        title="Training",
        subtitle=f"strategy {known['strategy']}",
        headline=[_headline(history)],
        facts=facts,
        actions=[_action(name, each, patient) for name, each in phases.items()],
    )


def _headline(history: Sequence[Record]) -> str:
    last = history[-1]
    text = f"The force error on the training samples ended at {last['force_rmse']:.3f} eV/Å (RMSE)"
    if best := best_epoch(history):
        least = history[best - 1]["valid_force_mae"]
        text += f"; on the validation set the least was {least:.3f} eV/Å (MAE), in epoch {best}"
    return f"{text}."


def _action(name: str, history: Sequence[Record], patient: bool) -> Action:
    best = best_epoch(history)
    kept = best if patient and best else None
    curves = []
    for key, title, unit, series in CURVES:
        steps = [int(record["epoch"]) for record in history if key in record]
        if steps:
            values = [record[key] for record in history if key in record]
            curves.append(Curve(title, unit, steps, {series: values}, kept, "epoch"))
    seconds = sum(record["seconds"] for record in history)
    figures = {"epochs": str(len(history)), "wall time": f"{seconds:.0f} s"}
    reasons = []
    if kept is not None:
        reasons = [f"The averaged weights of epoch {kept}, the best on validation, were kept."]
    return Action(name, True, reasons, figures, curves)
