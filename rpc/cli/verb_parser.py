"""The parser of a verb's options, which knows by what name the verb was called."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rpc.cli.number_ranges import Range

_NAME: ContextVar[str | None] = ContextVar("name", default=None)


@contextmanager
def called_as(name: str) -> Iterator[None]:
    """Within it, parsers show `name` in their usage line, such as `rpc-checkout evaluate`."""
    token = _NAME.set(name)
    try:
        yield
    finally:
        _NAME.reset(token)


class VerbParser(argparse.ArgumentParser):
    """An argument parser that shows the name given by `called_as`, else the running script's.

    Numbers out of range are told here, before any work: see `rpc.cli.number_ranges`.
    """

    def __init__(
        self, *, prog: str | None = None, ranges: Mapping[str, Range] | None = None, **options: Any
    ) -> None:
        super().__init__(prog=prog or _NAME.get(), **options)
        self.ranges = ranges or {}  # of this verb, before those of all

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; numbers are looked at.

        Raises:
            DataError: a number is out of range.
        """
        from rpc.cli.number_ranges import require_ranges  # not for each help page's sake

        parsed, rest = super().parse_known_args(args, namespace)
        require_ranges(parsed, self.ranges)
        return parsed, rest

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print what argparse says: words of the command line may hold names of files."""
        from rpc.data.plain_text import plain_lines  # not for each help page's sake

        super()._print_message(plain_lines(message or ""), file)
