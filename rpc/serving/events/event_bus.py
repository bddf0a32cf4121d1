"""Word to those who listen: an event was committed, or something passing happened."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from threading import Lock
from typing import Any


class Subscription:
    """One listener, in an event loop of asyncio.

    Args:
        loop: of the listener.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._word = asyncio.Event()
        self._passing: list[tuple[str, dict[str, Any]]] = []

    def tell(self, passing: tuple[str, dict[str, Any]] | None) -> None:
        """Wake the listener; called from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._heard, passing)
        except RuntimeError:
            pass  # the loop is closed: nobody listens any more

    def _heard(self, passing: tuple[str, dict[str, Any]] | None) -> None:
        if passing is not None:
            self._passing = [*self._passing[-99:], passing]
        self._word.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for word; False where none came in that time."""
        try:
            await asyncio.wait_for(self._word.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        self._word.clear()
        return True

    def take_passing(self) -> list[tuple[str, dict[str, Any]]]:
        """The passing events since the last call: types and data."""
        taken, self._passing = self._passing, []
        return taken


class EventBus:
    """Hands word on to all listeners."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._listeners: set[Subscription] = set()

    def subscribe(self, loop: asyncio.AbstractEventLoop) -> Subscription:
        """A new listener."""
        made = Subscription(loop)
        with self._lock:
            self._listeners.add(made)
        return made

    def leave(self, listener: Subscription) -> None:
        """A listener that goes."""
        with self._lock:
            self._listeners.discard(listener)

    def committed(self) -> None:
        """Say that there are new events in the database."""
        self._tell(None)

    def passing(self, kind: str, data: Mapping[str, Any]) -> None:
        """Say something that is not kept."""
        self._tell((kind, dict(data)))

    def _tell(self, passing: tuple[str, dict[str, Any]] | None) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.tell(passing)
