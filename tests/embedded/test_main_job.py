"""The main job on the embedded example does what the README says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")
pytest.importorskip("tblite", reason="tblite is not installed: pip install 'farfield[xtb]'")

from farfield import embedded
from farfield.benchmarks.comparison import Contestants, compare
from farfield.errors import ConfigError
from farfield.potentials import require_trainable
from farfield.priors import load_prior
from farfield.refinement import TestTimeSettings, load_model
from farfield.shifts import Profile
from farfield.structures import read
from farfield.verbs.demo import demo
from farfield.verbs.diagnose import diagnose
from farfield.verbs.profile import profile as fit_profile


@pytest.fixture(scope="module")
def profile() -> Profile:
    return fit_profile(embedded.structures_file("train"), model="embedded")


@pytest.mark.slow
def test_each_shifted_set_is_told_from_the_control_along_its_axis(
    profile: Profile, tmp_path: Path
) -> None:
    control = embedded.structures_file(embedded.CONTROL)
    files = [control, *(embedded.structures_file(name) for name in embedded.SHIFTED)]
    diagnose(files, profile=profile, model="embedded", control=control, output=tmp_path)
    auroc = json.loads((tmp_path / "diagnosis.json").read_text())["auroc"]
    for name, axis in embedded.SHIFTED.items():
        found = auroc[axis][f"{name}.extxyz"]
        assert found["low"] <= found["value"] <= found["high"]
        assert found["value"] >= 0.9, (name, axis)


def test_a_control_that_is_not_diagnosed_is_told(profile: Profile) -> None:
    control = embedded.structures_file(embedded.CONTROL)
    with pytest.raises(ConfigError, match="none of the files"):
        diagnose(
            embedded.structures_file("new_element"),
            profile=profile,
            model="embedded",
            control=control,
        )


@pytest.mark.slow
def test_test_time_training_lowers_the_error_on_new_molecules_by_30_percent(
    profile: Profile,
) -> None:
    contestants = Contestants(
        supervised=load_model("embedded-supervised"),
        joint=require_trainable(load_model("embedded"), "a test"),
        prior=load_prior("gfn2"),
        profile=profile,
        replay=read(embedded.structures_file("train")),
        control=read(embedded.structures_file(embedded.CONTROL)),
        settings=TestTimeSettings(seed=0),
    )
    found, _ = compare(read(embedded.structures_file("new_molecules")), contestants)
    assert found.ttt.force_mae.value < 0.7 * found.joint.force_mae.value
    assert found.control_after.force_mae.value < 1.1 * found.control_before.force_mae.value


@pytest.mark.slow
def test_the_demo_writes_its_report_and_results(tmp_path: Path) -> None:
    said: list[str] = []
    results = demo(tmp_path, steps=4, workers=1, say=said.append)
    assert json.loads((tmp_path / "results.json").read_text()) == json.loads(json.dumps(results))
    report = (tmp_path / "report.html").read_text()
    for name in (embedded.CONTROL, *embedded.SHIFTED):
        assert name.replace("_", " ") in report
        assert (tmp_path / "models" / f"{name}.pt").exists()
        assert any(line.startswith(name) for line in said)
    assert not results["records"][embedded.CONTROL]["ttt"]["acted"]
