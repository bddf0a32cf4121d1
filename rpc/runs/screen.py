"""The one way of lines to the screen: whatever a name holds, it cannot steer the terminal."""

from __future__ import annotations

import sys

from rpc.data.plain_text import plain_lines, plain_text


def say(line: object) -> None:
    """Print one line; a line break inside it is shown, not made."""
    print(plain_text(line), flush=True)


def say_lines(text: str) -> None:
    """Print a text of several lines, such as a page."""
    print(plain_lines(text), flush=True)


def warn(line: object) -> None:
    """Print one line to stderr."""
    print(plain_text(line), file=sys.stderr, flush=True)
