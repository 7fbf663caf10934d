"""The progress bar of simulations, on standard error, with their speed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from farfield.simulation.settings import SimulationSettings

DAY = 86400.0  # s
Show = Callable[[int, int, int], None]  # group, steps done, simulations that still run


def speed(steps: float, timestep: float, seconds: float) -> float:
    """Simulated time per wall time, ns/day, of ``steps`` steps of ``timestep`` fs."""
    return 1e-6 * steps * timestep * DAY / seconds if seconds > 0 else 0.0


@contextmanager
def simulation_bar(
    settings: SimulationSettings, groups: list[list[int]], show: bool | None = None
) -> Iterator[Show]:
    """Yield a function that takes how far each group is, and moves the bar.

    Parameters
    ----------
    settings, groups
        What is run; the simulations of each group.
    show
        Whether to draw it; None draws it when standard error is a terminal.
    """
    if show is None:
        show = sys.stderr.isatty()
    total = settings.steps * len(groups)
    columns = (
        TextColumn("simulate"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    begin = time.perf_counter()
    first: dict[int, int] = {}
    done: dict[int, int] = {}
    alive = {group: len(members) for group, members in enumerate(groups)}
    simulated = 0
    with Progress(*columns, console=Console(stderr=True), disable=not show) as progress:
        task = progress.add_task("", total=total)

        def report(group: int, step: int, going: int) -> None:
            nonlocal simulated
            first.setdefault(group, step)
            simulated += (step - done.get(group, step)) * alive[group]
            done[group] = settings.steps if going == 0 else step
            alive[group] = going if step < settings.steps else alive[group]
            rate = speed(simulated, settings.timestep, time.perf_counter() - begin)
            picoseconds = 1e-3 * step * settings.timestep
            text = f"{picoseconds:.2f}/{settings.duration:g} ps, {sum(alive.values())} alive"
            progress.update(
                task, completed=sum(done.values()), description=f"{text}, {rate:.3g} ns/day"
            )

        yield report
