"""Notes of the library on the screen: text of other people's files, made harmless."""

from __future__ import annotations

import logging
import sys


def show_notes() -> None:
    """Print what the library logs while it reads, such as names that it understood, on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PlainNote("note: %(message)s"))
    logging.getLogger("rpc.data").addHandler(handler)
    logging.getLogger("rpc.data").propagate = False


class _PlainNote(logging.Formatter):
    """Notes of the library as harmless lines: they name files and products."""

    def format(self, record: logging.LogRecord) -> str:
        return harmless(super().format(record))


def harmless(text: str) -> str:
    """Text of other people's files, harmless for a terminal."""
    try:
        from rpc.data.plain_text import plain_text
    except ImportError:  # the package does not load here: what is said is its own text
        return text
    return plain_text(text)
