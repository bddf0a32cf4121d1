"""Tray photos or a video in: shopping lists on the screen, annotated photos, the lists as JSON.

Of a video, a camera or a stream, each tray is counted when it lies still and no hand is in the
picture; the lists then have times.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rpc.cli.counted_files import COUNTS, counts_entry, files_of, write_tray
from rpc.cli.device_option import add_device_option
from rpc.cli.verb_parser import VerbParser
from rpc.runs.folder_lock import prepare_files
from rpc.runs.progress import bar
from rpc.runs.screen import say, say_lines, warn

if TYPE_CHECKING:
    from rpc.checkout import Checkout, Receipt


def main(argv: list[str] | None = None) -> int:
    """Read the photos or the video, count, print, write."""
    args = parser().parse_args(argv)
    from rpc.data.files import DataError

    if _moves(args.source):
        from rpc.cli.count_video import count_video

        return count_video(args.source, args.out, args.region, lambda: _counter(args))
    if args.region is not None:
        raise DataError("--region: expected a video, a camera or a stream, not photos")
    return _count_photos(Path(args.source), args)


def _moves(source: str) -> bool:
    """Whether a source is a camera, a stream or a video, and no photo or folder."""
    from rpc.camera.frames import is_live
    from rpc.data.file_content import VIDEO, content_of

    if is_live(source):
        return True
    return Path(source).is_file() and content_of(Path(source)).kind == VIDEO.kind


def _counter(args: argparse.Namespace) -> Checkout:
    """The counter that the options ask for; what it does without is told."""
    from rpc.checkout.loading import load
    from rpc.data.files import DataError

    counter = load(
        args.model,
        args.gallery,
        device=args.device,
        fusion=args.fusion,
        recogniser=args.recogniser,
        threshold=args.threshold,
        words=args.words,
        pictures=args.pictures,
    )
    for note in counter.notes:
        warn(note)
    if counter.rule is None:
        raise DataError(f"{counter.name}: holds no counting rule; give --threshold")
    return counter


def _count_photos(source: Path, args: argparse.Namespace) -> int:
    from rpc.data.files import write_json
    from rpc.data.images import read_image
    from rpc.data.photo_files import find_photos
    from rpc.data.readable_photos import require_readable

    folder = source.is_dir()
    photos = list(find_photos(source, "photos of trays").photos) if folder else [source]
    # Before the model: a wrong photo is told at once.
    if folder:
        require_readable(photos, "tray photos")
    else:
        read_image(source)
    stems = _stems(photos)
    written = [path for stem in stems for path in files_of(args.out, stem)]
    prepare_files(*written, *([args.out / COUNTS] if folder else []))
    counter = _counter(args)
    if not folder:
        seconds, receipt = _timed(counter, source)
        say_lines(f"{receipt}, {seconds:.2f} s")
        for path in write_tray(args.out, stems[0], receipt, {"seconds": seconds}):
            say(path)
        return 0
    counts = []
    with bar("counting") as progress:
        for done, (photo, stem) in enumerate(zip(photos, stems, strict=True), start=1):
            seconds, receipt = _timed(counter, photo)
            write_tray(args.out, stem, receipt, {"seconds": seconds})
            counts.append(counts_entry(done, photo.name, receipt))
            progress(done, len(photos))
    items = sum(one["count"] for entry in counts for one in entry["counts"])
    passed = sum(entry["passes"] for entry in counts)
    asked = sum(entry["questions"] for entry in counts)
    say(f"{len(photos)} trays, {items} items; {passed} trays pass, {asked} questions on the others")
    say(write_json(args.out / COUNTS, counts, indent=1))
    return 0


def _timed(counter: Checkout, photo: Path) -> tuple[float, Receipt]:
    began = time.perf_counter()
    receipt = counter(photo)
    return time.perf_counter() - began, receipt


def _stems(photos: list[Path]) -> list[str]:
    """Names for a folder's results: of `a.jpg` and `a.png`, the whole names."""
    from rpc.data.file_names import MOST_BYTES, PHOTO_SIGNS, FileNames

    names = FileNames(keep=PHOTO_SIGNS, most_bytes=MOST_BYTES - len("_counted.jpg"))
    stems = Counter(photo.stem for photo in photos)
    return [names.give(photo.name if stems[photo.stem] > 1 else photo.stem) for photo in photos]


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__)
    add = made.add_argument
    add("source", metavar="photo", help="a photo of a tray or a folder of them; or a video, the "
        "number of a camera, or the address of a stream (rtsp, http)")  # fmt: skip
    add("--out", type=Path, default=Path("out/demo"), metavar="DIR", help="(default: %(default)s)")
    add(
        "--model",
        type=Path,
        help="model.pth, or what export made of it (default: ours)",
    )
    add("--gallery", type=Path, metavar="DIR", help="name products by a gallery's exemplars")
    add("--fusion", action="store_true", help="and by the model's own recogniser, as it was tuned")
    add("--recogniser", type=Path, metavar="DIR", help="name them by a system as well, see "
        "rpc-checkout fuse")  # fmt: skip
    add("--no-words", dest="words", action="store_false", help="do not read doubtful items")
    add("--no-pictures", dest="pictures", action="store_false",
        help="do not compare doubtful items with exemplar pictures")  # fmt: skip
    add("--region", nargs=4, type=float, metavar=("X1", "Y1", "X2", "Y2"), help="the tray's part "
        "of a video, as fractions of its width and height (default: all of it)")  # fmt: skip
    add_device_option(made)
    add("--threshold", type=float, help="score from which a box counts (default: the model's)")
    return made
