"""A model is refined anew at declared times, and the run goes on in a new segment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.calculators.lj import LennardJones

from farfield import load_model, read, refine, simulate
from farfield.errors import ConfigError, ModelError
from farfield.potentials import Prediction, fingerprint
from farfield.priors import CalculatorPrior
from farfield.refinement import Record
from farfield.simulation import Frame, Job
from farfield.simulation.checks import Drift, Energy, PriorDisagreement
from farfield.simulation.integrators import make_dynamics, make_dynamics_anew
from farfield.simulation.settings import load_settings
from farfield.verbs.simulation.segments import run_segments
from tests.simulation.made import START, Planted, Springs, springs

FIRST = {"method": "made up", "acted": True}
OFFSET = 500.0  # eV between one model's energies and the next one's
# 40 steps between declared times; the disagreement with the prior grows from its first window
CHECKS = {
    "watch_stride": 5,
    "window": 2,
    "disagreement_factor": 1.01,
    "disagreement_floor": 1e-9,
    "allow_reactions": True,
}
SETTINGS = {"replicas": 3, "duration": 0.06, "stride": 3, "refine_every": 0.02, "checks": CHECKS}


def of(stiffness, offset=0.0):
    def changed(step, place, atoms, found):
        made = springs(atoms, stiffness=stiffness)
        return Prediction(made.energy + offset, made.forces)

    return Planted(changed)


class Study:
    """Springs that are refined, each time to the next of some models."""

    def __init__(self, folder: Path, *, acts=(True, True), watched=True, first=None, **settings):
        self.folder = folder
        self.acts = acts
        self.asked: list[tuple[str, list]] = []
        self.interrupt = False
        self.first = first or of(10.0)
        self.later = {"refinement_0001": of(12.0, OFFSET), "refinement_0002": of(14.0, -OFFSET)}
        self.settings = load_settings(None, **{**SETTINGS, **settings})
        self.prior = CalculatorPrior(Springs, name="true", level_of_theory="springs")
        self.watched = watched

    def refine(self, structures, target):
        self.asked.append((target.name, list(structures)))
        if self.interrupt:
            raise KeyboardInterrupt
        acted = self.acts[int(target.name[-4:]) - 1]
        if isinstance(acted, Exception):
            raise acted
        return Record("made up", acted, ["for a test"])

    def load(self, path):
        return self.later[path.parent.name]

    def run(self):
        job = Job(
            potential=self.first,
            head=None,
            starts=[START.copy()],
            settings=self.settings,
            folder=self.folder,
            run="this",
            prior=self.prior if self.watched else None,
        )
        return run_segments(
            job,
            self.refine,
            self.load,
            first=FIRST,
            model=None,
            workers=1,
            loading={},
            progress=False,
        )

    def frames(self, index=0):
        ending = {"extxyz": "extxyz", "hdf5": "h5"}[self.settings.trajectory_format]
        return read(self.folder / f"simulation_{index:04d}/trajectory.{ending}")


def contents(folder: Path) -> dict[str, bytes]:
    paths = [*folder.glob("*/*"), folder / "decisions.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.parametrize("trajectory_format", ["extxyz", "hdf5"])
def test_each_alarm_begins_a_segment_with_a_potential_of_its_own(tmp_path, trajectory_format):
    study = Study(tmp_path / "run", trajectory_format=trajectory_format, refine_frames=7)
    found = study.run()
    assert found.plain["segments"] == [
        {"segment": 0, "from_step": 0, "to_step": 40, "refinement": "refinement", "acted": True},
        {"segment": 1, "from_step": 40, "to_step": 80, "acted": True}
        | {"refinement": "refinement_0001"},
        {"segment": 2, "from_step": 80, "to_step": 120, "acted": True}
        | {"refinement": "refinement_0002"},
    ]
    first, second = found.plain["decisions"]
    assert (first["step"], first["acted"], first["n_frames"]) == (40, True, 7)
    assert first["alarms"] == {"prior_disagreement": 3}
    assert (second["step"], second["time_ps"]) == (80, pytest.approx(0.04))
    for index in range(3):
        frames = study.frames(index)
        steps = [atoms.info["farfield_step"] for atoms in frames]
        assert steps == list(range(0, 121, 3))  # none twice
        for atoms, step in zip(frames, steps, strict=True):
            segment = (step - 1) // 40 if step else 0
            assert atoms.info["farfield_segment"] == segment
            stiffness, offset = [(10.0, 0.0), (12.0, OFFSET), (14.0, -OFFSET)][segment]
            expected = springs(atoms, stiffness=stiffness)
            assert atoms.info["farfield_energy"] == pytest.approx(
                expected.energy + offset, abs=1e-5
            )
            assert np.allclose(atoms.arrays["farfield_forces"], expected.forces, atol=1e-5)
    table = (tmp_path / "run/simulation_0000/thermodynamics.csv").read_text().splitlines()
    assert table[0].endswith(",segment")
    assert [row.split(",")[-1] for row in table[1:]] == ["0"] * 14 + ["1"] * 13 + ["2"] * 14
    # an energy that jumps by 500 eV between models is no failure
    assert all(outcome.completed for result in found.results for outcome in result.outcomes)


def test_it_is_refined_for_bare_frames_of_the_last_window(tmp_path):
    study = Study(tmp_path / "run")
    study.run()
    assert [name for name, _ in study.asked] == ["refinement_0001", "refinement_0002"]
    given = study.asked[0][1]
    last = [
        atoms
        for index in range(3)
        for atoms in study.frames(index)
        if 30 < atoms.info["farfield_step"] <= 40  # two looks, ten steps
    ]
    assert len(given) == len(last) == 9
    for bare, frame in zip(given, last, strict=True):
        assert np.array_equal(bare.positions, frame.positions)
        assert set(bare.arrays) == {"numbers", "positions"}
        assert bare.calc is None
        assert not [key for key in bare.info if key.startswith("farfield_e")]


def test_without_an_alarm_it_is_the_run_that_it_would_be(tmp_path):
    quiet = {"duration": 0.06, "checks": {**CHECKS, "disagreement_floor": 1e6}}
    study = Study(tmp_path / "run", **quiet)
    found = study.run()
    assert study.asked == []
    assert found.plain["decisions"] == []
    assert [each["to_step"] for each in found.plain["segments"]] == [120]
    plain = Study(tmp_path / "plain", refine_every=None, **quiet)
    plain.run()
    for index in range(3):
        name = f"simulation_{index:04d}/trajectory.extxyz"
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()


def test_an_alarm_counts_once(tmp_path):
    """The second model is the prior's own: at the second declared time no alarm is new."""
    study = Study(tmp_path / "run")
    study.later["refinement_0001"] = of(20.0)
    found = study.run()
    assert [each["step"] for each in found.plain["decisions"]] == [40]
    assert [each["to_step"] for each in found.plain["segments"]] == [40, 120]


