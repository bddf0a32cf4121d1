"""Results of a function made some steps early by threads: the same ones in the same order."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Prefetch(Generic[K, T]):
    """Results of `make(key)`, begun before they are wanted; a context that ends its threads.

    How many threads there are changes when a result is made, not what it is: `make` must be a
    function of its key alone. Decoding and warping of pictures leave Python's lock.

    Args:
        make: what is computed.
        workers: threads; with 0, each result is made when it is wanted.
    """

    def __init__(self, make: Callable[[K], T], workers: int) -> None:
        self._make = make
        self._pool = ThreadPoolExecutor(workers) if workers else None
        self._waiting: dict[K, Future[T]] = {}

    def get(self, key: K, following: Iterable[K]) -> T:
        """The result of a key; those of the keys that follow are begun, all others dropped.

        Raises:
            Exception: what `make` raised for this key.
        """
        if self._pool is None:
            return self._make(key)
        wanted = dict.fromkeys([key, *following])
        for stale in self._waiting.keys() - wanted.keys():
            self._waiting.pop(stale).cancel()
        for one in wanted:
            if one not in self._waiting:
                self._waiting[one] = self._pool.submit(self._make, one)
        return self._waiting.pop(key).result()

    def close(self) -> None:
        """Drop what has not begun, wait for what has, and end the threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Prefetch[K, T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
