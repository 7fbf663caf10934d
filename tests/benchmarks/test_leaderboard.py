"""From results to intervals, comparisons and the page; every number is checked by another way."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from farfield.benchmarks.results.files import load_results, merged, save_results, seconds_of
from farfield.benchmarks.results.leaderboard import leaderboard
from farfield.benchmarks.results.statistics import by_structure, change, mean_error, median_error
from farfield.benchmarks.results.versus import differences, versus
from farfield.errors import ConfigError
from farfield.reports.leaderboard import render_leaderboard
from farfield.verbs.bench import bench_report

from .made import SIZE, results

NAMES = ("a.json", "b.json")


def _which(entry: dict[str, Any]) -> tuple[str, str, str]:
    return entry["family"], entry["contestant"], entry["set"]


def test_errors_are_averaged_over_seeds_before_they_are_resampled() -> None:
    entries = [
        {"set": "x", "places": [0, 2], "errors": [1.0, 3.0]},
        {"set": "x", "places": [0, 1], "errors": [2.0, 6.0]},
    ]
    each = by_structure(entries)
    assert each == {0: [1.0, 2.0], 2: [3.0], 1: [6.0]}
    found = mean_error([each])
    assert found.value == pytest.approx((1.5 + 3.0 + 6.0) / 3)
    assert found.low < found.value < found.high


def test_a_few_failures_do_not_move_the_median() -> None:
    sound = {place: [1.0 + 0.1 * place, 1.0] for place in range(9)}
    failed = {**sound, 8: [1e6, 1.0]}
    assert median_error([sound]) == median_error([failed]) < 1.1
    assert mean_error([failed]).value > 1e4
    assert median_error([sound, {0: [3.0]}]) == pytest.approx(0.5 * (median_error([sound]) + 3.0))


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(100):
        values = np.random.default_rng(seed).exponential(size=60)
        found = mean_error([{place: [value] for place, value in enumerate(values)}])
        held += found.low <= 1.0 <= found.high
    assert 86 <= held <= 100


def test_pairs_settle_what_means_do_not() -> None:
    random = np.random.default_rng(0)
    hard = random.uniform(0.1, 10.0, 40)  # structures differ more than methods
    first = {place: [0.9 * value] for place, value in enumerate(hard)}
    second = {place: [value] for place, value in enumerate(hard)}
    found = change([first], [second])
    assert found.relative.value == pytest.approx(-0.1)
    assert found.verdict == "lower"
    assert change([second], [first]).verdict == "higher"
    noise = {place: [value * random.uniform(0.5, 1.5)] for place, value in enumerate(hard)}
    assert change([noise], [second]).verdict == "not settled"
    assert mean_error([first]).high > mean_error([second]).low  # unpaired: they overlap


def test_the_board_shows_the_means_of_the_results() -> None:
    content = results()
    task = leaderboard(content, [content]).tasks[0]
    wanted = ("mace", "ttt", "new_element")
    entries = [entry for entry in content["entries"] if _which(entry) == wanted]
    values: dict[int, list[float]] = {}
    for entry in entries:
        for place, error in zip(entry["places"], entry["errors"], strict=True):
            values.setdefault(place, []).append(1000 * error)
    row = next(s for s in task.standings if s.family == "mace" and "test-time" in s.method)
    expected = np.mean([np.mean(each) for each in values.values()])
    assert row.sets["new_element"].value == pytest.approx(expected)
    assert row.change is not None
    assert -0.5 < row.change.low < row.change.value < row.change.high < -0.3  # 0.6 was made up
    assert row.shifted is not None
    assert row.shifted.value == pytest.approx(np.mean([s.value for s in row.sets.values()]))
    middles = [
        np.median([e["errors"] for e in content["entries"] if _which(e) == ("mace", "ttt", title)])
        for title in task.axes
    ]
    assert row.median == pytest.approx(1000 * np.mean(middles))
    assert row.spread is not None
    assert (row.seeds, row.acted) == (2, "4 of 4")


def test_what_was_forgotten_is_told_on_the_structures_of_the_control() -> None:
    content = results()
    on_control = {
        (entry["family"], entry["contestant"], entry["seed"]): entry
        for entry in content["entries"]
        if entry["set"] == "control"
    }
    for entry in content["entries"]:
        if entry["set"] != "control":  # nothing is forgotten where it was judged, all elsewhere
            same = on_control[entry["family"], entry["contestant"], entry["seed"]]
            entry["control"] = [99.0] * SIZE
            for place, error in zip(same["places"], same["errors"], strict=True):
                entry["control"][place] = 2.0 * error
    for row in leaderboard(content, [content]).tasks[0].standings:
        assert row.after is not None and row.control is not None
        assert row.after.value == pytest.approx(2.0 * row.control.value)


def test_rows_are_in_order_and_the_prior_stands_once() -> None:
    content = results()
    task = leaderboard(content, [content]).tasks[0]
    shifted = [row.shifted.value for row in task.standings if row.shifted]
    assert shifted == sorted(shifted)
    assert [row.family for row in task.standings if row.method == "prior alone"] == [""]


def test_what_is_not_available_has_its_reason_on_the_page() -> None:
    content = results(lacking=("painn", "ttt"))
    board = leaderboard(content, [content])
    row = board.tasks[0].standings[-1]
    assert (row.family, row.shifted) == ("painn", None)
    assert row.reasons == ["control, new_molecules, new_element: it has no such thing"]
    assert "painn, joint, test-time training: control, new_molecules" in render_leaderboard(board)


def test_a_mean_over_sets_is_not_made_of_some_of_them() -> None:
    content = results()
    for entry in content["entries"]:
        if (entry["contestant"], entry["set"]) == ("ttt", "new_element"):
            for key in ("errors", "control", "places", "record"):
                del entry[key]
            entry |= {"status": "n/a", "reason": "no"}
    task = leaderboard(content, [content]).tasks[0]
    for row in task.standings:
        if "test-time" in row.method:
            assert row.shifted is None and row.change is None
            assert set(row.sets) == {"new_molecules"}


def test_error_is_drawn_against_distance() -> None:
    content = results(seeds=(0, 1, 2))
    curves = leaderboard(content, [content]).tasks[0].curves
    assert [(curve.family, curve.refined) for curve in curves] == [
        ("mace", False), ("mace", True), ("painn", False), ("painn", True)
    ]  # fmt: skip
    for curve in curves[::2]:
        assert curve.distances == sorted(curve.distances)
        assert len(curve.distances) == 6
        means = [error.value for error in curve.errors]
        assert means[-1] > 4 * means[0]  # errors were made proportional to the distance
        assert all(error.low <= error.value <= error.high for error in curve.errors)


def test_the_page_is_one_file_with_all_its_data() -> None:
    content = results(mode="dev")
    page = render_leaderboard(leaderboard(content, [content]))
    assert page == render_leaderboard(leaderboard(content, [content]))
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", page)
    island = re.search(r'id="farfield-leaderboard">(.*?)</script>', page, flags=re.DOTALL)
    assert island
    data = json.loads(island[1])
    assert data["tasks"][0]["standings"][0]["family"] in ("mace", "painn")
    for text in ("PBE", "MIT", "saw labels", "Before you believe", "farfield bench run --mode dev"):
        assert text in page
    assert "mode dev: few structures" in page


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    content = results()
    save_results(tmp_path / "r.json", content)
    assert load_results(tmp_path / "r.json") == content
    lines = (tmp_path / "r.json").read_text().splitlines()
    assert sum('"contestant"' in line for line in lines) == len(content["entries"])
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ConfigError, match="no results of"):
        load_results(tmp_path / "other.json")


def test_two_runs_are_compared_in_pairs() -> None:
    first, second = results(), results()
    for entry in second["entries"]:
        entry["errors"] = [0.8 * error for error in entry["errors"]]
    rows = versus(first, second, NAMES)
    assert len(rows) == 2 * 6 * 3
    for row in rows:
        assert row.change.relative.value == pytest.approx(-0.2)
        assert row.change.verdict == "lower"
        assert row.change.n_structures <= SIZE
        assert row.to_plain()["verdict"] == "lower"
    assert all(row.change.verdict == "not settled" for row in versus(first, first, NAMES))


def test_one_family_is_compared_with_another_where_there_is_one_of_each() -> None:
    rows = versus(results({"mace": 0.05}), results({"painn": 0.1}), NAMES)
    assert {(row.first, row.second) for row in rows} == {("mace", "painn")}
    with pytest.raises(ConfigError, match="share no result of the same family"):
        versus(results({"mace": 0.05}), results({"painn": 0.1, "schnet": 0.1}), NAMES)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"level_of_theory": "wB97X"}, "another level of theory (PBE; wB97X)"),
        ({"fingerprint": "4567"}, "another test structures (0123; 4567)"),
        ({"metric": "energy_mae"}, "another metric (force_mae; energy_mae)"),
    ],
)
def test_other_tasks_are_refused(change: dict[str, str], said: str) -> None:
    first, second = results(), results(**change)
    for refused in (lambda: versus(first, second, NAMES), lambda: merged([first, second], NAMES)):
        with pytest.raises(ConfigError, match=re.escape(said)):
            refused()


def test_nothing_in_common_is_refused() -> None:
    second = results()
    second["tasks"] = {"another": second["tasks"]["toy"]}
    with pytest.raises(ConfigError, match="has the tasks toy, b"):
        versus(results(), second, NAMES)


def test_runs_are_merged_on_one_page() -> None:
    first, second = results({"mace": 0.06}), results({"painn": 0.08})
    both = merged([first, second], NAMES)
    task = leaderboard(both, [first, second]).tasks[0]
    assert {row.family for row in task.standings} == {"mace", "painn", ""}
    assert both["seconds"] == pytest.approx(seconds_of(first) + seconds_of(second))
    again = merged([first, first], NAMES)
    assert again["entries"] == first["entries"]
    assert again["seconds"] == seconds_of(first)  # nothing was computed twice


def test_other_models_of_the_same_name_are_not_merged() -> None:
    first, second = results(), results()
    second["models"][0]["settings"] = {"channels": 1}
    with pytest.raises(ConfigError, match="its family 'mace' on the task toy has other settings"):
        merged([first, second], NAMES)
    trained = deepcopy(results())
    trained["tasks"]["toy"]["definition"] = {"name": "toy", "training": {"epochs": 1}}
    with pytest.raises(ConfigError, match="on one page all models are trained alike"):
        merged([first, trained], NAMES)
    elsewhere = results(training_fingerprint="cdef")
    with pytest.raises(ConfigError, match="was trained on other structures"):
        merged([first, elsewhere], NAMES)


def test_what_else_differs_is_told_with_a_comparison() -> None:
    first, second = results(), results(training_fingerprint="cdef")
    assert differences(first, first) == []
    second["tasks"]["toy"]["definition"] = {"name": "toy", "prior": "gfn1"}
    second["models"][0]["training"] = {"learning_rate": 0.1}
    second["versions"] = first["versions"] | {"torch": "9.9"}
    told = "\n".join(differences(first, second))
    assert "toy: trained on other structures or labels" in told
    assert "toy: prior None → gfn1" in told
    assert "toy, mace: training" in told and "learning_rate" in told
    assert "→ 9.9" in told


def test_direct_forces_are_marked_wherever_a_model_stands(tmp_path: Path) -> None:
    content = results()
    content["models"][0]["conservative"] = False  # mace's
    board = leaderboard(content, [content])
    direct = {row.family: row.direct for row in board.tasks[0].standings}
    assert direct == {"mace": True, "painn": False, "": False}
    page = render_leaderboard(board)
    assert page.count("mace<small>direct forces</small>") == 2 * sum(
        row.family == "mace" for row in board.tasks[0].standings
    )
    assert "painn<small>direct" not in page
    save_results(tmp_path / "results.json", content)
    bench_report([tmp_path / "results.json"], tmp_path / "page.md")
    assert "| mace (direct forces) | " in (tmp_path / "page.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", ["entries", "tasks", "versions"])
def test_an_incomplete_file_is_refused(tmp_path: Path, key: str) -> None:
    save_results(tmp_path / "results.json", results())
    whole = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    del whole[key]
    (tmp_path / "results.json").write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(ConfigError, match=f"incomplete, it lacks {key}"):
        load_results(tmp_path / "results.json")


def test_the_tables_as_markdown_hold_what_the_page_holds(tmp_path: Path) -> None:
    content = results(lacking=("painn", "ttt"))
    save_results(tmp_path / "results.json", content)
    bench_report([tmp_path / "results.json"], tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    beside = dict(
        zip(lines[0], next(line for line in lines if line[0] == "joint, untouched"), strict=True)
    )
    assert list(beside) == ["method", "mace", "painn"] and lines[2][0] == "supervised"
    start = next(place for place, line in enumerate(lines) if line[0] == "family")
    heads, rows = lines[start], {tuple(line[:2]): line for line in lines[start + 2 :]}
    for family in ("mace", "painn"):
        row = dict(zip(heads, rows[family, "joint, untouched"], strict=True))
        assert beside[family].split()[0] == row["shifted [95 %]"].split()[0]
        assert beside[family].split("(")[1].rstrip(")") == row["change [95 %]"].split(" [")[0]
    assert heads[-2:] == ["new molecules (molecules)", "new element (elements)"]
    standings = leaderboard(content, [content]).tasks[0].standings
    for one in (s for s in standings if s.shifted is not None):
        row = dict(zip(heads, rows[one.family or "(no model)", one.method], strict=True))
        assert one.control is not None and one.shifted is not None
        assert float(row["in distribution"]) == pytest.approx(one.control.value, abs=0.5)
        low, high = re.findall(r"\d+", row["shifted [95 %]"])[1:]
        assert (float(low), float(high)) == pytest.approx(
            (one.shifted.low, one.shifted.high), abs=0.5
        )
        if one.change is not None:
            assert f"{abs(100 * one.change.value):.0f}\u202f%" in row["change [95 %]"]
    assert ("painn", "joint, test-time training") not in rows
    assert "- painn, joint, test-time training: control, new_molecules, new_element: it has" in text
