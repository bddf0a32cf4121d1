"""Say in one page what a data set holds, what is missing and what is damaged.

Exit code: 0 usable, 1 problems that training would trip over, 2 the folder itself is wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.check import check_store
from rpc.data.check_page import check_page
from rpc.data.exports.found import ExportFiles, look_at, told_unread
from rpc.data.exports.reading import plan_store
from rpc.data.exports.told import plan_page
from rpc.data.exports.write import report
from rpc.data.files import write_json
from rpc.data.store import SPLITS, Store
from rpc.runs.folder_lock import prepare_files
from rpc.runs.progress import bar
from rpc.runs.screen import say, say_lines

EXIT_CODES = "Exit code: 0 usable, 1 problems that training would trip over, 2 wrong folder."


def main(argv: list[str] | None = None) -> int:
    """Check the store, or the export of an annotation tool, that the command line names."""
    args = parser().parse_args(argv)
    if args.json is not None:
        prepare_files(args.json)
    files = _no_store(args.root)
    if files is not None and files.layouts:
        return _check_export(files, args)
    with bar("looking at photos") as progress:
        check = check_store(args.root, decode=not args.fast, progress=progress)
    if args.json is not None:
        write_json(args.json, check.to_dict(), indent=1)
    say_lines(check_page(check))
    if files is not None:
        photos = f"{len(files.index.photos)} photos" if files.index.photos else "no photo"
        say(f"found instead: {photos}, {told_unread(files) or 'no label file'}")
    return 0 if check.usable else 1


def _no_store(root: Path) -> ExportFiles | None:
    """The label files of a folder that is no store; None where it is one.

    A store's JSON without a folder of its photos may be an export whose file is called so.
    """
    store = Store(root)
    splits = [split for split in SPLITS if store.has_split(split)]
    if not root.exists() or any(store.image_dir(split).is_dir() for split in splits):
        return None
    files = look_at(root)
    return None if splits and not files.index.photos else files


def _check_export(files: ExportFiles, args: argparse.Namespace) -> int:
    """Say what the export holds and how it becomes a store."""
    with bar("looking at photos") as progress:
        plan = plan_store(files, decode=not args.fast, progress=progress)
    if args.json is not None:
        write_json(args.json, report(plan) | {"usable": False}, indent=1)
    say_lines(plan_page(plan))
    say("NOT a store yet; it becomes one, as said above, by:")
    say(f"  rpc-checkout new {args.root} --out STORE")
    return 1


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=(__doc__ or "").partition("\n")[0], epilog=EXIT_CODES)
    made.add_argument(
        "root",
        type=Path,
        help="the store: exemplars/, instances_train.json, ...; or an annotation tool's export",
    )
    made.add_argument("--json", type=Path, metavar="FILE", help="write all findings there too")
    made.add_argument(
        "--fast", action="store_true", help="read only headers: truncated photos are not noticed"
    )
    add_links_option(made)
    return made
