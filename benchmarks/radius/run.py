"""Radius refinement: criteria, modes and sets beside the best radius that labels can tell.

Every criterion is forced on every set, so that the tables show what each would do; the rows
"gated" are what ``farfield refine --method radius`` does: it acts by evidence from groups left
out of training, or by the prior, and otherwise leaves the model alone.

Usage: ``python benchmarks/radius/run.py [embedded] [md17] [periodic] [cost] [dynamics]
[--folder build/correction]``. ``embedded`` and ``md17`` take the models of the correction study,
found in ``FOLDER/models`` or trained; those of a seed that are not there are left out, unless
they are the first. ``md17``, ``cost`` and ``periodic`` (CHGNet; a sample of MPtrj stands for its
training set) need FARFIELD_DATA to name the folder that holds ``md17/``, ``mlearn/`` and
``crystals/``. Writes ``CASE.json`` and ``results.md`` beside this script. Judged sets are kept in
``build/radius``, and not judged again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms

from farfield.benchmarks.radius.cost import agreement, cluster, selection_costs
from farfield.benchmarks.radius.drift import drift, jumps, total_energies
from farfield.benchmarks.radius.study import judge_gated, judge_set, reference_profile
from farfield.benchmarks.radius.tables import results_page
from farfield.benchmarks.remembered import Remembered
from farfield.benchmarks.study import CONTROL
from farfield.benchmarks.tasks.task import DATA_VARIABLE, load_task
from farfield.benchmarks.zoo import Recipe, Zoo
from farfield.errors import ConfigError
from farfield.files import write_json, write_text
from farfield.graphs import neighbour_graph, references
from farfield.potentials import Potential
from farfield.potentials.contract import CutoffMode
from farfield.potentials.mace import MacePotential
from farfield.potentials.radii import candidate_radii
from farfield.priors import LabelCache
from farfield.processes import set_up_process
from farfield.refinement import RadiusRefinement, gather_radius_evidence, load_model
from farfield.structures import read

HERE = Path(__file__).parent
WORK = Path("build/radius")
MODES: tuple[CutoffMode, ...] = ("taper", "truncate", "rescale")
RECIPES = [Recipe(strategy, seed) for strategy in ("joint", "retrofit") for seed in range(3)]
PER_SET = 20  # structures of a set
CRYSTALS = 60  # of MPtrj stand for CHGNet's training set, up to so many atoms
LARGEST_CRYSTAL = 40
PER_PERIODIC_SET = 6
CLUSTER_SIZES = (40, 60, 90, 120)  # atoms of copies of a test molecule
PER_CRYSTAL_SET = 40  # where only radii are chosen
CRYSTAL_CUTOFF = 6.0  # Å, CHGNet's
MD_RADIUS = 0.8  # of the model's own
MD_TEMPERATURE = 300.0  # K
PICOSECONDS = 20.0


def rounded(content: Any) -> Any:
    """The same with five significant digits, to keep the files small."""
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, list):
        return [rounded(value) for value in content]
    return float(f"{content:.5g}") if isinstance(content, float) else content


def main() -> None:
    """Run the cases, and write the tables of all that there are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=["embedded"])
    parser.add_argument("--folder", type=Path, default=Path("build/correction"))
    arguments = parser.parse_args()
    set_up_process()
    cases: dict[str, Callable[[], dict[str, Any]]] = {
        "embedded": lambda: task("embedded", arguments.folder),
        "md17": lambda: task("md17", arguments.folder),
        "periodic": periodic,
        "cost": cost,
        "dynamics": dynamics,
    }
    unknown = set(arguments.cases) - set(cases)
    if unknown:
        raise ConfigError(f"no case is called {', '.join(unknown)}: choose from {', '.join(cases)}")
    for case in arguments.cases:
        command = f"python benchmarks/radius/run.py {case}"
        write_json(HERE / f"{case}.json", {**_about(command), "results": rounded(cases[case]())})
    found = {
        case: json.loads((HERE / f"{case}.json").read_text(encoding="utf-8"))
        for case in cases
        if (HERE / f"{case}.json").exists()
    }
    write_text(HERE / "results.md", results_page(found))


