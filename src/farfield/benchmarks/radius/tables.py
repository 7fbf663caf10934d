"""The results of the study of radius refinement as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np

from farfield.benchmarks.radius.overview import overview
from farfield.refinement import RadiusEvidence
from farfield.refinement.radius.rule import CRITERION_NAMES, Per

Sets = Mapping[str, Any]
BEST_WAYS = 8  # of the evidence
MAIN_MODE = "taper"


def results_page(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole page, of all cases that were run."""
    lines = [
        "# Radius refinement, measured",
        "",
        "Force MAE against the reference labels, which only this study reads. Changes are of the "
        "mean over the structures; negative is better. The oracle takes the best radius of every "
        "structure, by labels. Intervals: 95 %, bootstrapped over the structures, mean over the "
        "seeds. Shares of the oracle's gain are given where that gain is at least 2 %.",
        "",
    ]
    asked = {case: one["results"] for case, one in found.items() if "evidence" in one["results"]}
    tasks = {case: results["models"] for case, results in asked.items()}  # two-head models
    if tasks:
        lines += ["Change of the force MAE (%), `taper`, one radius per structure unless told:", ""]
        lines += overview(tasks)
    for case, content in found.items():
        lines += [f"## {case}", "", f"`{content['command']}`", ""]
        results = content["results"]
        if case == "cost":
            lines += _cost_table(results)
        elif case == "dynamics":
            lines += _dynamics_table(results)
        else:
            lines += _case_tables(results)
    return "\n".join(lines)


def _case_tables(results: Mapping[str, Any]) -> list[str]:
    models: Mapping[str, Sets] = results["models"]
    kinds: dict[str, list[Sets]] = {}
    for name, sets in models.items():
        kinds.setdefault(name.split("-seed")[0], []).append(sets)
    lines: list[str] = []
    for kind, seeds in kinds.items():
        told = f"{kind}, {len(seeds)} seeds" if len(seeds) > 1 else kind
        for per in get_args(Per):
            lines += _criteria_table(told, seeds, per)
        if "gated" in next(iter(seeds[0].values())):
            lines += _share_table(told, seeds) + _gated_table(told, seeds)
        lines += _spread_table(told, seeds)
    lines += _modes_table(next(iter(models)), next(iter(models.values())))
    return lines + _evidence_table(results)


def _criteria_table(told: str, seeds: Sequence[Sets], per: Per) -> list[str]:
    titles = list(seeds[0])
    first = seeds[0][titles[0]][MAIN_MODE]
    names = ["oracle", *(name for name in CRITERION_NAMES if name in first)]
    rows = []
    for title in titles:
        found = [each[title] for each in seeds]
        base = np.mean([each["untouched"]["mae_meV_per_A"] for each in found])
        cells = []
        for name in names:
            values = [each[MAIN_MODE][name][per]["change_percent"]["value"] for each in found]
            cells.append(f"{np.mean(values):+.1f}{_range(values)}")
        rows.append([_words(title), f"{base:.0f}", *cells])
    caption = f"{told}: change of the force MAE (%), {MAIN_MODE}, one radius per {per}"
    return _table(caption, ["set", "untouched, meV/Å", *names], rows)


def _share_table(told: str, seeds: Sequence[Sets]) -> list[str]:
    first = next(iter(seeds[0].values()))[MAIN_MODE]
    names = [name for name in CRITERION_NAMES if name in first]
    rows = []
    for title in seeds[0]:
        if any(each[title][MAIN_MODE]["oracle"]["structure"]["share_of_oracle"] for each in seeds):
            cells = [
                _interval([each[title][MAIN_MODE][name]["structure"] for each in seeds])
                for name in names
            ]
            rows.append([_words(title), *cells])
    caption = f"{told}: share of the oracle's gain [95 %], {MAIN_MODE}, one radius per structure"
    return _table(caption, ["set", *names], rows) if rows else []


def _gated_table(told: str, seeds: Sequence[Sets]) -> list[str]:
    names = list(next(iter(seeds[0].values()))["gated"])
    rows = []
    highest = -np.inf
    for title in seeds[0]:
        cells = []
        for name in names:
            found = [each[title]["gated"][name] for each in seeds]
            changes = [each["change_percent"] for each in found]
            highest = max(highest, *(change["value"] for change in changes))
            acted = sum(each["acted"] for each in found)
            if not acted:
                cells.append("left alone")
                continue
            middle, low, high = (np.mean([c[key] for c in changes]) for key in _KEYS)
            text = f"{middle:+.1f} [{low:+.1f}, {high:+.1f}] %"
            cells.append(f"{text}; share {_interval(found)}; acted in {acted} of {len(found)}")
        rows.append([_words(title), *cells])
    lines = _table(f"{told}: what the gated refinement does", ["set", *names], rows)
    return [
        *lines,
        f"Largest rise of a mean force error, any set, seed and row: {highest:+.1f} %.",
        "",
    ]


def _spread_table(told: str, seeds: Sequence[Sets]) -> list[str]:
    rows = []
    for title in seeds[0]:
        row = [_words(title)]
        for pick in (_untouched, _gated, _oracle):
            found = [pick(each[title]) for each in seeds]
            row += [
                "-"
                if found[0] is None
                else " / ".join(
                    f"{np.mean([each[key + '_meV_per_A'] for each in found]):.0f}"
                    for key in ("mae", "median", "q25", "q75")
                )
            ]
        rows.append(row)
    caption = f"{told}: force MAE, meV/Å, mean / median / lower / upper quartile over structures"
    return _table(caption, ["set", "untouched", "gated", "oracle"], rows)


