"""Cross-validation folds of a store with few labelled trays: each fold a store of its own.

In fold i the i-th part of the trays is `test`, the rest is `val`: a renderer or a counting rule
that looks at `val` has not seen what it is measured on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.folds import write_folds
from rpc.data.store import Store
from rpc.runs.folder_lock import writing_folder
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Deal the trays, write the stores."""
    args = parser().parse_args(argv)
    with writing_folder(args.out):
        store = Store.open(args.data)
        roots = write_folds(store, args.out, args.folds, args.group_by, args.split)
    for root in roots:
        sizes = {name: len(Store.open(root).split(name)) for name in ("val", "test")}
        say(f"{root}: val {sizes['val']}, test {sizes['test']}")
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("--data", type=Path, required=True, metavar="ROOT", help="a store")
    add("--out", type=Path, required=True, metavar="DIR", help="for fold0, fold1, ...")
    add("--folds", type=int, default=2, metavar="N", help="(default: %(default)s)")
    add(
        "--group-by",
        metavar="FIELD",
        help="field of the images whose equal values stay in one fold, such as 'cart'",
    )
    add("--split", choices=("val", "test"), default="val", help="dealt (default: %(default)s)")
    add_links_option(made)
    return made
