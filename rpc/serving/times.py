"""Times as the interface writes them: ISO 8601 in UTC with microseconds and `Z`, which sort."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Final, TypeAlias

Clock: TypeAlias = Callable[[], datetime]
LENGTH: Final = 27  # letters of a time


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(timezone.utc)


def iso(time: datetime) -> str:
    """A time as text.

    Example:
        >>> iso(datetime(2026, 3, 1, 9, 30, tzinfo=timezone.utc))
        '2026-03-01T09:30:00.000000Z'
    """
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """A time of ISO 8601 text; one without a zone is taken as UTC, a day as its beginning.

    Raises:
        ValueError: not such a text.
    """
    time = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def in_seconds(time: str, seconds: float) -> str:
    """A time as text, so many seconds after another one."""
    return iso(parse_time(time) + timedelta(seconds=seconds))
