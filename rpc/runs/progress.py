"""Progress on stderr: what is being done, how far it is, how long is left."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from rpc.data.plain_text import plain_text
from rpc.runs.screen import warn

LINE_EVERY = 30.0  # seconds, where stderr is a file: a log that can be followed


class Report(Protocol):
    """Takes how much is done, and a few words of facts."""

    def __call__(self, done: int, total: int, facts: str = "") -> None: ...  # noqa: D102


@contextmanager
def bar(what: str) -> Iterator[Report]:
    """Show progress for the time of the block; yields `progress(done, total, facts="")`.

    A moving bar on a terminal; a line now and then in a log file.
    """
    if sys.stderr.isatty():
        with _moving(what) as progress:
            yield progress
    else:
        yield _lines(what)


@contextmanager
def _moving(what: str) -> Iterator[Report]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[facts]}", markup=False),
    )
    shown = Progress(*columns, console=Console(stderr=True))
    task = shown.add_task(plain_text(what), total=None, facts="")

    def progress(done: int, total: int, facts: str = "") -> None:
        shown.start()  # not earlier: bad input found before any work shall be one line, no bar
        shown.update(task, completed=done, total=total, facts=plain_text(facts))

    try:
        yield progress
    except Exception:
        shown.live.transient = True  # the error's one line stands alone, with no bar before it
        shown.live.stop()
        raise
    finally:
        if shown.live.is_started:  # stopped all the same, it would print an empty line
            shown.stop()


def _lines(what: str) -> Report:
    started = told = time.monotonic()

    def progress(done: int, total: int, facts: str = "") -> None:
        nonlocal told
        now = time.monotonic()
        if done <= 0 or (done < total and now - told < LINE_EVERY):
            return
        if done == total and now - started < LINE_EVERY:
            return  # the step's own name says enough
        told = now
        left = round((now - started) * (total - done) / done)
        line = f"{what}  {done}/{total}  {left // 60}:{left % 60:02d} left  {facts}"
        with suppress(OSError):  # a closed terminal ends no work
            warn(line.rstrip())

    return progress