def task(name: str, folder: Path) -> dict[str, Any]:
    """Models with two heads, on the sets of a task; by model and set."""
    cache = folder / "cache"
    with LabelCache(cache) as labels:
        zoo = Zoo(load_task(name), folder / "models", labels)
        evidence = _kept(f"{name}-evidence", lambda: _evidence(zoo, cache))
        trained = [atoms for atoms in zoo.training if len(atoms) > 1]
        found: dict[str, Any] = {"evidence": evidence, "models": {}}
        for place, recipe in enumerate(RECIPES):
            there = (folder / "models" / name / f"{recipe.name}.pt").exists()
            if place and not there and recipe.name not in zoo.task.models:
                continue
            model = Remembered(zoo.model(recipe))
            known = references([model.graph(atoms) for atoms in trained])
            profile = reference_profile(model.cutoff, known, evidence)
            bare = reference_profile(model.cutoff, known, None)
            asked = {"prior": zoo.prior, "cache": cache, "checked_on": trained}
            gated = {
                "gated": RadiusRefinement(profile, **asked),
                "gated, one radius per composition": RadiusRefinement(
                    profile, per="composition", **asked
                ),
                "gated, one radius per set": RadiusRefinement(profile, per="set", **asked),
                "gated, prior but no evidence": RadiusRefinement(bare, **asked),
                "gated, evidence but no prior": RadiusRefinement(profile),
            }
            modes = MODES[: None if place == 0 else 1]

            def judged(
                structures: list[Atoms],
                model: Potential = model,
                modes: tuple[CutoffMode, ...] = modes,
                known: dict[str, Any] = known,
                gated: dict[str, RadiusRefinement] = gated,
            ) -> dict[str, Any]:
                entry = judge_set(model, structures, modes, known, zoo.prior, cache)
                oracle = np.array(entry["taper"]["least_force_mae_eV_per_A"])
                return entry | {"gated": judge_gated(model, structures, gated, oracle)}

            sets = {}
            for title, selections in {CONTROL: zoo.task.control, **zoo.task.shifted}.items():
                structures = _some(zoo.task.structures(selections), PER_SET)
                sets[title] = _kept(f"{name}-{recipe.name}-{title}", judged, structures)
            found["models"][recipe.name] = sets
    return found


def periodic() -> dict[str, Any]:
    """CHGNet on crystals; it has no prior head and no evidence, so RR leaves it alone."""
    trained, chosen = _crystals()
    model = Remembered(load_model("chgnet"))
    known = references([model.graph(atoms) for atoms in trained])
    sets = {}
    for title, structures in chosen.items():
        sets[title] = _kept(
            f"periodic-{title}",
            lambda few: judge_set(model, few, MODES, known),
            _some(structures, PER_PERIODIC_SET),
        )
    return {"models": {"CHGNet": sets}}


def _crystals() -> tuple[list[Atoms], dict[str, list[Atoms]]]:
    """Those that stand for CHGNet's training set, and the sets."""
    data = os.environ.get(DATA_VARIABLE)
    if data is None:
        raise ConfigError(f"the crystals are found by {DATA_VARIABLE}, which is not set")
    crystals = [
        atoms
        for atoms in read(Path(data, "crystals", "mptrj_random.xyz.gz"))
        if len(atoms) <= LARGEST_CRYSTAL
    ]
    alkali = read(Path(data, "crystals", "alkali_temperature_pressure.xyz.gz"))
    silicon = read(Path(data, "mlearn", "Si.xyz.gz"))
    chosen = {  # at a labelled temperature, half of the silicon cells have a vacancy
        "control (MPtrj)": crystals[1::2],
        "alkali, hot and compressed": [a for a in alkali if len(a) <= LARGEST_CRYSTAL],
        "silicon, labelled 300 K": [a for a in silicon if a.info.get("temperature") == 300],
        "silicon, labelled 3374 K": [a for a in silicon if a.info.get("temperature") == 3374],
        "silicon, surface": [a for a in silicon if a.info.get("config_type") == "Surface"],
    }
    return _some(crystals[::2], CRYSTALS), chosen


