"""From a leaderboard's contents to Markdown, for a page of documentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from farfield.reports.contents.board import Leaderboard, Standing, TaskBoard
from farfield.reports.numbers import MISSING, decimals_for, fixed, interval, percent

NO_MODEL = "(no model)"


def leaderboard_markdown(board: Leaderboard) -> str:
    """Return the tables of all tasks as Markdown, with what must be known to read them."""
    lines = [f"# {board.title}", "", board.subtitle, ""]
    lines += [f"- {warning}" for warning in board.warnings]
    lines += [f"- {note}" for note in board.notes]
    lines += ["", *(f"- {name}: {value}" for name, value in board.facts.items())]
    lines += [f"- Command: `{command}`" for command in board.commands]
    for task in board.tasks:
        lines += ["", *_task(task)]
    return "\n".join(lines) + "\n"


def _task(task: TaskBoard) -> list[str]:
    known = [s for s in task.standings if s.shifted is not None]
    decimals = decimals_for(s.control.value for s in known if s.control is not None)
    axes = [f"{name.replace('_', ' ')} ({axis})" for name, axis in task.axes.items()]
    heads = [
        "family",
        "method",
        "in distribution",
        "shifted [95 %]",
        "over seeds",
        "median",
        "change [95 %]",
        "in distribution, after",
        "acted",
        *axes,
    ]
    facts = "; ".join(f"{name.lower()}: {value}" for name, value in task.facts.items())
    lines = [f"## {task.name}: {task.title}", "", f"Errors in {task.unit}: {task.metric}.", ""]
    lines += [f"{facts[:1].upper()}{facts[1:]}.", "", "Shifted, and its change:", ""]
    lines += [*_side_by_side(task, known, lambda one: _mean_and_change(one, decimals)), ""]
    lines += ["Medians over structures and seeds, their mean over the shifted sets:", ""]
    lines += [*_side_by_side(task, known, lambda one: fixed(one.median, decimals)), ""]
    lines += _table(heads, _rows(task, known, decimals))
    lacking = [one for one in task.standings if one.reasons]
    if lacking:
        lines += ["", "Not available:", ""]
        lines += [f"- {s.family}, {s.method}: {'; '.join(s.reasons)}" for s in lacking]
    return lines


def _side_by_side(
    task: TaskBoard, known: Sequence[Standing], cell: Callable[[Standing], str]
) -> list[str]:
    """A row per method and a column per family, the baseline first and then by the mean error."""
    families = list(dict.fromkeys(model.family for model in task.models))
    methods: dict[str, dict[str, Standing]] = {}
    for one in known:
        if one.family:
            methods.setdefault(one.method, {})[one.family] = one
    ordered = sorted(methods.values(), key=lambda each: _place(list(each.values())))
    rows = []
    for each in ordered:
        cells = [cell(each[name]) if name in each else MISSING for name in families]
        rows.append([next(iter(each.values())).method, *cells])
    return _table(["method", *families], rows)


def _place(each: Sequence[Standing]) -> tuple[bool, float]:
    errors = [one.shifted.value for one in each if one.shifted is not None]
    return each[0].kind != "supervised", sum(errors) / len(errors)


def _mean_and_change(one: Standing, decimals: int) -> str:
    error = fixed(one.shifted.value if one.shifted else None, decimals)
    return error if one.change is None else f"{error} ({percent(one.change.value, signed=True)})"


def _rows(task: TaskBoard, known: Sequence[Standing], decimals: int) -> list[list[str]]:
    """The families in the order in which they come, each by its methods' error."""
    families = list(dict.fromkeys(model.family for model in task.models))
    ordered = sorted(known, key=lambda one: families.index(one.family) if one.family else -1)
    return [
        [
            f"{one.family} (direct forces)" if one.direct else one.family or NO_MODEL,
            one.method,
            fixed(one.control.value if one.control else None, decimals),
            interval(one.shifted, decimals),
            " to ".join(fixed(limit, decimals) for limit in one.spread or ()) or MISSING,
            fixed(one.median, decimals),
            _change(one),
            fixed(one.after.value if one.after else None, decimals),
            one.acted or MISSING,
            *(fixed(one.sets[name].value, decimals) for name in task.axes),
        ]
        for one in ordered
    ]


def _change(one: Standing) -> str:
    if one.change is None:
        return MISSING
    low, high = (percent(limit, signed=True) for limit in (one.change.low, one.change.high))
    return f"{percent(one.change.value, signed=True)} [{low}, {high}]"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(heads) + " |",
        "|---" * len(heads) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
