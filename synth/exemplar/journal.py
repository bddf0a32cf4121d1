"""Journal of a build, a line a photo: after a kill the next build goes on from here."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from rpc.data.files import DataError, write_bytes
from synth.exemplar.cut import Measures
from synth.exemplar.doubts import Doubts

JOURNAL = "journal.jsonl"


@dataclass(frozen=True)
class Entry:
    """The outcome of one exemplar.

    Attributes:
        file: PNG of the cut-out, relative to the folder.
        stamp: what the cut-out was made of (photo, box, mask by hand): when it changes, the
            cut-out is made again.
        measures: of the mask; None where there is no cut-out.
        problem: why not.
        size: width and height of the PNG.
        by_hand: whether the mask was made by hand.
    """

    file: str
    stamp: str
    measures: Measures | None = None
    problem: str = ""
    size: tuple[int, int] = (0, 0)
    by_hand: bool = False


class Journal:
    """The journal of a folder, open for appending; use it in a `with` block.

    Attributes:
        entries: outcomes of earlier builds with the same settings, by file.
    """

    def __init__(self, folder: Path, settings: str) -> None:
        self._path = folder / JOURNAL
        head = json.dumps({"settings": settings})
        lines = _lines(self._path)
        if lines[:1] != [head]:
            lines = [head]
        self.entries = {entry.file: entry for entry in map(_parse, lines[1:]) if entry}
        # Written anew: a line cut short by a kill would spoil the next one.
        kept = [head, *(json.dumps(asdict(entry)) for entry in self.entries.values())]
        write_bytes(self._path, ("\n".join(kept) + "\n").encode())

    def __enter__(self) -> Journal:
        self._file = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, entry: Entry) -> None:
        """Note an outcome; the cut-out must be on disk already.

        Raises:
            DataError: it cannot be written.
        """
        self.entries[entry.file] = entry
        try:
            self._file.write(json.dumps(asdict(entry)) + "\n")
            self._file.flush()
        except OSError as error:
            raise DataError(f"{self._path}: cannot be written: {error.strerror}") from error


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}; delete it and run again") from error


def _parse(line: str) -> Entry | None:
    """An entry; None for a line that a kill or a hand has spoiled."""
    try:
        raw: dict[str, Any] = json.loads(line)
        width, height = raw["size"]
        measures = None if raw["measures"] is None else _measures(raw["measures"])
        return Entry(**{**raw, "size": (int(width), int(height)), "measures": measures})
    except (ValueError, TypeError, KeyError):
        return None


def _measures(raw: dict[str, Any]) -> Measures:
    doubts = raw.get("doubts")
    return Measures(**{**raw, "doubts": None if doubts is None else Doubts(**doubts)})