def cost() -> dict[str, Any]:
    """Choosing timed, for clusters of a training molecule, and compared with all radii."""
    model = load_model("embedded")
    assert model.cutoff is not None
    known = references([model.graph(atoms) for atoms in _molecules()])
    task = load_task("embedded")
    molecules = {
        title: _some(task.structures(selections), PER_SET)
        for title, selections in {CONTROL: task.control, **task.shifted}.items()
    }
    trained, crystals = _crystals()
    data = Path(os.environ[DATA_VARIABLE])
    for name in ("aspirin", "ethanol", "naphthalene", "paracetamol"):
        molecules[f"MD17 {name}"] = _some(read(data / "md17" / f"{name}.xyz.gz"), PER_SET)
    crystals["Alexandria"] = [
        atoms
        for atoms in read(data / "crystals" / "alexandria_random.xyz.gz")
        if len(atoms) <= LARGEST_CRYSTAL
    ]
    clusters = {
        title: [cluster(*pair) for pair in zip(some, cycle(CLUSTER_SIZES), strict=False)]
        for title, some in molecules.items()
    }
    known_crystals = references([neighbour_graph(atoms, CRYSTAL_CUTOFF) for atoms in trained])
    return {
        "selection": selection_costs(model, _molecules()[0], known),
        "agreement": {
            "clusters of molecules": {
                title: agreement(some, model.cutoff, known) for title, some in clusters.items()
            },
            "crystals": {
                title: agreement(_some(some, PER_CRYSTAL_SET), CRYSTAL_CUTOFF, known_crystals)
                for title, some in crystals.items()
            },
        },
    }


def dynamics() -> dict[str, Any]:
    """The embedded model at constant energy, untouched and at another radius, in float64."""
    model = load_model("embedded", dtype=torch.float64)
    assert isinstance(model, MacePotential)
    radius = MD_RADIUS * model.cutoff
    start = min(_molecules(), key=len)
    found = {}
    for name in ("untouched", "taper", "truncate"):
        path = WORK / f"{name}.npy"
        if path.exists():
            energies = np.load(path)
        else:
            one = model if name == "untouched" else model.with_cutoff(radius, name)  # type: ignore[arg-type]
            energies = total_energies(one, start, PICOSECONDS, MD_TEMPERATURE, path)
        found[name] = drift(energies, len(start))
    radii = candidate_radii(model, "truncate")[0]
    crossed = {mode: jumps(model, mode, radii) for mode in MODES[:2]}
    return {
        "radii_A": radii,
        "jumps_meV": crossed,
        "radius_A": radius,
        "temperature_K": MD_TEMPERATURE,
        "formula": str(start.symbols),
        "models": found,
    }


def _evidence(zoo: Zoo, cache: Path) -> list[dict[str, Any]]:
    """Of the mode taper: the others do little but harm, as the tables of the modes show."""
    models = (
        (Remembered(zoo.model(Recipe("joint", 0, group)), frozenset({"taper"})), left)
        for group, left in enumerate(zoo.left_out)
    )
    found = gather_radius_evidence(models, zoo.training, zoo.prior, cache)
    return [each.to_plain() for each in found]


def _molecules() -> list[Atoms]:
    return [a for a in load_task("embedded").training_structures() if len(a) > 1]


def _kept(name: str, compute: Callable[..., Any], *arguments: Any) -> Any:
    """What ``compute`` gave before, or gives now."""
    path = WORK / f"{name}.json"
    if not path.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        write_json(path, compute(*arguments))
        print(name, flush=True)
    return json.loads(path.read_text(encoding="utf-8"))


def _some(structures: list[Atoms], count: int) -> list[Atoms]:
    steps = np.linspace(0, len(structures) - 1, min(count, len(structures)))
    return [structures[int(step)] for step in steps]


def _about(command: str) -> dict[str, Any]:
    packages = ("farfield", "torch", "mace-torch", "chgnet", "ase")
    return {
        "command": command,
        "versions": {name: version(name) for name in packages}
        | {"python": platform.python_version()},
        "processors": os.cpu_count(),
    }


if __name__ == "__main__":
    main()
