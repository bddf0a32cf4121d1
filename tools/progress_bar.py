"""A progress bar on stderr: what is being done, how far it is, how long is left."""

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
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar for the time of the block; yields `progress(done, total)`."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    shown = Progress(*columns, console=Console(stderr=True))
    task = shown.add_task(what, total=None)

    def progress(done: int, total: int) -> None:
        shown.start()  # not earlier: bad input found before any work shall be one line, no bar
        shown.update(task, completed=done, total=total)

    try:
        yield progress
    except Exception:
        shown.live.transient = True  # the error's one line stands alone, with no bar before it
        shown.live.stop()
        raise
    finally:
        if shown.live.is_started:  # stopped all the same, it would print an empty line
            shown.stop()
