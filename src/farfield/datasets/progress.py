"""The progress bar of a download, on standard error where that is a terminal."""

from __future__ import annotations

import sys
from typing import final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


@final
class DownloadBar:
    """A bar as pooch drives it: it sets ``total`` (bytes), then calls the methods in turn."""

    def __init__(self, name: str) -> None:
        self.total = 0
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        self._progress = Progress(
            *columns,
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task(name, total=None)
        self._done = 0

    def update(self, count: int) -> None:
        """Another ``count`` bytes are there."""
        self._progress.start()
        self._done += count
        self._progress.update(self._task, completed=self._done, total=self.total or None)

    def reset(self) -> None:
        """Begin anew."""
        self._done = 0

    def close(self) -> None:
        """Leave the terminal as it was; closing twice does nothing."""
        self._progress.stop()
