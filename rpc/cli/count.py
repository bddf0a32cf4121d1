"""Tray photos in: the shopping lists on the screen, annotated photos and the lists as JSON."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rpc.cli.device_option import add_device_option
from rpc.cli.verb_parser import VerbParser
from rpc.runs.folder_lock import prepare_files
from rpc.runs.progress import bar
from rpc.runs.screen import say, say_lines, warn

if TYPE_CHECKING:
    from rpc.checkout import Checkout, Receipt

COUNTS = "counts.json"


def main(argv: list[str] | None = None) -> int:
    """Read the photos, count, print, write."""
    args = parser().parse_args(argv)
    from rpc.checkout.loading import load
    from rpc.data.files import DataError, write_json
    from rpc.data.images import read_image
    from rpc.data.photo_files import find_photos
    from rpc.data.readable_photos import require_readable

    folder = args.photo.is_dir()
    photos = list(find_photos(args.photo, "photos of trays").photos) if folder else [args.photo]
    # Before the model: a wrong photo is told at once.
    if folder:
        require_readable(photos, "tray photos")
    else:
        read_image(args.photo)
    stems = _stems(photos)
    written = [path for stem in stems for path in _files(args.out, stem)]
    prepare_files(*written, *([args.out / COUNTS] if folder else []))
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
    if not folder:
        seconds, receipt = _timed(counter, args.photo)
        say_lines(f"{receipt}, {seconds:.2f} s")
        for path in _write(args.out, stems[0], receipt, seconds):
            say(path)
        return 0
    counts = []
    with bar("counting") as progress:
        for done, (photo, stem) in enumerate(zip(photos, stems, strict=True), start=1):
            seconds, receipt = _timed(counter, photo)
            _write(args.out, stem, receipt, seconds)
            counts.append(_entry(done, photo, receipt))
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


def _write(out: Path, stem: str, receipt: Receipt, seconds: float) -> list[Path]:
    """Write a tray's list and its annotated photo."""
    from rpc.data.file_group import file_group
    from rpc.data.files import write_json
    from rpc.data.images import write_image

    listing: dict[str, Any] = {**receipt.to_dict(), "seconds": seconds}
    names = _files(out, stem)
    with file_group(out):
        picture = write_image(names[1], receipt.draw())
        return [write_json(names[0], listing, indent=1), picture]


def _files(out: Path, stem: str) -> tuple[Path, Path]:
    """A tray's list and its annotated photo."""
    return out / f"{stem}_list.json", out / f"{stem}_counted.jpg"


def _entry(number: int, photo: Path, receipt: Receipt) -> dict[str, Any]:
    """A tray's entry of `counts.json`, as `rpc-checkout evaluate` reads it."""
    found = [(receipt.taxonomy.by_name(sku).id, sku, n) for sku, n in receipt.counts.items()]
    return {
        "image_id": number,
        "file_name": photo.name,
        "counts": [{"category_id": i, "name": sku, "count": n} for i, sku, n in found],
        "certainty": receipt.certainty,
        "passes": receipt.passes,
        "questions": len(receipt.questions),
    }


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
    add("photo", type=Path, help="a photo of a tray, or a folder of them")
    add("--out", type=Path, default=Path("out/demo"), metavar="DIR", help="(default: %(default)s)")
    add("--model", type=Path, help="model.pth of a training (default: ours)")
    add("--gallery", type=Path, metavar="DIR", help="name products by a gallery's exemplars")
    add("--fusion", action="store_true", help="and by the model's own recogniser, as it was tuned")
    add("--recogniser", type=Path, metavar="DIR", help="name them by a system as well, see "
        "rpc-checkout fuse")  # fmt: skip
    add("--no-words", dest="words", action="store_false", help="do not read doubtful items")
    add("--no-pictures", dest="pictures", action="store_false",
        help="do not compare doubtful items with exemplar pictures")  # fmt: skip
    add_device_option(made)
    add("--threshold", type=float, help="score from which a box counts (default: the model's)")
    return made
