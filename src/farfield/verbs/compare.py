"""Runs of ``simulate`` side by side: who lived, h(r), the energy surface. The verb ``compare``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from farfield.errors import ConfigError, ModelError, StructureError
from farfield.files import write_json
from farfield.potentials import Potential
from farfield.potentials.blackbox import BlackBoxPotential
from farfield.priors import Prior, load_prior
from farfield.refinement import load_model
from farfield.reports import DistanceCurves, EnergySurface, Report, write_report
from farfield.simulation.smoothness import energy_surface, relaxed, softest_modes
from farfield.verbs.simulation.folder import SimulationFolder, opened

MOST_CURVES = 3
NEGLIGIBLE = 1e-4  # 1/Å, of h(r): the figure ends where all curves stay below


def compare(
    runs: Mapping[str, Path | str] | Sequence[Path | str],
    *,
    output: Path | str,
    reference: Path | str | None = None,
    formula: str | None = None,
    prior: Prior | str | None = None,
    models: Mapping[str, Potential | str] | None = None,
) -> dict[str, Any]:
    """Compare runs of :func:`farfield.simulate` in one report.

    Parameters
    ----------
    runs
        Their folders, by the names to show; a list is named by its folders.
    output
        The folder to write: ``report.html`` and ``comparison.json``.
    reference
        Folder of the run whose h(r) the others are compared with, such as one of the prior.
    formula
        Of which molecule h(r) and the surfaces are; None takes the first of the first run.
    prior
        Draws the energy surfaces of at most two models along the two softest modes of its own
        minimum; None draws none.
    models
        For the surfaces: models by the name of their run. The refined models of runs that are not
        named here are found in their folders.

    Returns
    -------
    The content of ``comparison.json``: for each run how many simulations there are and how many
    are alive, the median lifetime (ps), causes, and the difference of h(r), by formula, from the
    reference (no unit, 0 to 2; None where all simulations ended too early).

    Raises
    ------
    ConfigError
        A folder holds no finished run, or no run has that formula.
    ModelError
        The prior finds no minimum near the start.
    """
    found = {name: opened(Path(folder)) for name, folder in _named(runs).items()}
    known = None if reference is None else opened(Path(reference))
    formulas = _formulas(found)
    chosen = formula or formulas[0]
    if chosen not in formulas:
        raise ConfigError(f"no run has the formula {chosen!r}; they have {', '.join(formulas)}")
    errors = {name: _differences(run, known, formulas) for name, run in found.items()}
    content = {
        "reference": None if reference is None else str(reference),
        "runs": {
            name: {
                "folder": str(run.folder),
                "refined": run.refined,
                "n_simulations": run.record["n_simulations"],
                "n_completed": run.record["n_completed"],
                "median_lifetime_ps": run.record["median_lifetime_ps"],
                "failures": run.record["failures"],
                "h_difference": errors[name],
            }
            for name, run in found.items()
        },
    }
    surfaces = []
    if prior is not None:
        start = next(iter(found.values())).start(chosen)
        surfaces = _surfaces(start, load_prior(prior), _models(found, models or {}))
    report = Report(
        title="Simulations compared",
        subtitle=f"{len(found)} runs; distances and surfaces of {chosen}",
        headline=[
            f"{name}: {run.record['n_completed']} of {run.record['n_simulations']} simulations "
            f"reached {run.record['settings']['duration_ps']:g} ps."
            for name, run in found.items()
        ],
        lifetimes=[run.lifetimes(name) for name, run in found.items()],
        causes=[run.causes(name) for name, run in found.items()],
        distances=None if known is None else _curves(found, known, chosen, errors),
        surfaces=surfaces,
    )
    target = Path(output)
    write_json(target / "comparison.json", content)
    write_report(report, target / "report.html")
    return content


def _named(runs: Mapping[str, Path | str] | Sequence[Path | str]) -> dict[str, Path | str]:
    if isinstance(runs, Mapping):
        return dict(runs)
    names = [Path(folder).resolve().name for folder in runs]
    if len(set(names)) < len(names):
        raise ConfigError(f"two runs are called {names[0]!r}: give folders of different names")
    return dict(zip(names, runs, strict=True))


def _formulas(runs: Mapping[str, SimulationFolder]) -> list[str]:
    return list(
        dict.fromkeys(one["formula"] for run in runs.values() for one in run.record["simulations"])
    )


def _differences(
    run: SimulationFolder, reference: SimulationFolder | None, formulas: Sequence[str]
) -> dict[str, float | None]:
    """Of h(r) from the reference's, by formula."""
    if reference is None:
        return {}
    found: dict[str, float | None] = {}
    for formula in formulas:
        try:
            own, known = run.distances(formula), reference.distances(formula)
        except StructureError:  # a periodic structure has no h(r)
            continue
        found[formula] = None if own is None or known is None else own.difference(known)
    return found


def _curves(
    runs: Mapping[str, SimulationFolder],
    reference: SimulationFolder,
    formula: str,
    errors: Mapping[str, Mapping[str, float | None]],
) -> DistanceCurves | None:
    """h(r) of the first runs that have one."""
    named = [name for name in runs if errors[name].get(formula) is not None][:MOST_CURVES]
    known = reference.distances(formula) if named else None
    if known is None:
        return None
    found = {name: own for name in named if (own := runs[name].distances(formula)) is not None}
    # bins that any of them fills
    seen = np.max([own.density for own in (known, *found.values())], axis=0) > NEGLIGIBLE
    within = slice(seen.argmax(), len(seen) - seen[::-1].argmax())
    return DistanceCurves(
        known.centres[within].tolist(),
        known.density[within].tolist(),
        {name: own.density[within].tolist() for name, own in found.items()},
        {name: errors[name][formula] or 0.0 for name in found},
        reference.folder.name,
    )


def _models(
    runs: Mapping[str, SimulationFolder], given: Mapping[str, Potential | str]
) -> dict[str, Potential]:
    """The models that can be had, the first two."""
    found: dict[str, Potential] = {}
    for name, run in runs.items():
        path = run.folder / "refinement" / "model"
        if name in given:
            found[name] = load_model(given[name])
        elif run.refined and path.exists():
            found[name] = load_model(str(path))
    return dict(list(found.items())[:2])


def _surfaces(start: Atoms, prior: Prior, models: Mapping[str, Potential]) -> list[EnergySurface]:
    """Along the two softest modes of the prior at its minimum; what is not finite is left out."""
    judge = BlackBoxPotential(prior.calculator()).calculator()
    middle = relaxed(start, judge)
    directions = softest_modes(middle, judge).directions
    found = []
    for name, model in models.items():
        try:
            surface = energy_surface(middle, directions, model.calculator())
        except ModelError:
            continue
        found.append(
            EnergySurface(
                name, surface.first.tolist(), surface.second.tolist(), surface.energies.tolist()
            )
        )
    return found
