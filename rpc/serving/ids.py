"""Identifiers that sort by the time at which they were given (UUID version 7, RFC 9562)."""

from __future__ import annotations

import secrets
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A new identifier, larger as text than all that this process gave before."""
    global _last
    with _lock:
        # Milliseconds, and 12 bits below them that keep the order within one.
        _last = max((time.time_ns() * 4096 // 1_000_000), _last + 1)
        stamp = _last
    milliseconds, fine = divmod(stamp, 4096)
    value = (milliseconds << 80) | (0x7 << 76) | (fine << 64) | (0b10 << 62)
    return str(uuid.UUID(int=value | secrets.randbits(62)))
