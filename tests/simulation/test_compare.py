"""Runs side by side: shares alive, h(r) against a reference, energy surfaces, a report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ase.build import bulk, molecule

import farfield
from farfield.errors import ConfigError
from farfield.simulation.observables import interatomic_distances

COMMON = {"model": "emt", "progress": False, "replicas": 2, "stride": 2}
METHANOL = molecule("CH3OH")


def simulated(folder: Path, **changes) -> Path:
    settings = {"duration": 0.01, "temperature": 300.0, **COMMON, **changes}
    farfield.simulate([METHANOL, molecule("H2O")], output=folder, **settings)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return {
        "reference": simulated(folder / "reference"),
        "again": simulated(folder / "again", seed=1, trajectory_format="hdf5"),
        "torn": simulated(folder / "torn", temperature=3e5),
    }


def test_shares_and_distances_are_those_of_the_runs(runs, tmp_path):
    found = farfield.compare(runs, reference=runs["reference"], output=tmp_path)
    assert found == json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert found["runs"]["reference"]["h_difference"] == {"CH4O": 0.0, "H2O": 0.0}
    assert found["runs"]["reference"]["n_completed"] == 4
    assert found["runs"]["torn"]["n_completed"] == 0
    assert found["runs"]["torn"]["failures"]
    frames = {
        name: [
            frame
            for copy in ("0000", "0001")
            for frame in farfield.read(runs[name] / f"simulation_{copy}" / f"trajectory.{ending}")[
                2:
            ]  # a fifth of 11 frames is left out
        ]
        for name, ending in (("reference", "extxyz"), ("again", "h5"))
    }
    own, known = (interatomic_distances(frames[name]) for name in ("again", "reference"))
    assert found["runs"]["again"]["h_difference"]["CH4O"] == pytest.approx(own.difference(known))
    assert own.difference(known) > 0.0


def test_the_report_draws_surfaces_of_the_models_along_modes_of_the_prior(runs, tmp_path):
    farfield.compare(
        [runs["again"], runs["torn"]],
        reference=runs["reference"],
        formula="H2O",
        prior="emt",
        models={"again": "emt"},
        output=tmp_path,
    )
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    text = page.split('id="farfield-report">')[1].split("</script>")[0]
    shown = json.loads(text)
    report = shown.get("report", shown)
    (surface,) = report["surfaces"]
    assert surface["title"] == "again"
    middle = len(surface["first"]) // 2
    assert surface["energies"][middle][middle] == 0.0
    assert min(map(min, surface["energies"])) > -1e-3  # the middle is the minimum of the prior
    assert "again" in report["distances"]["errors"]
    assert [one["name"] for one in report["lifetimes"]] == ["again", "torn"]


def test_without_a_reference_nothing_is_said_of_distances(runs, tmp_path):
    found = farfield.compare([runs["again"]], output=tmp_path)
    assert found["runs"]["again"]["h_difference"] == {}


def test_a_periodic_structure_has_no_distances(runs, tmp_path):
    copper = tmp_path / "copper"
    farfield.simulate(bulk("Cu", cubic=True), output=copper, duration=0.005, **COMMON)
    found = farfield.compare([copper], reference=copper, output=tmp_path / "out")
    assert found["runs"]["copper"]["h_difference"] == {}


def test_what_is_no_run_is_said(runs, tmp_path):
    with pytest.raises(ConfigError, match=r"none: no record\.json of a finished run"):
        farfield.compare([tmp_path / "none"], output=tmp_path)
    (tmp_path / "record.json").write_text("{}")
    with pytest.raises(ConfigError, match="not the record of  farfield simulate"):
        farfield.compare([tmp_path], output=tmp_path / "out")
    with pytest.raises(ConfigError, match="no run has the formula 'C6H6'; they have CH4O, H2O"):
        farfield.compare([runs["again"]], formula="C6H6", output=tmp_path / "out")
    with pytest.raises(ConfigError, match="two runs are called 'again'"):
        farfield.compare([runs["again"], runs["again"]], output=tmp_path / "out")