@pytest.mark.parametrize("why", [False, ModelError("no label")])
def test_a_refinement_that_does_not_act_changes_nothing(tmp_path, why):
    """The alarm goes on, and at the next declared time it is tried again."""
    study = Study(tmp_path / "run", acts=(why, True))
    study.later["refinement_0002"] = of(12.0, OFFSET)
    found = study.run()
    assert [each["acted"] for each in found.plain["decisions"]] == [False, True]
    reason = "for a test" if why is False else "it failed: no label"
    assert found.plain["decisions"][0]["reasons"] == [reason]
    assert [each["from_step"] for each in found.plain["segments"]] == [0, 80]
    segments = [atoms.info["farfield_segment"] for atoms in study.frames()]
    assert segments == [0] * 27 + [1] * 14


@pytest.mark.parametrize("where", ["first", "refinement_0001", "refinement_0002", "refining"])
@pytest.mark.parametrize("trajectory_format", ["extxyz", "hdf5"])
def test_a_run_that_was_stopped_goes_on_in_its_segment(tmp_path, where, trajectory_format):
    given = {"checkpoint_stride": 7, "trajectory_format": trajectory_format}
    whole = Study(tmp_path / "whole", **given)
    expected = whole.run()
    stopped = Study(tmp_path / "stopped", **given)

    def stop(step, place, atoms, found):
        if step == 20:
            raise KeyboardInterrupt
        return original(step, place, atoms, found)

    if where == "refining":
        stopped.interrupt = True
    else:
        model = stopped.first if where == "first" else stopped.later[where]
        original, model.fault = model.fault, stop
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    again = Study(tmp_path / "stopped", **given)
    found = again.run()
    assert found.plain == expected.plain
    for index in range(3):
        for one, other in zip(whole.frames(index), again.frames(index), strict=True):
            assert np.array_equal(one.positions, other.positions)
            assert one.info["farfield_energy"] == other.info["farfield_energy"]
    if trajectory_format == "extxyz":
        assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")
    figures = [
        [outcome.figures for result in each.results for outcome in result.outcomes]
        for each in (found, expected)
    ]
    assert figures[0] == figures[1]
    assert {name for name, _ in again.asked} <= {"refinement_0001", "refinement_0002"}
    if where == "refinement_0002":
        assert again.asked == []


