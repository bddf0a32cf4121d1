"""The entries of a long JSON list, some at a time: a file of a gigabyte need not fit in memory.

A piece of the file ends where "}," may be the end of an entry, and is read as a list of its own.
Where that fails because the entry goes on (an object in an object, a text), the piece grows. So
what is read does not depend on the guess: if [a] and [b] are JSON, [a, b] is, with their entries.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from rpc.data.files import DataError, parse_json, read_json_value

BOM = b"\xef\xbb\xbf"
PIECE = 1 << 20  # bytes, some ten thousand entries: larger pieces are not read faster
A_LIST = "a JSON list [{...}, ...]"


def read_list(
    path: str | Path, *, expected: str = A_LIST, size: int = PIECE
) -> Iterator[tuple[int, list[Any]]]:
    """Read a JSON list of objects piece by piece; a byte order mark is allowed.

    Args:
        path: the file.
        expected: what the list is, for the message.
        size: bytes of a piece.

    Yields:
        The place of the piece's first entry in the list, from 0, and its entries.

    Raises:
        DataError: the file is missing or not readable, is not JSON (with line and column), or
            holds something other than a list.
    """
    try:
        with Path(path).open("rb") as file:
            yield from _Reader(file, str(path), expected, size).pieces()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def first_entry(path: str | Path) -> Any:
    """The first entry of a JSON list, which tells what kind of list it is.

    Only the start of the file is looked at: damage further on is left to the one who reads it.

    Returns:
        The entry; None where the file is an empty list, or does not begin as a list of values.

    Raises:
        DataError: the file is missing or not readable.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(PIECE).removeprefix(BOM).decode("utf-8", errors="replace").lstrip()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if not start.startswith("["):
        return None
    try:
        return json.JSONDecoder().raw_decode(start[1:].lstrip())[0]
    except (ValueError, RecursionError):
        return None


class _Reader:
    """Where in the file we are. `_text` is what was not read yet, as a list from its "[" on."""

    def __init__(self, file: BinaryIO, where: str, expected: str, size: int) -> None:
        self._file = file
        self._where = where
        self._size = size
        self._line, self._column = 1, 1
        self._text = file.read(max(size, len(BOM))).removeprefix(BOM)
        self._pass_over(len(self._text) - len(self._text.lstrip()))
        while not self._text and (more := file.read(size)):  # nothing but space so far
            self._text = more
            self._pass_over(len(more) - len(more.lstrip()))
        if not self._text.startswith(b"["):
            self._refuse_other(expected)

    def pieces(self) -> Iterator[tuple[int, list[Any]]]:
        """The list's entries in order, piece by piece, each with the number of its first entry."""
        first = 0
        # A piece that failed is read on to twice its size.
        while more := self._file.read(max(self._size, len(self._text))):
            self._text += more
            end = self._text.rfind(b"},") + 1
            entries = self._decode(self._text[:end] + b"]", is_whole=False) if end else None
            if entries is not None:
                yield first, entries
                first += len(entries)
                self._pass_over(end)
                self._text = b"[" + self._text[1:]  # in place of the comma
        entries = self._decode(self._text, is_whole=True)
        assert entries is not None
        if first and not entries:
            self._refuse("nothing follows the comma", 1, 1)
        yield first, entries

    def _decode(self, text: bytes, is_whole: bool) -> list[Any] | None:
        """The entries; None where the last one may go on behind this text."""
        try:
            return list(parse_json(text))
        except UnicodeDecodeError as error:
            raise DataError(f"{self._where}: not UTF-8 text: not a JSON file") from error
        except json.JSONDecodeError as error:
            goes_on = error.pos >= len(error.doc) - 1 or error.msg.startswith("Unterminated string")
            if goes_on and not is_whole:
                return None
            self._refuse(error.msg, error.lineno, error.colno)
        except (ValueError, RecursionError) as error:  # a number too long, lists nested too deep
            raise DataError(f"{self._where}: not usable JSON: {error}") from error

    def _pass_over(self, length: int) -> None:
        done, self._text = self._text[:length], self._text[length:]
        lines = done.count(b"\n")
        self._line += lines
        self._column = len(done) - done.rfind(b"\n") if lines else self._column + len(done)

    def _refuse(self, what: str, line: int, column: int) -> NoReturn:
        """Raise; line and column are those of the remaining text, from 1."""
        column += self._column - 1 if line == 1 else 0
        line += self._line - 1
        raise DataError(f"{self._where}: not valid JSON at line {line}, column {column}: {what}")

    def _refuse_other(self, expected: str) -> NoReturn:
        if len(self._text) < self._size:  # all of the file: is it JSON at all?
            read_json_value(self._where)
        start = self._text[:20].decode("utf-8", errors="replace")
        raise DataError(f"{self._where}: expected {expected}, but it begins with {start!r}")
