"""Many files at once, in threads: image codecs leave Python while they work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress = Callable[[int, int], None]  # done, total


def map_in_threads(
    function: Callable[[Item], Result], items: Sequence[Item], progress: Progress | None = None
) -> Iterator[Result]:
    """`function` of each item, in their order; `progress(done, total)` is called after each.

    When the caller stops early, or an item raises, what has not begun is not begun any more.
    """
    pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
    try:
        for done, result in enumerate(pool.map(function, items), start=1):
            if progress is not None:
                progress(done, len(items))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
