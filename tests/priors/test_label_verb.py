from __future__ import annotations

import json

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from farfield.errors import LabelError, StructureError
from farfield.structures import Labels, attach, labels_of, read, write
from farfield.verbs.label import label


def test_labels_are_attached_to_copies(named, chain, tmp_path):
    given = chain(3)
    labelled, summary = label(given, named("Spring"), cache=tmp_path)
    for atoms in labelled:
        assert labels_of(atoms, "farfield_spring").level_of_theory == summary.level_of_theory
    assert all(labels_of(atoms, "farfield_spring") is None for atoms in given)
    assert (summary.n_structures, summary.n_computed, summary.n_cached) == (3, 3, 0)
    assert (summary.n_failed, summary.first_failure) == (0, None)


def test_one_structure_is_enough(named, chain, tmp_path):
    labelled, _ = label(chain(1)[0], named("Spring"), cache=tmp_path)
    assert len(labelled) == 1


def test_files_are_read_and_the_second_run_is_from_the_cache(named, chain, tmp_path):
    file = tmp_path / "in.xyz"
    write(file, chain(3))
    for computed in (3, 0):
        _, summary = label(
            [file, str(file)], named("Spring"), cache=tmp_path, output=tmp_path / "out.xyz"
        )
        assert (summary.n_structures, summary.n_computed) == (6, computed)
        assert summary.n_cached == 6 - computed
    found = read(tmp_path / "out.xyz")
    assert labels_of(found[2], "farfield_spring").energy == pytest.approx(0.1**2)


def test_failures_replace_older_labels_and_survive_the_file(named, chain, tmp_path):
    structures = chain(22)[20:]
    for atoms in structures:
        attach(atoms, Labels(1.0, np.zeros((2, 3)), None, "older"), "farfield_failing")
        atoms.info["farfield_failing_failure"] = "older"
    labelled, summary = label(
        structures, named("Failing"), cache=tmp_path, output=tmp_path / "out.xyz"
    )
    assert summary.n_failed == 1
    assert summary.first_failure == "structure H2: RuntimeError: too long"
    for fine, failed in (labelled, read(tmp_path / "out.xyz")):
        assert "farfield_failing_failure" not in fine.info
        assert labels_of(fine, "farfield_failing").level_of_theory == summary.level_of_theory
        assert failed.info["farfield_failing_failure"] == "RuntimeError: too long"
        assert labels_of(failed, "farfield_failing") is None


def test_if_all_fail_it_is_an_error_after_the_file_is_written(named, chain, tmp_path):
    with pytest.raises(LabelError, match=r"any of 4 structures; the first: .*too long"):
        label(chain(25)[21:], named("Failing"), cache=tmp_path, output=tmp_path / "out.xyz")
    assert len(read(tmp_path / "out.xyz")) == 4


def test_bad_structures_are_refused_before_anything_is_computed(named, log, tmp_path):
    bad = Atoms("H2", positions=[[0, 0, 0], [0, 0, 0.01]])
    with pytest.raises(StructureError, match="apart"):
        label([bad], named("Spring"), cache=tmp_path)
    assert log() == []


@pytest.fixture
def molecules(tmp_path):
    pytest.importorskip("tblite", reason="the prior gfn2 needs tblite")
    structures = [molecule("H2O"), molecule("CH4"), Atoms("Fr2", positions=[[0, 0, 0], [0, 0, 4]])]
    file = tmp_path / "in.xyz"
    write(file, structures)
    return file


def test_the_command_labels_a_file(farfield, molecules, tmp_path):
    arguments = ("label", molecules, "--prior", "gfn2", "--cache", tmp_path, "--json")
    output = tmp_path / "out.xyz"
    for computed in (3, 0):
        done = farfield(*arguments, "-o", output)
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout)
        assert summary["n_computed"] == computed
        assert summary["n_failed"] == 1
        assert "1 of 3 failed: in.xyz, structure 2 (Fr2): gfn2 has no parameters" in done.stderr
    water, _, francium = read(output)
    assert labels_of(water, "farfield_gfn2").energy == pytest.approx(-137.967776, abs=1e-5)
    assert labels_of(water, "farfield_gfn2").level_of_theory == "GFN2-xTB (tblite)"
    assert "Fr" in francium.info["farfield_gfn2_failure"]


def test_the_command_prints_nothing_on_stdout_without_json(farfield, molecules, tmp_path):
    output = tmp_path / "out.xyz"
    done = farfield("label", molecules, "--prior", "gfn2", "--cache", tmp_path, "-o", output)
    assert done.returncode == 0
    assert done.stdout == ""


def test_the_command_fails_on_one_line(farfield, molecules, tmp_path):
    done = farfield("label", molecules, "--prior", "gnf2", "-o", tmp_path / "out.xyz")
    assert done.returncode != 0
    assert "did you mean 'gfn2'?" in done.stderr
    assert "Traceback" not in done.stderr
