"""Benchmarks of generalisation: the verb ``bench`` and its parts."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from farfield.benchmarks.contestants.registry import CONTESTANTS
from farfield.benchmarks.families import FAMILIES
from farfield.benchmarks.modes.mode import MODES, Mode, load_mode
from farfield.benchmarks.results.files import load_results, merged
from farfield.benchmarks.results.leaderboard import leaderboard
from farfield.benchmarks.results.versus import Row, differences
from farfield.benchmarks.results.versus import versus as compare_results
from farfield.benchmarks.runner import RESULTS, run_benchmark
from farfield.benchmarks.tasks.task import TASKS, load_task
from farfield.files import write_text
from farfield.reports.leaderboard import write_leaderboard
from farfield.reports.leaderboard_markdown import leaderboard_markdown

PAGE = "leaderboard.html"


def bench_run(
    output: Path | str,
    *,
    mode: str | Mode = "dev",
    tasks: Sequence[str] = (),
    families: Sequence[str] = (),
    contestants: Sequence[str] = (),
    seeds: Sequence[int] = (),
    workers: int = 1,
    cache: Path | str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Run a benchmark; a run that was stopped goes on where it was.

    Parameters
    ----------
    output
        Folder for ``results.json``, ``leaderboard.html``, the models, and a file per result.
    mode
        ``"dev"``, ``"fast"``, ``"standard"``, or a YAML file.
    tasks, families, contestants, seeds
        In place of the mode's.
    workers
        Processes, each with a family on a task.
    cache
        Folder of the label cache; None takes one in ``output``.
    say
        Told of every training and result.

    Returns
    -------
    The content of ``results.json``.
    """
    chosen = mode
    if not isinstance(chosen, Mode):
        chosen = load_mode(
            chosen, tasks=tasks, families=families, contestants=contestants, seeds=seeds
        )
    name = "" if isinstance(mode, Mode) else mode
    given = {"tasks": tasks, "families": families, "contestants": contestants, "seeds": seeds}
    words = ["farfield", "bench", "run", "--mode", name]
    for key, values in given.items():
        words += [f"--{key}", ",".join(map(str, values))] if values else []
    folder = Path(output)
    content = run_benchmark(
        chosen,
        folder,
        name=name,
        command=shlex.join([*words, "-o", str(output)]) if name else "",
        cache=None if cache is None else Path(cache),
        workers=workers,
        say=say,
    )
    bench_report([folder / RESULTS], folder / PAGE)
    return content


def bench_report(results: Sequence[Path | str], output: Path | str) -> None:
    """Write the leaderboard of one or several result files, as one page: HTML, or Markdown.

    Markdown, for which ``output`` ends in ``.md``, holds the tables alone.

    Raises
    ------
    ConfigError
        A file is no result of a benchmark, or two do not belong on one page.
    """
    paths = [Path(path) for path in results]
    contents = [load_results(path) for path in paths]
    found = merged(contents, [str(path) for path in paths])
    board, path = leaderboard(found, contents), Path(output)
    if path.suffix == ".md":
        write_text(path, leaderboard_markdown(board))
    else:
        write_leaderboard(board, path)


def bench_compare(first: Path | str, second: Path | str) -> list[Row]:
    """Compare the results of ``second`` with those of ``first``, structure by structure.

    Raises
    ------
    ConfigError
        They are not of the same tasks: other structures, level of theory or metric.
    """
    names = (str(first), str(second))
    return compare_results(load_results(Path(first)), load_results(Path(second)), names)


def bench_differences(first: Path | str, second: Path | str) -> list[str]:
    """In what else two runs differ: priors, training, versions; each in words."""
    return differences(load_results(Path(first)), load_results(Path(second)))


def bench_list() -> dict[str, dict[str, str]]:
    """Tasks, modes, families of models and contestants, each with its title."""
    return {
        "tasks": {name: load_task(name).title for name in TASKS},
        "modes": {name: load_mode(name).title for name in MODES},
        "families": {name: str(family.architecture) for name, family in FAMILIES.items()},
        "contestants": {name: method.title for name, method in CONTESTANTS.items()},
    }
