"""The runner: what it computes, that it goes on where it was, and that it is blind to labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms

from farfield.benchmarks import bench as bench_module
from farfield.benchmarks import cells, study
from farfield.benchmarks.bench import Bench, Contestant
from farfield.benchmarks.contestants.method import Method
from farfield.benchmarks.contestants.registry import CONTESTANTS
from farfield.benchmarks.families import load_family
from farfield.benchmarks.modes.mode import load_mode
from farfield.benchmarks.results.files import load_results
from farfield.benchmarks.runner import run_benchmark
from farfield.benchmarks.tasks.task import Task, load_task
from farfield.benchmarks.zoo import Zoo
from farfield.errors import ConfigError
from farfield.potentials import Prediction
from farfield.priors import LabelCache
from farfield.structures import halves, read, write

from .conftest import mode_content, write_yaml

# Made like others that the test of all contestants does run.
SIMILAR = (
    "joint",
    "head_difference",
    "joint_difference",
    "auto",
    "distil",
    "retrofit_distil",
    "retrofit_ttt",
    "retrofit",
    "fine_tune_100",
)
OTHERS = ("seconds", "predict", "record")


def bare(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Results without what a clock says."""
    return [
        {key: value for key, value in entry.items() if key not in OTHERS}
        for entry in content["entries"]
    ]


def test_every_contestant_has_a_result_or_a_reason(workshop: Path) -> None:
    names = [name for name in CONTESTANTS if name not in SIMILAR]
    write_yaml(workshop / "all.yaml", mode_content(names))
    content = run_benchmark(load_mode("all.yaml"), workshop / "run")
    assert content == load_results(workshop / "run" / "results.json")
    found = {(entry["contestant"], entry["set"]): entry for entry in content["entries"]}
    assert len(found) == len(names) * 3
    for (name, title), entry in found.items():
        if name == "fine_tune_10":
            assert "3 structures with reference forces" in entry["reason"]
        elif name == "mace_multihead_10":
            assert "MACE" in entry["reason"]
        elif title == "ammonia" and name != "prior_alone":  # no training structure holds nitrogen
            assert entry["status"] == "n/a"
            assert "holds N, which GemNet-T" in entry["reason"]
        else:
            assert entry["status"] == "done", (name, title, entry)
            assert len(entry["errors"]) == 3
            assert np.isfinite(entry["errors"]).all()
            assert len(entry["control"]) == (3 if title == "control" else 6)
    model = content["models"][0]
    assert model["parameters"] > 0
    assert {"supervised-seed0", "joint-seed0", "joint-without0-seed0"} <= set(
        model["training_seconds"]
    )
    told = content["tasks"]["tiny"]
    assert (told["licence"], told["level_of_theory"], told["unit"]) == ("MIT", "EMT", "eV/Å")
    assert content["hardware"]["processors"] > 0
    assert {"farfield", "torch", "python"} <= set(content["versions"])
    distances = content["distances"][0]
    assert distances["status"] == "n/a" or "connectivity" in distances["lines"]


def test_a_run_that_was_stopped_goes_on(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mode, calls = load_mode("seconds.yaml"), []
    real = study.judge

    def counted(*arguments: Any) -> dict[str, Any]:
        if len(calls) == stop_at:
            raise KeyboardInterrupt
        calls.append(arguments[2])
        return real(*arguments)

    monkeypatch.setattr(cells, "judge", counted)
    stop_at = 2
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(mode, workshop / "run")
    assert not (workshop / "run" / "results.json").exists()
    assert not list((workshop / "run").rglob("*.partial"))
    stop_at = 99
    went_on = run_benchmark(mode, workshop / "run")
    assert len(calls) == 6
    assert len(went_on["entries"]) == 6
    again = run_benchmark(mode, workshop / "run")
    assert len(calls) == 6
    assert again["entries"] == went_on["entries"]
    fresh = run_benchmark(mode, workshop / "another")
    assert bare(fresh) == bare(went_on)


def test_other_settings_are_another_run(workshop: Path) -> None:
    first = run_benchmark(load_mode("seconds.yaml"), workshop / "run")
    content = mode_content(["supervised"]) | {"training": {"epochs": 3}}
    write_yaml(workshop / "more.yaml", content)
    second = run_benchmark(load_mode("more.yaml"), workshop / "run")
    assert first["entries"][0]["errors"] != second["entries"][0]["errors"]


def test_other_training_structures_are_another_run(workshop: Path) -> None:
    first = run_benchmark(load_mode("seconds.yaml"), workshop / "run")
    structures = read(workshop / "train.extxyz")
    for atoms in structures:
        atoms.arrays["REF_forces"] *= 2.0
    write(workshop / "train.extxyz", structures)
    second = run_benchmark(load_mode("seconds.yaml"), workshop / "run")
    assert first["entries"][0]["errors"] != second["entries"][0]["errors"]
    told = [content["tasks"]["tiny"] for content in (first, second)]
    assert told[0]["fingerprint"] == told[1]["fingerprint"]
    assert told[0]["training_fingerprint"] != told[1]["training_fingerprint"]


def test_a_damaged_result_is_named(workshop: Path) -> None:
    run_benchmark(load_mode("seconds.yaml"), workshop / "run")
    path = next((workshop / "run" / "cells").rglob("acids.json"))
    path.write_text(path.read_text()[:20])
    with pytest.raises(ConfigError, match=r"acids.json: damaged .*delete it"):
        run_benchmark(load_mode("seconds.yaml"), workshop / "run")


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (
            {"architecture": "painn", "settings": {"chanels": 8}},
            "family own: unknown key 'chanels'",
        ),
        ({"architecture": "pain"}, "family own: unknown architecture 'pain'; did you mean 'painn'"),
        ({"architecture": "painn", "training": {"epoch": 1}}, "family own: training: unknown key"),
    ],
)
def test_settings_are_refused_before_anything_is_trained(
    workshop: Path, second: dict[str, Any], said: str
) -> None:
    content = mode_content(["supervised"])
    content["families"] = ["gemnet-t", "own"]
    content["changes"] = {**content["changes"], "own": second}  # type: ignore[dict-item]
    write_yaml(workshop / "two.yaml", content)
    with pytest.raises(ConfigError, match=said):
        run_benchmark(load_mode("two.yaml"), workshop / "run")
    assert not (workshop / "run").exists()