def test_made_longer_it_decides_what_the_whole_run_decided(tmp_path):
    whole = Study(tmp_path / "whole")
    expected = whole.run()
    for duration in (0.02, 0.031, 0.06):
        found = Study(tmp_path / "parts", duration=duration).run()
    assert found.plain == expected.plain
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_what_has_failed_is_not_refined_for(tmp_path):
    def fault(step, place, atoms, found):
        made = springs(atoms, stiffness=10.0)
        if (step, place) == (38, 1):
            made.forces[0] = np.nan
        return made

    study = Study(tmp_path / "run", first=Planted(fault))
    found = study.run()
    assert found.plain["decisions"][0]["alarms"] == {"prior_disagreement": 2}
    assert len(study.asked[0][1]) == 6
    outcomes = [outcome for result in found.results for outcome in result.outcomes]
    assert [outcome.completed for outcome in outcomes] == [True, False, True]
    assert outcomes[1].failure.step == 38
    failed = read(tmp_path / "run/simulation_0001/failure.extxyz")
    assert {atoms.info["farfield_segment"] for atoms in failed} == {0}


def test_a_bond_of_the_start_is_a_bond_in_every_segment(tmp_path):
    """The second model lets go of an atom: that is a broken bond, and not a new topology."""

    def loose(step, place, atoms, found):
        made = springs(atoms, loose=1, stiffness=12.0)
        made.forces[1] += [0.0, 0.0, 20.0]
        return made

    study = Study(tmp_path / "run", checks={**CHECKS, "allow_reactions": False})
    study.later["refinement_0001"] = Planted(loose)
    found = study.run()
    outcomes = [outcome for result in found.results for outcome in result.outcomes]
    assert {outcome.failure.check for outcome in outcomes} == {"bond_breaking"}
    assert all(40 < outcome.failure.step < 80 for outcome in outcomes)


def test_a_model_that_fails_at_once_is_an_outcome(tmp_path):
    def broken(step, place, atoms, found):
        raise ModelError("it cannot")

    study = Study(tmp_path / "run")
    study.later["refinement_0001"] = Planted(broken)
    found = study.run()
    outcomes = [outcome for result in found.results for outcome in result.outcomes]
    assert {(each.failure.check, each.failure.step) for each in outcomes} == {("model", 40)}
    assert [each["to_step"] for each in found.plain["segments"]] == [40, 40]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "give --refine METHOD"),
        ({"refine": "radius", "prior": "emt"}, "--refine ttt or distil"),
        (
            {"refine": "ttt", "prior": "emt", "refine_options": {"per": "structure"}},
            "--refine ttt or distil",
        ),
        ({"refine": "ttt"}, "give --prior or --profile"),
        (
            {"refine": "ttt", "prior": "gfn2", "checks": {"stop_on_alarm": True}},
            "leave one of them away",
        ),
    ],
)
def test_what_could_never_be_refined_anew_is_refused(tmp_path, given, words):
    with pytest.raises(ConfigError, match=words):
        simulate(START, model=Planted(), output=tmp_path / "run", refine_every=0.01, **given)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_test_time_training_anew_end_to_end(tmp_path):
    pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")
    pytest.importorskip("tblite", reason="tblite is not installed: pip install 'farfield[xtb]'")
    options = {"steps": 2, "force": True}
    given = {"model": "embedded", "refine": "ttt", "prior": "gfn2", "refine_options": options}
    given |= {"refine_every": 0.01, "stride": 5, "replicas": 2, "cache": tmp_path / "cache"}
    given |= {"checks": CHECKS, "progress": False}
    start = molecule("CH3OH")
    for duration in (0.015, 0.02):  # stopped in the second segment, and made longer
        done = simulate(start, output=tmp_path / "run", duration=duration, **given)
    assert [each["from_step"] for each in done.record["segments"]] == [0, 20]
    assert [each["acted"] for each in done.record["segments"]] == [True, True]
    frames = [
        atoms
        for index in range(2)
        for atoms in read(tmp_path / f"run/simulation_{index:04d}/trajectory.extxyz")
    ]
    models = [
        load_model(str(tmp_path / "run" / name / "model"))
        for name in ("refinement", "refinement_0001")
    ]
    for model, frame in zip(models, (frames[4], frames[5]), strict=True):
        [found] = model.predict([frame])
        assert np.allclose(found.forces, frame.arrays["farfield_forces"], atol=1e-4)
    # the second, too, is made from the original model
    window = [atoms for atoms in frames if atoms.info["farfield_step"] in (15, 20)]
    common = {"method": "ttt", "prior": "gfn2", "cache": tmp_path / "cache", **options}
    expected = refine(window, model="embedded", **common).potential
    assert fingerprint(models[1]) == fingerprint(expected)
    assert fingerprint(models[1]) != fingerprint(models[0])


