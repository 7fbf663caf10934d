"""Tasks, families and modes are data: what they hold, and how wrong ones are refused."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from farfield.benchmarks.contestants.registry import CONTESTANTS
from farfield.benchmarks.families import FAMILIES, FamilyChanges, load_family
from farfield.benchmarks.modes.mode import MODES, Mode, load_mode
from farfield.benchmarks.tasks.checks import Fingerprints, check_task
from farfield.benchmarks.tasks.selection import Conditions, Range, Selection, evenly
from farfield.benchmarks.tasks.task import TASKS, Task, load_task
from farfield.errors import ConfigError, FarfieldError
from farfield.potentials.adapters import ARCHITECTURES
from farfield.settings import validated
from farfield.structures import read, write

from .conftest import labelled, task_content, write_yaml
from .test_public_tasks import LAYOUTS


def test_the_page_names_every_task_and_mode_and_its_examples_are_sound() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmark.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \|", page, flags=re.MULTILINE)
    assert sorted(rows) == sorted([*TASKS, *MODES])
    mode, task = (
        yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    )
    assert validated(Mode, mode, "page").changes["mine"].architecture == "toy"
    assert validated(Task, task, "page").axes == {"strained": "force_norm"}


@pytest.mark.parametrize("name", sorted(set(TASKS) - set(LAYOUTS)))
def test_every_task_that_comes_along_is_sound(name: str) -> None:
    task = load_task(name)
    assert task.name == name
    if name != "embedded" and not os.environ.get("FARFIELD_DATA"):
        pytest.skip("FARFIELD_DATA names no folder of data")
    assert len(check_task(task).test) == 16


@pytest.mark.parametrize("name", MODES)
def test_every_mode_that_comes_along_is_sound(name: str) -> None:
    mode = load_mode(name)
    assert set(mode.families) <= set(FAMILIES)
    assert set(mode.contestants) <= set(CONTESTANTS)
    task = mode.applied(load_task("embedded"))
    assert task.settings.epochs == mode.training["epochs"]
    assert bool(task.models) == mode.ready_models


def test_every_architecture_is_a_family() -> None:
    assert {family.architecture for family in FAMILIES.values()} == set(ARCHITECTURES)


def test_a_family_is_merged_from_what_is_known_of_it() -> None:
    task = {"mace": FamilyChanges(settings={"channels": 8})}
    run = {"mace": FamilyChanges(training={"learning_rate": 0.1}), "own": FamilyChanges()}
    family = load_family("mace", task, run)
    assert (family.settings["channels"], family.settings["cutoff"]) == (8, 4.5)
    assert family.training == {"learning_rate": 0.1}
    own = {"own": FamilyChanges(architecture="toy", settings={"width": 3})}
    assert load_family("own", own).settings == {"width": 3}
    with pytest.raises(ConfigError, match="no family of models is called 'own'"):
        load_family("own", run)


def test_selections_are_disjoint_slices_of_what_fulfils_the_conditions() -> None:
    structures = labelled(["CH3OH", "H2O", "NH3", "C2H6"], 24, 0)
    where = Conditions(contains=("O",), n_atoms=Range(below=6))
    some = Selection(file="x", where=where, count=3).choose(structures)
    rest = Selection(file="x", where=where, first=3).choose(structures)
    assert {id(a) for a in some} & {id(a) for a in rest} == set()
    assert {a.get_chemical_formula() for a in [*some, *rest]} == {"H2O"}
    assert len(some) + len(rest) == 6
    lacking = Selection(file="x", where=Conditions(lacks=("O", "N"))).choose(structures)
    assert {a.get_chemical_formula() for a in lacking} == {"C2H6"}
    with pytest.raises(ConfigError, match="x holds 6 structures that fulfil the task's conditions"):
        Selection(file="x", where=where, count=7).choose(structures)


def test_a_cut_by_force_norm_leaves_no_structure_on_both_sides() -> None:
    structures = labelled(["CH3OH"], 20, 0)
    norms = [np.linalg.norm(a.arrays["REF_forces"], axis=1).mean() for a in structures]
    limit = float(np.median(norms))
    low, high = (
        Selection(file="x", where=Conditions(force_norm=limits)).choose(structures)
        for limits in (Range(below=limit), Range(at_least=limit))
    )
    assert (len(low), len(high)) == (10, 10)
    assert [norm < limit for norm in norms] == [any(a is b for b in low) for a in structures]


def test_conditions_on_info_take_values_and_ranges() -> None:
    structures = labelled(["H2O"], 4, 0)
    for kelvin, atoms in zip((100, 200, 300, 400), structures, strict=True):
        atoms.info |= {"kelvin": kelvin, "kind": "hot" if kelvin > 250 else "cold"}
    hot = Conditions(info={"kind": "hot", "kelvin": Range(at_least=400)})
    assert [atoms.info["kelvin"] for atoms in structures if hot.hold(atoms)] == [400]


def test_fewer_structures_are_evenly_spaced() -> None:
    structures = labelled(["H2O"], 10, 0)
    assert evenly(structures, 3) == [structures[0], structures[4], structures[9]]
    assert evenly(structures, 10) is structures


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"shfited": {}}, "unknown key 'shfited'; did you mean 'shifted'"),
    "unknown axis": ({"axes": {"acids": "colour", "ammonia": "size"}}, "axes.acids: Input should"),
    "no axis": ({"axes": {"acids": "size"}}, "'ammonia' stands under shifted and not under axes"),
    "no set": (
        {"axes": {"acids": "size", "ammonia": "size", "x": "size"}},
        "'x' stands under axes and not under shifted",
    ),
    "unknown metric": ({"metric": "mae"}, "metric: Input should be"),
    "unknown element": (
        {"train": [{"file": "train.extxyz", "where": {"contains": ["Xx"]}}]},
        "no element has the symbol 'Xx'",
    ),
    "empty range": (
        {"train": [{"file": "train.extxyz", "where": {"n_atoms": {}}}]},
        "a range needs at_least, below, or both",
    ),
    "settings of training": ({"training": {"epoch": 3}}, "did you mean 'epochs'"),
    "architecture in training": (
        {"training": {"architecture": {"channels": 3}}},
        "it belongs under families",
    ),
    "control twice": ({"control": [{"file": "train.extxyz"}]}, "the sets must be disjoint"),
    "a file that is missing": ({"control": [{"file": "none.extxyz"}]}, "FARFIELD_DATA"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_task_is_refused_on_one_line(
    case: str, workshop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FARFIELD_DATA", raising=False)
    change, said = WRONG[case]
    path = write_yaml(workshop / "wrong.yaml", task_content() | change)
    with pytest.raises(FarfieldError) as caught:
        check_task(load_task(path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_task_without_a_key_is_refused(workshop: Path) -> None:
    content = task_content()
    del content["licence"]
    with pytest.raises(ConfigError, match="the key 'licence' is missing"):
        load_task(write_yaml(workshop / "wrong.yaml", content))


def test_levels_of_theory_are_not_mixed(workshop: Path) -> None:
    structures = read(workshop / "acids.extxyz")
    for atoms in structures:
        atoms.info["REF_level_of_theory"] = "PBE"
    write(workshop / "acids.extxyz", structures)
    with pytest.raises(FarfieldError, match=r"2 levels of theory \(EMT; PBE\)"):
        check_task(load_task("tiny.yaml"))


@pytest.mark.parametrize(
    ("level", "agrees"), [("EMT", True), ("EMT (ASE)", True), ("EMT2", False), ("PBE", False)]
)
def test_the_level_of_theory_is_that_of_the_labels(
    workshop: Path, level: str, agrees: bool
) -> None:
    for name in ("train", "control", "acids", "ammonia"):
        structures = read(workshop / f"{name}.extxyz")
        for atoms in structures:
            atoms.info["REF_level_of_theory"] = level
        write(workshop / f"{name}.extxyz", structures)
    task = load_task("tiny.yaml")
    if agrees:
        check_task(task)
        return
    said = f"level of theory is 'EMT', that of its labels '{level}'"
    with pytest.raises(FarfieldError, match=said):
        check_task(task)


def test_the_fingerprints_are_of_structures_and_labels(workshop: Path) -> None:
    first = check_task(load_task("tiny.yaml"))

    def changed(name: str, by: float) -> Fingerprints:
        whole = read(workshop / f"{name}.extxyz")
        structures = [atoms.copy() for atoms in whole]
        structures[0].arrays["REF_forces"][0, 0] += by
        write(workshop / f"{name}.extxyz", structures)
        found = check_task(load_task("tiny.yaml"))
        write(workshop / f"{name}.extxyz", whole)
        return found

    assert check_task(load_task("tiny.yaml")) == first
    tested, trained = changed("acids", 0.01), changed("train", 0.01)
    assert (tested.test != first.test, tested.training) == (True, first.training)
    assert (trained.training != first.training, trained.test) == (True, first.test)
    assert changed("acids", 1e-9) == first  # the last digits of another machine


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"spec": "devv"}, "no mode is called 'devv'; did you mean 'dev'"),
        (
            {"spec": "dev", "contestants": ["tt"]},
            "no contestant is called 'tt'; did you mean 'ttt'",
        ),
        ({"spec": "dev", "families": ["mace", "mace"]}, "families: one stands there twice"),
        ({"spec": "dev", "seeds": [0, 1, 0]}, r"seeds: one stands there twice \(0, 1, 0\)"),
        ({"spec": "dev", "tasks": ["md17", "md17"]}, "tasks: one stands there twice"),
    ],
)
def test_a_wrong_mode_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_mode(given.pop("spec"), **given)