@pytest.fixture
def spoilt(workshop: Path) -> Path:
    """The same task; labels of what may be adapted to are not numbers."""
    folder = workshop / "spoilt"
    for name in ("train", "control", "acids", "ammonia"):
        structures = read(workshop / f"{name}.extxyz")
        if name == "acids":
            for atoms in halves(structures, 0)[0]:
                atoms.arrays["REF_forces"][:] = np.nan
                atoms.info["REF_energy"] = np.nan
        write(folder / f"{name}.extxyz", structures)
    (folder / "tiny.yaml").write_text((workshop / "tiny.yaml").read_text())
    return folder


def benches(workshop: Path, spoilt: Path) -> list[Bench]:
    """The task and the same with spoilt labels, with the same trained models."""
    mode = load_mode("seconds.yaml")
    found = []
    for folder in (workshop, spoilt):
        task: Task = mode.applied(load_task(folder / "tiny.yaml"))
        family = load_family("gemnet-t", mode.changes)
        zoo = Zoo(task, workshop / "zoo", LabelCache(workshop / "cache"), family)
        found.append(Bench(zoo, 0, workshop / "cache", mode.effort))
    return found


def assert_blind(method: Method, pair: list[Bench]) -> None:
    first, second = (study.judge(bench, method, "acids")["errors"] for bench in pair)
    assert first == second, "the labels of the structures to adapt to changed the result"


@pytest.mark.parametrize("name", ["ttt", "freeze_head_ttt", "cautious_correction", "radius"])
def test_contestants_are_blind_to_labels(name: str, workshop: Path, spoilt: Path) -> None:
    assert_blind(CONTESTANTS[name], benches(workshop, spoilt))


def cheat(bench: Bench, structures: Any) -> Contestant:
    """Scales its forces by the labels that it sees; without any it is the prior."""
    seen = [atoms.arrays["REF_forces"] for atoms in structures if "REF_forces" in atoms.arrays]
    size = 1.0 + float(np.nan_to_num(np.concatenate(seen)).max()) if seen else 1.0

    def predict(given: Any) -> list[Prediction]:
        labels = bench.zoo.prior_labels(given)
        return [Prediction(one.known_energy, size * one.known_forces) for one in labels]

    return Contestant(predict)


def test_a_leak_turns_the_test_red(
    workshop: Path, spoilt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = benches(workshop, spoilt)
    assert_blind(Method(cheat, "cheat"), pair)
    monkeypatch.setattr(study, "without_labels", lambda structures: list(structures))
    with pytest.raises(AssertionError, match="changed the result"):
        assert_blind(Method(cheat, "cheat"), pair)


def test_predictions_are_made_without_labels(workshop: Path, spoilt: Path) -> None:
    seen: list[Atoms] = []

    def spy(bench: Bench, structures: Any) -> Contestant:
        seen.extend(structures)

        def predict(given: Any) -> list[Prediction]:
            seen.extend(given)
            return [Prediction(0.0, np.zeros((len(atoms), 3))) for atoms in given]

        return Contestant(predict)

    study.judge(benches(workshop, spoilt)[0], Method(spy, "spy"), "acids")
    assert len(seen) == 3 + 3 + 6
    for atoms in seen:
        assert set(atoms.arrays) == {"numbers", "positions"}
        assert not any("REF" in key for key in atoms.info)


def test_an_energy_metric_needs_no_forces(workshop: Path) -> None:
    structures = read(workshop / "acids.extxyz")
    for atoms in structures:
        del atoms.arrays["REF_forces"]
    write(workshop / "acids.extxyz", structures)
    (workshop / "tiny.yaml").write_text(
        (workshop / "tiny.yaml").read_text() + "metric: energy_mae\n"
    )
    content = run_benchmark(load_mode("seconds.yaml"), workshop / "run")
    assert content["tasks"]["tiny"]["unit"] == "eV/atom"
    done = [entry for entry in content["entries"] if entry["status"] == "done"]
    assert {entry["set"] for entry in done} == {"control", "acids", "ammonia"}
    assert all(0.0 <= error < 1.0 for entry in done for error in entry["errors"])


def test_a_family_that_is_not_known_is_told_before_anything_is_trained(
    workshop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_module, "fit", None)
    with pytest.raises(ConfigError, match="'mase'; did you mean 'mace'"):
        run_benchmark(load_mode("seconds.yaml", families=["mase"]), workshop / "run")
    assert not (workshop / "run").exists()
