"""The progress bar of a training run, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def epochs_bar(epochs: int, *, shown: bool = True) -> Iterator[Callable[[dict[str, float]], None]]:
    """Yield a function that takes the record of each epoch and moves the bar."""
    console = Console(stderr=True)
    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, disable=not (shown and console.is_terminal)
    ) as progress:
        task = progress.add_task("", total=epochs)

        def report(record: dict[str, float]) -> None:
            text = f"force RMSE {record['force_rmse']:.3f} eV/Å"
            if "valid_force_mae" in record:
                text += f", validation MAE {record['valid_force_mae']:.3f} eV/Å"
                if not console.is_terminal:
                    console.print(f"epoch {record['epoch']:.0f}/{epochs}: {text}")
            progress.update(task, completed=record["epoch"], description=text)

        yield report
