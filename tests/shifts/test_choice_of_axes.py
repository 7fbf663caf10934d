"""Default axes, further axes, and shards, from Python and on the command line."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from farfield import diagnose, profile
from farfield.cli.main import main
from farfield.errors import ConfigError, ProfileError
from farfield.shifts import DEFAULT, DETECTORS, chosen_axes
from farfield.shifts.profile_files import load
from farfield.structures import write
from tests.shifts.made import rattled, seen
from tests.shifts.two_heads import ToyPrior, TwoHeads

TRAIN, TEST = rattled(40, seed=1), rattled(4, seed=2, width=0.15)


def run(monkeypatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["farfield", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_names_of_axes() -> None:
    assert chosen_axes(None) == DEFAULT == tuple(n for n, d in DETECTORS.items() if d.default)
    assert chosen_axes("all") == chosen_axes(["all"]) == tuple(DETECTORS)
    assert chosen_axes(["size", "elements"]) == ("elements", "size")
    with pytest.raises(ConfigError, match="no axis 'conectivity'; did you mean 'connectivity'"):
        chosen_axes(["conectivity"])
    with pytest.raises(ConfigError, match="no axis was chosen"):
        chosen_axes([])


def test_further_axes_never_move_the_verdict_unless_named() -> None:
    fitted = profile(TRAIN, cutoff=4.0)
    plain, whole = (diagnose(TEST, profile=fitted, axes=axes) for axes in (None, "all"))
    for one, other in zip(plain.structures, whole.structures, strict=True):
        assert (one.quantile, one.verdict, one.axis) == (other.quantile, other.verdict, other.axis)
        assert set(one.scores) == {"elements", "connectivity"} < set(other.scores)
        assert one.combined_axes == other.combined_axes == ("elements", "connectivity")
    assert set(whole.not_scored) == {
        *("force_norm", "representation", "prior_residual", "prior_force_norm", "mahalanobis")
    }
    named = diagnose(TEST, profile=fitted, axes=["coordination", "share_near_one"])
    for found in named.structures:
        assert set(found.scores) == {"coordination", "share_near_one"} == {*found.combined_axes}
        assert found.quantile == fitted.combined_quantile(found.quantiles)
        assert found.axis in found.scores
    with pytest.raises(ProfileError, match="has none of the axes representation"):
        diagnose(TEST, profile=fitted, axes=["representation"])


def test_both_proxies_of_the_force_norm_are_named(tmp_path: Path) -> None:
    model = TwoHeads(prior="gfn2")  # without a head for the prior
    common = {"prior": ToyPrior(), "cache": tmp_path}
    fitted = profile(TRAIN, model=model, **common)
    assert fitted.header["force_source"] == "the model's own forces (two heads)"
    assert fitted.header["prior_force_source"] == "forces of the prior toy (toy)"
    found = diagnose(TEST, profile=fitted, model=model, axes="all", **common, output=tmp_path / "o")
    for atoms, one in zip(TEST, found.structures, strict=True):
        by_model = np.linalg.norm(model.predict([atoms.copy()])[0].forces, axis=1).mean()
        by_prior = np.linalg.norm(seen(atoms).forces, axis=1).mean()
        assert one.scores["force_norm"] == pytest.approx(by_model)
        assert one.scores["prior_force_norm"] == pytest.approx(by_prior)
    report = (tmp_path / "o" / "report.html").read_text()
    assert "forces of the prior toy (toy)" in report and fitted.fingerprint in report
    alone = profile(TRAIN, cutoff=4.0, **common)
    assert alone.header["force_source"] == "forces of the prior toy (toy)"
    assert alone.not_fitted("prior_force_norm").startswith("no forces of a prior beside a model's")
    assert diagnose(TEST, profile=fitted, model=model).structures  # the prior is not needed


def test_shards_and_axes_on_the_command_line(tmp_path: Path, monkeypatch, capsys) -> None:
    write(tmp_path / "whole.extxyz", TRAIN)
    write(tmp_path / "test.extxyz", TEST)
    write(tmp_path / "a.extxyz", TRAIN[:13])
    write(tmp_path / "b.extxyz", TRAIN[13:])
    for name in ("whole", "a", "b"):
        arguments = (tmp_path / f"{name}.extxyz", "--cutoff", 4, "-o", tmp_path / f"{name}.npz")
        assert run(monkeypatch, "profile", *arguments) == 0
    parts, merged = (tmp_path / "a.npz", tmp_path / "b.npz"), tmp_path / "merged.npz"
    capsys.readouterr()
    assert run(monkeypatch, "profile", *parts, "--merge", "--json", "-o", merged) == 0
    told = json.loads(capsys.readouterr().out)
    whole = load(tmp_path / "whole.npz")
    assert told["fingerprint"] == load(merged).fingerprint == whole.fingerprint
    assert told["n_structures"] == 40 and told["axes"] == ["elements", "connectivity"]
    other = tmp_path / "other.npz"
    arguments = (tmp_path / "a.extxyz", "--cutoff", 5, "-o", other)
    assert run(monkeypatch, "profile", *arguments) == 0
    assert run(monkeypatch, "profile", *parts, other, "--merge", "-o", tmp_path / "no.npz") == 2
    error = capsys.readouterr().err
    assert f"{parts[0]} and {other} do not go together: the cutoff" in error
    assert not (tmp_path / "no.npz").exists()
    assert run(monkeypatch, "profile", *parts, "--merge", "--cutoff", 4, "-o", merged) == 2
    assert "--merge takes profiles, which hold their --cutoff" in capsys.readouterr().err

    common = (tmp_path / "test.extxyz", "--profile", merged)
    out = tmp_path / "diagnosis"
    assert run(monkeypatch, "diagnose", *common, "--axes", "all", "-o", out) == 0
    with (out / "scores.csv").open() as handle:
        row = next(csv.DictReader(handle))
    assert row["score_representation"] == "" and float(row["score_coordination"]) >= 0.0
    content = json.loads((out / "diagnosis.json").read_text())
    assert content["profile_fingerprint"] == whole.fingerprint
    assert "Coordination" in (out / "report.html").read_text()
    named = ("--axes", "size, composition")
    assert run(monkeypatch, "diagnose", *common, *named, "-o", tmp_path / "named") == 0
    content = json.loads((tmp_path / "named" / "diagnosis.json").read_text())
    assert {one["axis"] for one in content["structures"]} <= {"size", "composition"}
    assert run(monkeypatch, "diagnose", *common, "--axes", "sizes", "-o", tmp_path / "x") == 2
    assert "did you mean 'size'?" in capsys.readouterr().err
