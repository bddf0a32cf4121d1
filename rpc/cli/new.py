"""Make a store of photos by SKU (PHOTOS/<sku>/*.jpg) or of an annotation tool's export."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.exports.placing import CHOICES, Placing, parse_rules
from rpc.data.exports.reading import LAYOUT_NAMES, ReadOptions
from rpc.data.exports.told import plan_page
from rpc.data.files import read_json
from rpc.data.import_told import told_of_import
from rpc.data.importer import REPORT
from rpc.data.store import Store
from rpc.pipelines.new_store import NewStore, new_store
from rpc.runs.folder_lock import writing_folder
from rpc.runs.progress import bar
from rpc.runs.screen import say, say_lines

SKUS_SHOWN = 20


def main(argv: list[str] | None = None) -> int:
    """Import what the command line names; print what was found."""
    given = parser()
    args = given.parse_args(argv)
    out: Path | None = args.out or args.store
    if out is None or (args.out and args.store):
        given.error("expected one new folder for the store: PHOTOS STORE, or PHOTOS --out STORE")
    options = ReadOptions(args.layout, args.class_attribute, _placing(args))
    with writing_folder(out), bar("importing photos") as progress:
        made = new_store(
            args.photos,
            out,
            args.backgrounds,
            exemplars=args.exemplars,
            options=options,
            sku_folders=args.sku_folders,
            progress=progress,
        )
    if made.plan is not None:
        _print_export(made)
        return 0
    root = made.root
    report = read_json(root / REPORT)
    _print_skus(Store.open(root), report)
    for line in told_of_import(report):
        say(line)
    say("no checkout photos: the counter's threshold will come from composed scenes")
    say("to measure the counter, add val/ and test/ with instances_{val,test}.json")
    say(f"next: rpc-checkout check {root}")
    say(f"      rpc-checkout quickstart --data {root} --out out/{root.name}")
    return 0


def _placing(args: argparse.Namespace) -> Placing:
    return Placing(parse_rules(args.split), args.keep_empty)


def _print_export(made: NewStore) -> None:
    """The page of an export that became a store, and what comes next."""
    assert made.plan is not None, "an export was read"
    added = made.added
    say_lines(plan_page(made.plan, added.skus if added is not None else ()))
    if added is not None:
        photos = _number(len(added.dataset.images), "photo")
        say(f"exemplars added: {photos} of {_number(len(added.skus), 'SKU')}")
        for line in told_of_import(added.report):
            say(line)
    say(f"next: rpc-checkout check {made.root}")
    if added is not None or made.plan.placed["exemplars"]:
        say(f"      rpc-checkout quickstart --data {made.root} --out out/{made.root.name}")


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


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument(
        "photos",
        type=Path,
        metavar="PHOTOS",
        help="a folder of photos for each SKU; or an export: COCO (Roboflow, CVAT, Label Studio, "
        "FiftyOne), YOLO, Pascal VOC, CVAT, Label Studio, labelme, VIA, CreateML",
    )
    made.add_argument(
        "store", type=Path, nargs="?", metavar="STORE", help="the store to make: a new folder"
    )
    made.add_argument("--out", type=Path, metavar="STORE", help="the same as the second argument")
    made.add_argument(
        "--backgrounds", type=Path, metavar="DIR", help="photos of the empty tray (default: none)"
    )
    made.add_argument(
        "--sku-folders",
        choices=("outer", "inner"),
        help="which are the SKUs where PHOTOS holds folders of folders of photos: PHOTOS/<outer>/"
        "<inner>/*.jpg (default: told by their names, refused where they do not say it)",
    )
    add = made.add_argument_group("exports").add_argument
    add(
        "--split",
        action="append",
        default=[],
        metavar="SPLIT=PLACE",
        help="where the photos of the export's SPLIT (train, val, test, none: those without one) "
        f"go: {', '.join(CHOICES)} (default: val and test stay; photos with one item become "
        "exemplars, others val, or labelled_trays where the export has a val)",
    )
    add(
        "--exemplars",
        type=Path,
        metavar="DIR",
        help="product photos beside an export of trays: DIR/<sku>/*.jpg with the classes' names",
    )
    add(
        "--keep-empty",
        action="store_true",
        help="photos without an item are empty trays (default: left out, as not labelled)",
    )
    add(
        "--layout",
        choices=("photos", *LAYOUT_NAMES),
        help="of the labels, where several lie in the folder (default: told by the files); photos: "
        "a folder of photos for each SKU, whatever else is there",
    )
    add(
        "--class-attribute",
        metavar="KEY",
        help="VIA's region attribute that names the product (default: the only one)",
    )
    add_links_option(made)
    return made
