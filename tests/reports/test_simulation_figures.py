"""Figures of simulations draw the numbers that they are given."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.stats import CensoredData, binomtest, ecdf

from farfield.errors import ConfigError
from farfield.reports import Causes, DistanceCurves, EnergySurface, Lifetimes, Report
from farfield.reports.figures import (
    causes_figure,
    distances_figure,
    stability_figure,
    surfaces_figure,
)
from farfield.reports.render import render
from farfield.reports.survival import survival
from farfield.simulation import Event, Outcome
from farfield.verbs.simulation.report import simulation_report

PLAIN = Lifetimes("plain", [1.0, 2.0, 2.0, 6.0, 10.0, 10.0, 10.0, 10.0],
                  [False] * 4 + [True] * 4, is_baseline=True)  # fmt: skip
REFINED = Lifetimes("refined", [10.0] * 8, [True] * 8)
GRID = np.linspace(-0.5, 0.5, 11)
FIRST, SECOND = np.meshgrid(GRID, GRID, indexing="ij")


def surface(title: str, energies: np.ndarray) -> EnergySurface:
    return EnergySurface(title, GRID.tolist(), GRID.tolist(), energies.tolist())


def paths(svg: str, colour: str, kind: str) -> list[np.ndarray]:
    """Return the vertices (V, 2) of each path with this colour as ``stroke`` or ``fill``."""
    found = re.findall(rf'<path d="([^"]*)"[^>]*style="[^"]*{kind}: var\(--{colour}\)', svg)
    assert "nan" not in svg.lower()
    return [np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", path), dtype=float) for path in found]


def words(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_survival_without_early_ends_is_a_binomial_share() -> None:
    found = survival(PLAIN)
    assert found.times.tolist() == [0.0, 1.0, 2.0, 6.0, 10.0]
    assert found.share == pytest.approx([1.0, 7 / 8, 5 / 8, 4 / 8, 4 / 8])
    for alive, low, high in zip([8, 7, 5, 4, 4], found.low, found.high, strict=True):
        expected = binomtest(alive, 8).proportion_ci(method="exact")
        assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert found.median == 6.0
    assert survival(REFINED).median is None
    gone = survival(Lifetimes("gone", [1.0, 3.0], [False, False]))
    assert gone.share.tolist() == [1.0, 0.5, 0.0]
    assert (gone.low[-1], gone.high[-1]) == pytest.approx(
        tuple(binomtest(0, 2).proportion_ci(method="exact")), abs=1e-6
    )


def test_survival_with_early_ends_is_that_of_scipy_and_knows_less() -> None:
    times, alive = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [False, True, False, True, False, True]
    found = survival(Lifetimes("cut", times, alive))
    data = CensoredData(
        uncensored=[t for t, a in zip(times, alive, strict=True) if not a],
        right=[t for t, a in zip(times, alive, strict=True) if a],
    )
    assert found.share == pytest.approx(ecdf(data).sf.evaluate(found.times))
    assert (np.diff(found.high - found.low)[2:5] >= 0).all()
    early = survival(Lifetimes("early", [1.0] * 6 + [9.0] * 2, [True] * 8))
    assert early.low[-1] == pytest.approx(binomtest(2, 2).proportion_ci(method="exact").low)


def test_stability_draws_the_staircase_of_each_model() -> None:
    svg = stability_figure([PLAIN, REFINED])
    (refined,) = (line for line in paths(svg, "done", "stroke") if len(line) > 2)
    assert np.ptp(refined[:, 1]) == 0.0
    plain = max(paths(svg, "muted", "stroke"), key=len)
    heights = (plain[-1, 1] - plain[:, 1]) / (plain[-1, 1] - plain[0, 1])
    steps = [1.0, 1.0, 7 / 8, 7 / 8, 5 / 8, 5 / 8, 1 / 2, 1 / 2, 1 / 2]
    assert heights == pytest.approx(2 * np.array(steps) - 1, abs=1e-4)
    left, right = plain[0, 0], plain[-1, 0]
    at = [0, 1, 1, 2, 2, 6, 6, 10, 10]
    assert (plain[:, 0] - left) / (right - left) * 10 == pytest.approx(at, abs=1e-4)
    said = words(svg)
    for text in ("4 of 8 alive", "median 6.0 ps", "8 of 8 alive", "no failure",
                 "95\u202f% CI 63–100\u202f%", "simulated time (ps)"):  # fmt: skip
        assert text in said, text
    assert "plain 50\u202f%" in svg


def test_causes_draws_bars_as_long_as_the_counts() -> None:
    columns = [
        Causes("plain", 8, {"temperature": 1, "bond broken": 5}, is_baseline=True),
        Causes("refined", 8, {"bond broken": 0}),
    ]
    svg = causes_figure(columns)
    far = [np.ptp(bar[:, 0]) for bar in paths(svg, "far", "fill")]
    done = [np.ptp(bar[:, 0]) for bar in paths(svg, "done", "fill")]
    assert np.array(far[:2]) / done[1] == pytest.approx(np.array([5, 1]) / 8)
    assert not any(far[2:])
    assert done[0] / done[1] == pytest.approx(2 / 8)
    behind = [np.ptp(bar[:, 0]) for bar in paths(svg, "rule", "fill")]
    assert behind == pytest.approx([done[1]] * 6)
    said = words(svg)
    assert [text for text in said if text.isdigit()] == ["5", "1", "2", "0", "0", "8"]
    assert said.index("bond broken") < said.index("temperature") < said.index("alive at the end")
    assert "refined: 8 alive" in svg


def test_causes_of_none_is_one_row() -> None:
    assert words(causes_figure([Causes("refined", 3, {})])) == ["3", "refined", "alive at the end"]


def test_distances_draw_the_curves_and_their_differences() -> None:
    where = np.linspace(0.5, 5.0, 91)
    reference = np.exp(-((where - 2.0) ** 2) / 0.1)
    before, after = 0.5 * reference, 1.02 * reference
    svg = distances_figure(
        DistanceCurves(where.tolist(), reference.tolist(),
                       {"before": before.tolist(), "after": after.tolist()},
                       {"before": 0.5, "after": 0.02}, "GFN2-xTB")
    )  # fmt: skip

    def height(colour: str, place: int) -> float:
        lines = [path for path in paths(svg, colour, "stroke") if len(path) > 20]
        return float(lines[place][0, 1] - lines[place][30, 1])  # at 2 Å, above the start

    full = height("other", 0)
    assert height("far", 0) / full == pytest.approx(0.5, abs=1e-3)
    assert height("done", 0) / full == pytest.approx(1.02, abs=1e-3)
    assert height("far", 1) < 0 < height("done", 1)  # below and above the reference
    name, shift = re.findall(r'<use href="#(\w+)" x="0" y="([\d.]+)" style="fill: var\(--far', svg)[
        0
    ]
    area = re.search(rf'<path id="{name}" d="([^"]*)"', svg)
    assert area
    depths = float(shift) + np.array(re.findall(r"[\d.]+ (-?[\d.]+)", area[1]), dtype=float)
    line = [path for path in paths(svg, "far", "stroke") if len(path) > 20][1][:, 1]
    assert (depths.min(), depths.max()) == pytest.approx((line.min(), line.max()), abs=0.01)
    said = words(svg)
    for text in ("before", "after", "GFN2-xTB", "error 0.50", "error 0.02", "h(r) (1/Å)"):
        assert text in said, text


def test_surfaces_are_upright_and_share_one_scale() -> None:
    long = surface("long", 4.0 * FIRST**2 + 100.0 * SECOND**2)  # rings lie along the first
    flat = surface("flat", 0.0 * FIRST)
    svg = surfaces_figure([long, flat])
    rings = [path for path in paths(svg, "panel", "stroke") if len(path) > 5]
    assert rings
    inner = min(rings, key=lambda ring: np.ptp(ring[:, 1]))
    assert np.ptp(inner[:, 0]) > 3 * np.ptp(inner[:, 1])
    middle = np.mean([np.mean(ring[:, 0]) for ring in rings])
    assert middle < 260  # all of them in the left panel: the other is flat on the same scale
    said = words(svg)
    assert "long" in said and "flat" in said and "26.0" in said and "0.0" in said
    alone = words(surfaces_figure([flat]))
    assert "flat" in alone and "1.00" in alone  # a flat surface still has a scale


def test_figures_are_the_same_every_time_and_take_the_colours_of_the_page() -> None:
    made = {
        "stability": stability_figure([PLAIN, REFINED]),
        "surfaces": surfaces_figure([surface("a", FIRST**2)]),
    }
    assert made["stability"] == stability_figure([PLAIN, REFINED])
    assert made["surfaces"] == surfaces_figure([surface("a", FIRST**2)])
    for svg in made.values():
        assert svg.startswith("<svg") and 'role="img"' in svg and "aria-label" in svg
        assert "#0a0b" not in svg


def test_contents_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ConfigError, match="2 times and 1 marks"):
        Lifetimes("a", [1.0, 2.0], [True])
    with pytest.raises(ConfigError, match="negative or not finite"):
        Lifetimes("a", [float("nan")], [True])
    with pytest.raises(ConfigError, match="3 replicas stopped, of 2"):
        Causes("a", 2, {"bond broken": 3})
    with pytest.raises(ConfigError, match="1 values for 2 distances"):
        DistanceCurves([1.0, 2.0], [0.0, 0.0], {"before": [1.0]})
    with pytest.raises(ConfigError, match="give 1 to 3"):
        DistanceCurves([1.0], [0.0], {})
    with pytest.raises(ConfigError, match=r"errors of \['x'\]"):
        DistanceCurves([1.0], [0.0], {"before": [1.0]}, {"x": 1.0})
    with pytest.raises(ConfigError, match="do not fit"):
        EnergySurface("a", [0.0, 1.0], [0.0, 1.0], [[0.0, 1.0]])
    with pytest.raises(ConfigError, match="not finite"):
        surface("a", np.full((11, 11), np.inf))
    with pytest.raises(ConfigError, match="give 1 to 3"):
        surfaces_figure([])


def outcome(index: int, formula: str, failed_at: float | None) -> Outcome:
    """A simulation of 1 ps, or one whose bond broke at this time (fs)."""
    failure = None if failed_at is None else Event("bond_breaking", 10, failed_at, "too long")
    time = 1.0 if failed_at is None else 1e-3 * failed_at - 0.005
    return Outcome(
        index, index, 0, "start.xyz", index, formula, 3, f"simulation_{index}",
        failure is None, 10, time, failure, [], {},
    )  # fmt: skip


def test_the_report_of_a_run_says_who_lived_how_long_and_what_stopped_the_others() -> None:
    outcomes = [outcome(0, "H2O", None), outcome(1, "H2O", 250.0), outcome(2, "CH4", 125.0)]
    record = {
        "model": "M", "prior": None, "refinement": None, "n_simulations": 3, "n_completed": 1,
        "failures": {"bond_breaking": 2}, "alarms": {"shift": 1},
        "warnings": ["forces are no gradient"], "median_lifetime_ps": 0.25,
        "speed_ns_per_day": 1.0,
        "decisions": [{"acted": True, "time_ps": 0.4, "refinement": "refinement_0001"},
                      {"acted": False, "time_ps": 0.6, "refinement": "refinement_0002"}],
        "settings": {"duration_ps": 1.0, "ensemble": "nvt", "temperature_K": 300.0,
                     "timestep_fs": 0.5, "seed": 0},
    }  # fmt: skip
    report = simulation_report(outcomes, record, ["farfield simulate start.xyz"])
    assert [row.name for row in report.lifetimes] == ["all", "H2O", "CH4"]
    assert report.lifetimes[0].lifetimes == [1.0, 0.25, 0.125]
    assert report.lifetimes[1].censored == [True, False]
    assert report.causes[0].counts == {"bond breaking": 2}
    page = render(report)
    for part in (
        "1 of 3 simulations reached 1 ps",
        "in 2 of 3",
        "shift in 1",
        "forces are no gradient",
        "refined anew at 0.4 ps (refinement_0001); energies are of 2 models",
        'href="#simulations"',
    ):
        assert part in page
    assert '"lifetimes": [1.0, 0.25, 0.125]' in page
    assert page.count("<article") == 2


def test_a_page_without_simulations_has_no_such_section() -> None:
    assert "simulations" not in render(Report("nothing")).split("<script")[0]
    page = render(Report("h(r)", surfaces=[surface("before", FIRST**2)]))
    assert "Energy surface" in page
    assert "Share alive" not in page
