"""The files of a refinement: the model, its record, its predictions, and a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from farfield.errors import CapabilityError
from farfield.files import write_json
from farfield.potentials import Potential, TrainablePotential
from farfield.refinement import AdaptedEach, Corrected, Delta, Refined
from farfield.refinement.radius.at_radii import AtRadii
from farfield.reports import Report, write_report
from farfield.structures import Labels, attach, write
from farfield.verbs.report_parts import action


def write_refinement(
    refined: Refined, structures: Sequence[Atoms], folder: Path, commands: Sequence[str] = ()
) -> None:
    """Write ``model``, ``record.json``, ``predictions.extxyz`` and ``report.html``.

    ``structures`` have no labels; the predictions are attached to them. ``commands`` made it.
    A model with weights for each structure is written as ordinary models too, in ``models``.
    """
    record, potential = refined.record, refined.potential
    for atoms, prediction in zip(structures, potential.predict(structures), strict=True):
        found = Labels(prediction.energy, prediction.forces, None, potential.name)
        attach(atoms, found, "farfield")
    save_model(potential, folder / "model")
    if isinstance(potential, AdaptedEach):
        for place in range(len(potential.members)):
            save_model(potential.at(place), folder / "models" / f"{place:04d}.pt")
    write_json(folder / "record.json", record.to_json())
    write(folder / "predictions.extxyz", structures)
    did = "The model was refined" if record.acted else "The model was left untouched"
    report = Report(
        title="Refinement",
        subtitle=f"{record.method} for {len(structures)} structures without labels",
        headline=[f"{did}: {'; '.join(record.reasons)}."],
        facts={"Model": potential.name, **{k: str(v) for k, v in record.settings.items()}},
        actions=[action(record.method, record)],
        commands=list(commands),
    )
    write_report(report, folder / "report.html")


def save_model(potential: Potential, path: Path) -> None:
    """Write a model, with its refinement rule if it has one, in farfield's format."""
    if not isinstance(potential, (TrainablePotential, AtRadii, Corrected, AdaptedEach, Delta)):
        raise CapabilityError(f"{potential.name} cannot be written to a file: keep your own")
    potential.save(path)
