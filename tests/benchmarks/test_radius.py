"""The study of radius refinement: its figures, its baseline, its tables."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule
from tests.potentials.conftest import small_mace
from tests.refinement.conftest import rattled

from farfield.benchmarks.radius.cost import (
    agreement,
    cluster,
    published_eigenvalues,
    selection_costs,
)
from farfield.benchmarks.radius.drift import compiled, drift, jumps
from farfield.benchmarks.radius.study import figures, judge_gated, judge_set, reference_profile
from farfield.benchmarks.radius.tables import results_page
from farfield.benchmarks.remembered import Remembered
from farfield.graphs import neighbour_graph, references, spectrum
from farfield.refinement import RadiusRefinement


def test_shares_and_changes_are_those_of_the_means() -> None:
    before, best = np.array([1.0, 3.0]), np.array([1.0, 1.0])
    after = np.array([1.0, 1.5])
    found = figures(before, after, best)
    assert found["share_of_oracle"]["value"] == pytest.approx(0.75)
    assert found["change_percent"]["value"] == pytest.approx(-37.5)
    low, high = found["change_percent"]["low"], found["change_percent"]["high"]
    assert low <= -37.5 <= high
    assert figures(before, before, 0.99 * before)["share_of_oracle"] is None


def test_the_published_eigenvalues_are_ours() -> None:
    atoms = molecule("C6H6")
    for radius in (2.0, 3.0, 6.0):
        ours = spectrum(neighbour_graph(atoms, radius))
        np.testing.assert_allclose(published_eigenvalues(atoms, radius), ours, atol=1e-8)


def test_nothing_is_predicted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    mace, structures = small_mace(), rattled("H2O", 3)
    expected = mace.with_cutoff(3.6, "taper").predict(structures)
    model = Remembered(mace)
    view = model.with_cutoff(3.6, "taper")
    assert view is model.with_cutoff(3.6, "taper")
    view.predict(structures[:2])
    monkeypatch.setattr(type(mace), "predict", lambda *_: pytest.fail("asked again"))
    for one, two in zip(view.predict(structures[1::-1]), expected[1::-1], strict=True):
        np.testing.assert_array_equal(one.forces, two.forces)


def test_a_case_is_judged_and_written_down() -> None:
    model, structures = Remembered(small_mace()), rattled("CH3OH", 3)
    known = references([model.graph(atoms) for atoms in structures])
    entry = judge_set(model, structures, ("taper", "truncate"), known)
    by_radius = entry["taper"]["change_percent_by_radius"]
    oracle = entry["taper"]["oracle"]
    best = min(by_radius)
    assert oracle["set"]["change_percent"]["value"] == pytest.approx(best)
    assert oracle["structure"]["change_percent"]["value"] <= best + 1e-9
    gated = {"gated": RadiusRefinement(reference_profile(model.cutoff or 0.0, known, None))}
    least = np.array(entry["taper"]["least_force_mae_eV_per_A"])
    entry["gated"] = judge_gated(model, structures, gated, least)
    assert not entry["gated"]["gated"]["acted"]
    results = {"models": {"joint-seed0": {"control": entry}}}
    page = results_page({"embedded": {"command": "this", "results": results}})
    assert "left alone" in page and "`this`" in page


def test_costs_and_dynamics_are_told() -> None:
    mace = small_mace()
    known = references([mace.graph(atoms) for atoms in rattled("CH3OH", 2)])
    rows = selection_costs(mace, rattled("CH3OH", 1)[0], known, sizes=(12,))
    assert rows[0]["largest_difference_of_eigenvalues"] < 1e-8
    known = {name: known[name] for name in ("density", "coordination")}
    clusters = [cluster(atoms, 40) for atoms in rattled("CH3OH", 2)]
    same = agreement(clusters, mace.cutoff or 0.0, known)
    assert list(same) == ["density"]  # coordination takes all radii at once
    results = {"selection": rows, "agreement": {"clusters": {"control": same}}}
    page = results_page({"cost": {"command": "this", "results": results}})
    assert "| 12 |" in page and "2 of 2" in page
    crossed = {mode: jumps(mace, mode, (3.0,)) for mode in ("truncate", "taper")}
    assert crossed["truncate"][0] > 100 * crossed["taper"][0]
    slope = drift(0.001 * np.arange(500.0), 2)  # eV in 500 x 5 fs
    assert slope["drift_meV_per_atom_per_ps"] == pytest.approx(100.0)


def test_a_compiled_model_is_the_same_model() -> None:
    mace = small_mace().with_cutoff(3.6, "taper")
    atoms = rattled("CH3OH", 1)
    np.testing.assert_allclose(
        compiled(mace).predict(atoms)[0].forces, mace.predict(atoms)[0].forces, atol=1e-9
    )
