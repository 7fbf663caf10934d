"""The report of a run of ``simulate``: who lived how long, and what stopped the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from farfield.reports import Causes, Lifetimes, Report
from farfield.simulation import Outcome

MOST_ROWS = 6  # of single formulas


def simulation_report(
    outcomes: Sequence[Outcome],
    record: dict[str, Any],
    commands: Sequence[str] = (),
) -> Report:
    """Return the report; ``commands`` made it."""
    settings, total = record["settings"], record["n_simulations"]
    duration = f"{settings['duration_ps']:g} ps"
    headline = [f"{record['n_completed']} of {total} simulations reached {duration}."]
    if record["failures"]:
        check, count = next(iter(record["failures"].items()))
        headline.append(f"The most frequent end was {_words(check)}, in {count} of {total}.")
    if record["alarms"]:
        alarms = (f"{_words(name)} in {count}" for name, count in record["alarms"].items())
        headline.append(f"Alarms, which stopped nothing: {', '.join(alarms)}.")
    if record["refinement"]:
        headline.append("The model was refined before: see refinement/report.html.")
    anew = [each for each in record["decisions"] if each["acted"]]
    if anew:
        times = ", ".join(f"{each['time_ps']:g} ps ({each['refinement']})" for each in anew)
        headline.append(f"It was refined anew at {times}; energies are of {len(anew) + 1} models.")
    median = record["median_lifetime_ps"]
    facts = {
        "Model": record["model"],
        "Prior that watches": record["prior"],
        "Ensemble": settings["ensemble"].upper(),
        "Temperature": f"{settings['temperature_K']:g} K",
        "Time step": f"{settings['timestep_fs']:g} fs",
        "Duration": duration,
        "Median lifetime": None if median is None else f"{median:g} ps",
        "Seed": settings["seed"],
        "Speed, all together": f"{record['speed_ns_per_day']:.3g} ns/day",
    }
    return Report(
        title="Simulation",
        subtitle=f"{total} simulations of {duration}",
        headline=headline,
        warnings=record["warnings"],
        facts={name: str(value) for name, value in facts.items() if value is not None},
        lifetimes=[_lifetimes(name, group) for name, group in _rows(outcomes).items()],
        causes=[_causes(outcomes)],
        commands=list(commands),
    )


def _rows(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """All of them, and those of each formula where these are several and few."""
    found: dict[str, list[Outcome]] = {"all": list(outcomes)}
    formulas = list(dict.fromkeys(outcome.formula for outcome in outcomes))
    if 1 < len(formulas) <= MOST_ROWS:
        for formula in formulas:
            found[formula] = [outcome for outcome in outcomes if outcome.formula == formula]
    return found


def _lifetimes(name: str, outcomes: Sequence[Outcome]) -> Lifetimes:
    times = [
        each.time_ps if each.failure is None else 1e-3 * each.failure.time_fs for each in outcomes
    ]
    return Lifetimes(name, times, [each.failure is None for each in outcomes])


def _causes(outcomes: Sequence[Outcome]) -> Causes:
    failures = (each.failure for each in outcomes)
    counts = dict(Counter(_words(f.check) for f in failures if f is not None))
    return Causes("all", len(outcomes), counts)


def _words(check: str) -> str:
    return check.replace("_", " ")