def test_the_barostat_goes_on_with_the_pressure_of_the_new_model():
    crystal = bulk("Ar", cubic=True, a=5.1) * (2, 2, 2)
    settings = load_settings(None, ensemble="npt", temperature=20.0)
    random = np.random.default_rng(0)
    crystal.set_momenta(random.normal(size=(len(crystal), 3)))

    def with_depth(epsilon):
        crystal.calc = LennardJones(sigma=3.4, epsilon=epsilon, rc=8.0, smooth=True)
        return make_dynamics(crystal, settings, random)

    old = with_depth(0.01)
    old.run(5)
    new = with_depth(0.02)
    found = make_dynamics_anew(old, crystal, settings, random)
    assert found.force_eps == new.force_eps != old.force_eps
    assert (found.p_eps, found.gamma_mod) == (old.p_eps, old.gamma_mod)
    assert found.p_eps != 0.0
    assert found.nsteps == 5


def at(step, energy=0.0, forces=0.0):
    moving = START.copy()
    moving.set_momenta(np.zeros((5, 3)))
    return Frame(step, float(step), moving, energy, np.full((5, 3), forces))


def test_energies_are_compared_within_a_segment():
    energy = Energy(300.0, 10.0, 0.3, total=False, stride=10)
    energy.begin(at(0))
    energy.refined(at(100, energy=OFFSET))
    assert energy.look(at(110, energy=OFFSET + 1.0)) is None
    assert energy.look(at(120, energy=0.0)) is not None

    drift = Drift(0.005, 500.0, 10)
    drift.begin(at(0))
    for step in range(0, 600, 10):
        assert drift.look(at(step)) is None
    drift.refined(at(600, energy=OFFSET))
    for step in range(600, 1100, 10):  # steep, but the segment is young
        assert drift.look(at(step, energy=OFFSET + 0.1 * (step - 600))) is None
    kept = drift.state()
    found = drift.look(at(1100, energy=OFFSET + 50.0))
    assert found.value == pytest.approx(20.0)  # eV per atom and ps
    drift.begin(at(0))
    drift.restore(kept)
    assert drift.look(at(1100, energy=OFFSET + 50.0)) == found


def test_a_new_model_has_a_first_window_of_its_own():
    prior = CalculatorPrior(Springs, name="true", level_of_theory="springs")
    check = PriorDisagreement(prior, factor=3.0, floor=0.1, window=2, stride=1, stops=False)
    looks = [check.look(at(step, forces=0.2)) for step in range(4)]
    check.refined(at(4))
    looks += [check.look(at(step, forces=2.0)) for step in range(4, 8)]
    assert looks == [None] * 8
    assert check.figures()["prior_disagreement_first_eV_per_A"] == pytest.approx(2.0)
    check.look(at(9, forces=20.0))
    assert check.look(at(10, forces=20.0)) is not None
