"""What is shown while a verb works: log lines, and a bar for long work. Everything goes to the standard error."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from records.progress import listening

ROOMS = ("records", "apprentice", "perception", "motion", "sim", "policies", "pretrain")
"""Loggers that are shown and kept."""

_SHOWN = 10
"""Files that are named on the screen; reports name all."""

console = Console(stderr=True, highlight=False)


@contextlib.contextmanager
def progress_shown() -> Iterator[None]:
    """Show a bar for the work that the rooms tell of."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Progress(*columns, console=console, transient=True)
    tasks: dict[str, TaskID] = {}

    def hear(what: str, done: int, total: int) -> None:
        if not tasks:
            bars.start()
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total)
        bars.update(tasks[what], completed=done, total=total, visible=done < total)

    try:
        with listening(hear):
            yield
    finally:
        if tasks:
            bars.stop()


def log_to(path: Path) -> None:
    """Send the rooms' log to the file of a run, and what is not for finding errors to the console, too."""
    for name in ROOMS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
        to_file = logging.FileHandler(path, encoding="utf-8")
        to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(to_file)
        shown = RichHandler(console=console, show_path=False, show_level=False, log_time_format="%H:%M:%S")
        shown.setLevel(logging.INFO)
        logger.addHandler(shown)
        logger.propagate = False


def name_skipped(skipped: Sequence[tuple[str, str]]) -> None:
    """Say of which files what is wrong; of many, the first."""
    for file, reason in skipped[:_SHOWN]:
        console.print(f"{file}: {reason}", soft_wrap=True, style="yellow")
    if len(skipped) > _SHOWN:
        console.print(f"and {len(skipped) - _SHOWN} more", style="yellow")
