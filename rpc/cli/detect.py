"""Find the products on photos: a model and a split (or a folder of photos) in, COCO results out."""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.device_option import add_device_option
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.runs.folder_lock import prepare_files
from rpc.runs.progress import bar
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Parse, load, detect, write."""
    args = parser().parse_args(argv)
    images = args.out.with_name(args.out.stem + "_images.json")
    prepare_files(args.out, *([] if args.photos is None else [images]))
    from rpc.checkout.loading import check_gallery, check_skus, load
    from rpc.data.entry_photo import read_entry_photo
    from rpc.data.file_group import file_group
    from rpc.data.files import DataError, write_json
    from rpc.data.missing_photos import require_photos
    from rpc.data.photo_files import find_photos
    from rpc.data.readable_photos import require_readable
    from rpc.data.store import Store
    from rpc.detection.metric import to_coco

    checkout = load(
        args.model,
        args.gallery,
        device=args.device,
        fusion=args.fusion,
        recogniser=args.recogniser,
    )
    if args.counted and checkout.rule is None:
        raise DataError(f"{args.model}: holds no counting rule; leave --counted out")
    named: list[tuple[int, Path, tuple[int, int] | None]]
    if args.photos is not None:
        photos = find_photos(args.photos, "photos of trays").photos
        require_readable(photos, "tray photos")
        named = [(number, path, None) for number, path in enumerate(photos, start=1)]
    else:
        store = Store.open(args.data)
        dataset = store.split(args.split)
        if args.gallery is None:
            check_skus(checkout, dataset.taxonomy)
        else:
            check_gallery(checkout.taxonomy, dataset.taxonomy, args.gallery)
        require_photos(store, args.split)
        named = [
            (image.id, store.image_path(args.split, image), (image.width, image.height))
            for image in dataset.images
        ]
    results = []
    with bar("detecting") as progress:
        for done, (image_id, path, size) in enumerate(named, start=1):
            rgb = read_entry_photo(path, size)
            found = checkout.counted(rgb) if args.counted else checkout.detect(rgb)
            results += to_coco(image_id, found, checkout.taxonomy)
            progress(done, len(named))
    with file_group(args.out.parent):
        write_json(args.out, results)
        if args.photos is not None:
            write_json(images, [{"id": i, "file_name": p.name} for i, p, _ in named], indent=1)
    say(args.out)
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__)
    add = made.add_argument
    add("model", type=Path, help="model.pth of a training, or what export made of it")
    source = made.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="ROOT", help="a store")
    source.add_argument("--photos", type=Path, metavar="DIR", help="a folder of photos")
    add("--split", choices=("val", "test"), default="test", help="of the store (default: test)")
    add("--out", type=Path, required=True, metavar="FILE", help="COCO results list, JSON")
    add("--gallery", type=Path, metavar="DIR", help="name products by a gallery's exemplars")
    add("--fusion", action="store_true", help="and by the model's own recogniser, as it was tuned")
    add("--recogniser", type=Path, metavar="DIR", help="name them by a system as well, see "
        "rpc-checkout fuse")  # fmt: skip
    add_device_option(made)
    add("--counted", action="store_true", help="only what the model's counting rule keeps")
    add_links_option(made)
    return made
