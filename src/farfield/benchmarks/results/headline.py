"""The findings of a leaderboard in sentences; weak ones too."""

from __future__ import annotations

from collections.abc import Sequence

from farfield.reports.contents.board import Standing, TaskBoard


def headline(tasks: Sequence[TaskBoard]) -> list[str]:
    """Two or three sentences for each task."""
    return [sentence for task in tasks for sentence in _of_task(task)]


def _of_task(task: TaskBoard) -> list[str]:
    known = [one for one in task.standings if one.shifted is not None]
    plain = [one for one in known if one.kind == "supervised" and one.control is not None]
    found = []
    if plain:
        best = min(plain, key=_shifted)
        assert best.control is not None and best.shifted is not None
        times = best.shifted.value / best.control.value
        found.append(
            f"{task.name}: the supervised model with the least error on shifted sets is "
            f"{best.family}, with {best.shifted.value:.0f} {task.unit}, {times:.1f} times its "
            f"error in distribution."
        )
    helped = {
        "a plain model": [one for one in known if one.kind == "plain"],
        "the prior at inference": [one for one in known if one.kind == "prior" and one.family],
    }
    for what, those in helped.items():
        if those:
            found.append(_best(task, min(those, key=_shifted), what))
    return found


def _best(task: TaskBoard, best: Standing, what: str) -> str:
    assert best.shifted is not None
    said = (
        f"{task.name}: with {what} the least is {best.shifted.value:.0f} {task.unit}, by "
        f"{best.family}, {best.method}"
    )
    if best.change is None:
        return f"{said}."
    value, low, high = (
        f"{100 * limit:+.0f}".replace("-", "−")
        for limit in (best.change.value, best.change.low, best.change.high)
    )
    settled = best.change.high < 0.0
    tail = "" if settled else ", which is not settled"
    return f"{said} ({value} % against its supervised model [{low}, {high}]{tail})."


def _shifted(one: Standing) -> float:
    return one.shifted.value if one.shifted is not None else float("inf")
