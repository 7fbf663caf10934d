"""``farfield simulate`` on the command line: end to end, refined first, and bad inputs."""

from __future__ import annotations

import csv
import json

import pytest
from ase.build import bulk, molecule

from farfield import read, write
from farfield.simulation.files import COLUMNS
from farfield.structures import Labels, attach, labels_of

RECORD = {
    "model",
    "settings",
    "refinement",
    "n_simulations",
    "n_completed",
    "share_alive",
    "median_lifetime_ps",
    "failures",
    "alarms",
    "warnings",
    "simulations",
    "seconds",
    "speed_ns_per_day",
    "versions",
}


@pytest.fixture
def start(tmp_path):
    atoms = molecule("H2O")
    attach(atoms, Labels(-1.0, atoms.positions, None, "secret"))
    write(tmp_path / "start.extxyz", [atoms])
    return tmp_path / "start.extxyz"


@pytest.mark.slow
def test_from_start_to_record(farfield, start, tmp_path):
    pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")
    words = ("simulate", start, "--model", "embedded", "--ensemble", "nvt", "--temperature", 400)
    words += ("--timestep", 0.5, "--duration", 0.01, "--replicas", 2, "--seed", 3, "--stride", 5)
    done = farfield(*words, "--json", "-o", tmp_path / "run")
    assert done.code == 0, done.err
    record = json.loads(done.out)
    assert set(record) >= RECORD
    assert record == json.loads((tmp_path / "run/record.json").read_text())
    assert record["settings"]["temperature_K"] == 400.0
    assert (record["n_simulations"], record["share_alive"]) == (2, 1.0)
    assert "2 of 2 simulations reached 0.01 ps" in done.err
    page = (tmp_path / "run/report.html").read_text()
    assert "2 of 2 simulations reached 0.01 ps" in page
    assert "farfield simulate" in page
    assert "--temperature 400" in page
    first, second = record["simulations"]
    assert (first["steps"], first["failure"], first["file"]) == (20, None, "start.extxyz")

    frames = read(tmp_path / "run" / first["folder"] / "trajectory.extxyz")
    assert [atoms.info["farfield_step"] for atoms in frames] == [0, 5, 10, 15, 20]
    assert all(labels_of(atoms) is None for atoms in frames)  # predictions are no reference
    assert labels_of(frames[0], "farfield").level_of_theory == record["model"]
    assert "secret" not in (tmp_path / "run/simulation_0000/trajectory.extxyz").read_text()
    assert frames[-1].get_kinetic_energy() > 0
    with (tmp_path / "run" / second["folder"] / "thermodynamics.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == COLUMNS
    assert [float(row["time_fs"]) for row in rows] == [0.0, 2.5, 5.0, 7.5, 10.0]
    last = {key: float(value) for key, value in rows[-1].items()}
    assert last["total_energy_eV"] == pytest.approx(
        last["potential_energy_eV"] + last["kinetic_energy_eV"], abs=1e-7
    )
    assert last["potential_energy_eV"] != pytest.approx(
        frames[-1].info["farfield_energy"], abs=1e-6
    )  # the replicas differ

    again = farfield(*words, "--json", "-o", tmp_path / "run")
    assert json.loads(again.out)["simulations"] == record["simulations"]


@pytest.mark.slow
def test_refined_first_and_watched(farfield, tmp_path):
    pytest.importorskip("mace", reason="the models are MACE models")
    pytest.importorskip("tblite", reason="the prior gfn2 needs tblite")
    start = tmp_path / "start.extxyz"
    write(start, [molecule("HCN")])
    words = ("simulate", start, "--model", "embedded", "--prior", "gfn2", "--duration", 0.005)
    words += ("--refine", "ttt", "--refine-steps", 2, "--force", "--config", tmp_path / "c.yaml")
    words += ("--refine-every", 0.003)
    (tmp_path / "c.yaml").write_text("checks: {watch_stride: 2, window: 2}\n")
    done = farfield(*words, "--json", "-o", tmp_path / "run")
    assert done.code == 0, done.err
    record = json.loads(done.out)
    assert record["refinement"]["method"] == "ttt"
    assert (tmp_path / "run/refinement/model").exists()
    figures = record["simulations"][0]["figures"]
    assert figures["prior_disagreement_last_eV_per_A"] > 0
    assert figures["prior_failures"] == 0
    assert record["settings"]["refine_every_ps"] == 0.003
    assert record["segments"][0]["from_step"] == 0
    assert record["segments"][-1]["to_step"] == 10
    frames = read(tmp_path / "run/simulation_0000/trajectory.extxyz")
    assert frames[0].info["farfield_segment"] == 0

    longer = list(words)
    longer[longer.index(0.005)] = 0.006
    before = (tmp_path / "run/refinement/record.json").read_bytes()
    done = farfield(*longer, "-o", tmp_path / "run")
    assert done.code == 0, done.err
    assert (tmp_path / "run/refinement/record.json").read_bytes() == before  # not done again


def test_what_failed_is_said(farfield, tmp_path):
    """To the Lennard-Jones fluid of the model, hydrogen is far too close together."""
    start = tmp_path / "start.extxyz"
    write(start, [molecule("H2")])
    words = ("simulate", start, "--model", "lj", "--duration", 0.05, "--temperature", 200)
    done = farfield(*words, "--json", "-o", tmp_path / "run")
    assert done.code == 0, done.err  # a finding is a result
    record = json.loads(done.out)
    failure = record["simulations"][0]["failure"]
    assert record["share_alive"] == 0.0
    assert record["failures"] == {failure["check"]: 1}
    assert record["median_lifetime_ps"] == pytest.approx(1e-3 * failure["time_fs"])
    assert f"simulation_0000 (H2): {failure['check']} at {failure['time_fs']:g} fs" in done.err
    assert (tmp_path / "run/simulation_0000/failure.extxyz").exists()


def test_a_trajectory_in_hdf5(farfield, start, tmp_path):
    pytest.importorskip("h5py", reason="h5py is not installed: pip install 'farfield[data]'")
    words = ("simulate", start, "--model", "emt", "--duration", 0.002, "--stride", 1)
    done = farfield(*words, "--trajectory-format", "hdf5", "-o", tmp_path / "run")
    assert done.code == 0, done.err
    assert not (tmp_path / "run/simulation_0000/trajectory.extxyz").exists()
    frames = read(tmp_path / "run/simulation_0000/trajectory.h5")
    assert [atoms.info["farfield_step"] for atoms in frames] == list(range(5))
    assert "--trajectory-format hdf5" in (tmp_path / "run/report.html").read_text()


CASES = {
    "ensemble": ("--ensemble nvp", ("ensemble", "'nve', 'nvt' or 'npt'")),
    "temperature": ("--temperature -3", ("temperature", "greater than 0")),
    "duration": ("--duration 0", ("duration", "greater than 0")),
    "replicas": ("--replicas 0", ("--replicas",)),
    "method": ("--refine tt --prior lj", ("unknown method 'tt'", "did you mean 'ttt'?")),
    "no method": ("--replay {start}", ("--replay is for a refinement",)),
    "method without prior": ("--refine ttt", ("--prior, such as gfn2",)),
    "black box": ("--refine ttt --prior lj", ("EMT (ASE calculator) does not offer",)),
    "prior": ("--prior gnf2", ("did you mean 'gfn2'?",)),
    "prior's elements": ("--prior sw", ("start.extxyz, structure 0 (H2O)", "sw")),
    "profile": ("--profile none.npz", ("none.npz: no such file",)),
    "config": ("--config none.yaml", ("none.yaml: no such file",)),
    "key": ("--config {config}", ("settings.yaml", "temprature", "did you mean 'temperature'?")),
    "nested key": ("--config {nested}", ("unknown key 'checks.strid'",)),
    "npt of a molecule": ("--ensemble npt", ("structure 0 (H2O) is not periodic", "use nvt")),
    "sample of what": ("--refine ttt --sample 1", ("--sample runs the prior", "--prior")),
    "sample for nothing": ("--prior lj --sample 1", ("--sample is for a refinement",)),
    "sample beside structures": (
        "--refine ttt --prior lj --sample 1 --refine-on {start}",
        ("--refine-on gives them",),
    ),
    "sample at what": (
        "--refine ttt --prior lj --sample-temperature 900",
        ("--sample-temperature belongs to --sample",),
    ),
    "sample at nothing": (
        "--refine ttt --prior lj --sample 1 --sample-temperature 0",
        ("--sample-temperature 0", "above 0"),
    ),
    "sample of no length": ("--refine ttt --prior lj --sample 0", ("--sample 0", "above 0")),
    "anew without a method": ("--refine-every 1", ("--refine-every is for a refinement",)),
    "anew by a method that cannot": (
        "--refine correction --prior lj --refine-every 1",
        ("--refine ttt or distil",),
    ),
    "anew without an alarm": (
        "--refine ttt --refine-every 1",
        ("waits for an alarm", "--prior or --profile"),
    ),
    "anew of what stops": (
        "--refine ttt --prior lj --refine-every 1 --stop-on-alarm",
        ("--stop-on-alarm ends", "leave one of them away"),
    ),
    "format": ("--trajectory-format hdf", ("trajectory_format", "'extxyz' or 'hdf5'")),
    "device": ("--device gpu", ("unknown device 'gpu'",)),
    "dtype": ("--dtype float46", ("did you mean 'float64'",)),
    "black box's dtype": ("--dtype float64", ("cannot be brought to float64 cpu",)),
    "head": ("--head gfn3", ("no head 'gfn3'",)),
    "option": ("--temprature 3", ("did you mean '--temperature'?",)),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_on_one_line(case, farfield, start, tmp_path):
    given, words = CASES[case]
    files = {"start": start}
    for name, text in {"config": "temprature: 3\n", "nested": "checks: {strid: 3}\n"}.items():
        files[name] = tmp_path / ("settings.yaml" if name == "config" else "nested.yaml")
        files[name].write_text(text)
    more = given.format(**files).split()
    done = farfield("simulate", start, "--model", "emt", *more, "-o", tmp_path / "run")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("farfield: error: ")
    assert done.err.count("\n") == 1, done.err
    for word in words:
        assert word in done.err
    assert not (tmp_path / "run").exists()


def test_an_element_the_model_cannot_take_is_one_line(farfield, tmp_path):
    write(tmp_path / "iron.extxyz", [bulk("Fe")])
    done = farfield("simulate", tmp_path / "iron.extxyz", "--model", "emt", "-o", tmp_path / "run")
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert not (tmp_path / "run").exists()
