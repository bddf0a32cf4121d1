"""Make a store of a plain folder of photos: PHOTOS/<sku>/*.jpg, one product a photo."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from rpc.cli.verb_parser import VerbParser
from rpc.data.files import read_json
from rpc.data.importer import REPORT, import_folder
from rpc.data.store import Store
from rpc.runs.folder_lock import writing_folder
from rpc.runs.progress import bar
from rpc.runs.screen import say

SHOWN = 10
SKUS_SHOWN = 20


def main(argv: list[str] | None = None) -> int:
    """Import the folder that the command line names; print what was found."""
    given = parser()
    args = given.parse_args(argv)
    out: Path | None = args.out or args.store
    if out is None or (args.out and args.store):
        given.error("expected one new folder for the store: PHOTOS STORE, or PHOTOS --out STORE")
    with writing_folder(out), bar("importing photos") as progress:
        root = import_folder(args.photos, out, args.backgrounds, progress=progress)
    report = read_json(root / REPORT)
    _print_skus(Store.open(root), report)
    _print_files("skipped", [f"{entry['file']}: {entry['why']}" for entry in report["skipped"]])
    _print_files("product not found for sure, whole photo taken", report["box_not_sure"])
    say("no checkout photos: the counter's threshold will come from composed scenes")
    say("to measure the counter, add val/ and test/ with instances_{val,test}.json")
    say(f"next: rpc-checkout check {root}")
    say(f"      rpc-checkout quickstart --data {root} --out out/{root.name}")
    return 0


def _print_skus(store: Store, report: dict[str, int]) -> None:
    """The number of SKUs and photos, and a line for each of the first SKUs."""
    photos = Counter(item.category_id for item in store.split("train").annotations)
    skus = store.taxonomy.categories
    say(
        f"{store.root}: {_number(len(skus), 'SKU')}, {_number(report['exemplars'], 'exemplar')}, "
        f"{_number(report['backgrounds'], 'background')}"
    )
    for sku in skus[:SKUS_SHOWN]:
        say(f"  {sku.name}: {_number(photos[sku.id], 'photo')}")
    if len(skus) > SKUS_SHOWN:
        say(f"  and {len(skus) - SKUS_SHOWN} more")


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _print_files(what: str, lines: list[str]) -> None:
    if lines:
        say(f"{len(lines)} {what}:")
        for line in lines[:SHOWN]:
            say(f"  - {line}")
    if len(lines) > SHOWN:
        say(f"  ... and {len(lines) - SHOWN} more, see {REPORT}")


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument("photos", type=Path, metavar="PHOTOS", help="a folder of photos for each SKU")
    made.add_argument(
        "store", type=Path, nargs="?", metavar="STORE", help="the store to make: a new folder"
    )
    made.add_argument("--out", type=Path, metavar="STORE", help="the same as the second argument")
    made.add_argument(
        "--backgrounds", type=Path, metavar="DIR", help="photos of the empty tray (default: none)"
    )
    return made