def _untouched(entry: Mapping[str, Any]) -> Any:
    return entry["untouched"]


def _gated(entry: Mapping[str, Any]) -> Any:
    return entry["gated"]["gated"] if "gated" in entry else None


def _oracle(entry: Mapping[str, Any]) -> Any:
    return entry[MAIN_MODE]["oracle"]["structure"]


def _modes_table(name: str, sets: Sets) -> list[str]:
    modes = [mode for mode in ("taper", "truncate", "rescale") if mode in next(iter(sets.values()))]
    rows = []
    for title, entry in sets.items():
        cells = []
        for mode in modes:
            found = entry[mode]
            best = found.get("corrected", found["coordination"])
            pair = [
                each["structure"]["change_percent"]["value"] for each in (found["oracle"], best)
            ]
            cells.append(f"{pair[0]:+.1f} / {pair[1]:+.1f}")
        rows.append([_words(title), *cells])
    chosen = "corrected" if "corrected" in next(iter(sets.values()))[modes[0]] else "coordination"
    caption = f"{name}: change (%) of the force MAE by mode, oracle / by the criterion {chosen}"
    return _table(caption, ["set", *modes], rows)


def _evidence_table(results: Mapping[str, Any]) -> list[str]:
    ways = [RadiusEvidence.from_plain(found) for found in results.get("evidence", [])]
    ways.sort(key=lambda way: -way.low)
    rows = []
    for way in ways[:BEST_WAYS]:
        gains = [" ".join(f"{100 * g:+.1f}" for g in group) for group in (way.outside, way.inside)]
        low = f"{100 * way.low:+.1f}"
        rows.append([way.mode, way.criterion, way.per, *gains, low, "yes" if way.helps else "no"])
    heads = ["mode", "criterion", "per", "gain outside by group, %", "inside, %", "lower limit, %"]
    caption = "Evidence from groups left out of training, the best ways"
    return _table(caption, [*heads, "a reason to act"], rows) if rows else []


def _cost_table(results: Mapping[str, Any]) -> list[str]:
    rows = []
    names = list(results["selection"][0]["choice_ms"])
    for row in results["selection"]:
        cells = [
            f"{100 * row['choice_ms'][name] / row['forces_ms']:.1f} % "
            f"({row['published_ms'] / row['choice_ms'][name]:.0f}x)"
            for name in names
        ]
        worst = row["largest_difference_of_eigenvalues"]
        same = "-" if worst is None else f"{worst:.0e} ({row['radii_compared']} radii)"
        rows.append(
            [
                str(row["atoms"]),
                f"{row['forces_ms']:.1f}",
                f"{row['published_ms']:.1f}",
                *cells,
                same,
            ]
        )
    heads = ["atoms", "one force evaluation, ms", "published procedure, ms", *names]
    caption = (
        "Choosing among ten radii and the training radius, neighbour list included: share of one "
        "force evaluation (times faster than the published procedure); processor time, median "
        "of five rounds"
    )
    lines = _table(caption, [*heads, "largest difference of eigenvalues"], rows)
    return lines + _agreement_table(results["agreement"])


def _agreement_table(found: Mapping[str, Any]) -> list[str]:
    rows = [
        [
            f"{kind}: {_words(title)}",
            criterion,
            f"{one['same']} of {one['structures']}",
            f"{100 * one['largest_excess']:.1f} %",
            f"{one['mean_radii_looked_at']:.1f} of {one['radii']}",
        ]
        for kind, sets in found.items()
        for title, criteria in sets.items()
        for criterion, one in criteria.items()
    ]
    caption = "Criteria that look at few radii, against all radii"
    heads = ["set", "criterion", "same radius", "distance larger by at most", "radii looked at"]
    return _table(caption, heads, rows)


def _dynamics_table(results: Mapping[str, Any]) -> list[str]:
    rows = [
        [
            name,
            f"{values['picoseconds']:.1f}",
            f"{values['drift_meV_per_atom_per_ps']:+.5f}",
            f"{values['stray_meV_per_atom']:.4f}",
            f"{values['net_change_meV_per_atom']:+.4f}",
            f"{values['largest_step_meV_per_atom']:.3f}",
        ]
        for name, values in results["models"].items()
    ]
    caption = (
        f"{results['formula']} at constant energy from {results['temperature_K']:g} K, 0.5 fs, "
        f"float64, radius {results['radius_A']:.2f} Å; meV per atom"
    )
    heads = ["", "ps", "drift per ps", "strays by", "net change", "largest step in 5 fs"]
    lines = _table(caption, heads, rows)
    crossing = [
        [mode, *(f"{value:.2g}" for value in values)]
        for mode, values in results["jumps_meV"].items()
    ]
    heads = ["", *(f"{radius:.2f} Å" for radius in results["radii_A"])]
    caption = "Jump of the energy (meV) as two carbon atoms, otherwise alone, cross the radius"
    return lines + _table(caption, heads, crossing)


_KEYS = ("value", "low", "high")


def _interval(found: Sequence[Mapping[str, Any]]) -> str:
    shares = [each["share_of_oracle"] for each in found if each["share_of_oracle"]]
    if not shares:
        return "-"
    middle, low, high = (np.mean([share[key] for share in shares]) for key in _KEYS)
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"


def _range(values: Sequence[float]) -> str:
    return f" ({min(values):+.1f} to {max(values):+.1f})" if len(values) > 1 else ""


def _words(title: str) -> str:
    return title.replace("_", " ")


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"### {caption}", "", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]
