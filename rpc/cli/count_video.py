"""Trays of a video, a camera or a stream, counted as they come to rest: `rpc-checkout count`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rpc.cli.counted_files import COUNTS, counts_entry, files_of, write_tray
from rpc.cli.leave import say_stopped
from rpc.runs.folder_lock import prepare_files
from rpc.runs.progress import bar
from rpc.runs.screen import say, warn

if TYPE_CHECKING:
    from rpc.camera import Frame, ReadTray
    from rpc.checkout import Checkout

TRAYS = "trays.jsonl"


def count_video(
    source: str, out: Path, region: Sequence[float] | None, counter_of: Callable[[], Checkout]
) -> int:
    """Watch a source to its end, or until somebody stops it; what was read is written at once.

    Args:
        source: as `rpc.camera.frames_of` takes it.
        out: folder of the results.
        region: of the tray, see `rpc.camera.WatchSettings`; None for the whole picture.
        counter_of: loads the counter, once the source has shown a frame.

    Raises:
        DataError: the source cannot be read, or shows no still tray with items.
    """
    from rpc.camera import TrayWatcher, WatchSettings, frames_of
    from rpc.camera.frames import is_live, length_s
    from rpc.data.files import DataError

    x1, y1, x2, y2 = region or (0.0, 0.0, 1.0, 1.0)
    watcher = TrayWatcher(WatchSettings(region=(x1, y1, x2, y2)))
    frames = frames_of(source)
    first = next(frames)  # before the model: a wrong source is told at once
    began = datetime.now(timezone.utc) if is_live(source) else None
    book = _Book(out, _stem(source), began)
    book.prepare()
    counter = counter_of()
    try:
        for tray in _shown_trays(chain([first], frames), counter, watcher, length_s(source)):
            book.write(tray)
    except KeyboardInterrupt:
        say(book.told())
        return say_stopped("what was read is kept")
    except DataError:
        if book.counts:
            say(book.told())
        raise
    if not book.counts:
        raise DataError(
            f"{source}: shows no still tray with items that this model knows; a tray has to lie "
            "still for a second with no hand in the picture"
        )
    say(book.told())
    say(out / TRAYS)
    say(out / COUNTS)
    return 0


def _shown_trays(
    frames: Iterator[Frame], counter: Checkout, watcher: Any, length: float | None
) -> Iterator[ReadTray]:
    """The readings, with progress and the camera's warnings on the screen."""
    from rpc.camera import read_steps

    told: set[str] = set()
    with bar("watching") as progress:
        for step in read_steps(frames, counter, watcher):
            if length is not None:
                progress(min(round(step.frame.time_s), round(length)), max(round(length), 1))
            codes: set[str] = {one.code for one in step.watch.warnings}
            for one in step.watch.warnings:
                if one.code not in told:
                    warn(f"{_clock(step.frame.time_s)}  {one.text}")
            told = codes
            if step.tray is not None:
                yield step.tray


@dataclass
class _Book:
    """The files of the readings.

    Attributes:
        out: their folder.
        stem: beginning of the names.
        began: when a camera was opened; None for a video.
        counts: entries of `counts.json`: the last reading of each tray.
    """

    out: Path
    stem: str
    began: datetime | None
    counts: list[dict[str, Any]] = field(default_factory=list)
    visits: list[int] = field(default_factory=list)
    readings: int = 0

    def prepare(self) -> None:
        """Tell files that cannot be written, and begin the list of this run."""
        prepare_files(self.out / TRAYS, self.out / COUNTS, *files_of(self.out, self._name(1)))
        for name in (TRAYS, COUNTS):  # of an earlier run
            (self.out / name).unlink(missing_ok=True)

    def write(self, tray: ReadTray) -> None:
        """Write one reading, and tell it."""
        from rpc.data.files import write_json

        self.readings += 1
        name = self._name(self.readings)
        facts = {**self._times(tray), "visit": tray.visit, "again": tray.again}
        listing, picture = write_tray(self.out, name, tray.receipt, facts)
        receipt = tray.receipt
        line = {
            **facts,
            "counts": receipt.counts,
            "certainty": receipt.certainty,
            "passes": receipt.passes,
            "questions": len(receipt.questions),
            "list": listing.name,
            "picture": picture.name,
        }
        with (self.out / TRAYS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        if self.visits and self.visits[-1] == tray.visit:  # somebody changed it
            self.visits.pop()
            self.counts.pop()
        self.visits.append(tray.visit)
        self.counts.append(counts_entry(self.readings, picture.name, receipt))
        write_json(self.out / COUNTS, self.counts, indent=1)
        goods = ", ".join(f"{count} x {sku}" for sku, count in receipt.counts.items())
        asked = "" if receipt.passes else f"; {len(receipt.questions)} to look at"
        again = " again" if tray.again else ""
        say(f"{_clock(tray.read_s)}  tray {len(self.visits)}{again}: {goods}{asked}")

    def told(self) -> str:
        """All that was read, in a line."""
        items = sum(one["count"] for entry in self.counts for one in entry["counts"])
        passed = sum(entry["passes"] for entry in self.counts)
        return f"{len(self.counts)} trays in {self.readings} readings, {items} items; {passed} pass"

    def _name(self, number: int) -> str:
        return f"{self.stem}_{number:04d}"

    def _times(self, tray: ReadTray) -> dict[str, Any]:
        """When the tray came to rest and was read: in seconds, and of a camera by the clock."""
        at = None if self.began is None else self.began + timedelta(seconds=tray.read_s)
        return {
            "start_s": round(tray.start_s, 3),
            "read_s": round(tray.read_s, 3),
            "at": None if at is None else at.isoformat(timespec="milliseconds")[:-6] + "Z",
        }


def _stem(source: str) -> str:
    """Beginning of the names of a source's files."""
    from rpc.camera.frames import is_live
    from rpc.data.file_names import MOST_BYTES, PHOTO_SIGNS, FileNames

    if is_live(source):
        return f"camera_{source}" if source.isdigit() else "stream"
    names = FileNames(keep=PHOTO_SIGNS, most_bytes=MOST_BYTES - len("_0001_counted.jpg"))
    return names.give(Path(source).stem)


def _clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"
