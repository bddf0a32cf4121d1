"""Say in one page what a data set holds, what is missing and what is damaged.

Exit code: 0 usable, 1 problems that training would trip over, 2 the folder itself is wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.verb_parser import VerbParser
from rpc.data.check import check_store
from rpc.data.check_page import check_page
from rpc.data.files import write_json
from rpc.runs.folder_lock import prepare_files
from rpc.runs.progress import bar
from rpc.runs.screen import say_lines

EXIT_CODES = "Exit code: 0 usable, 1 problems that training would trip over, 2 wrong folder."


def main(argv: list[str] | None = None) -> int:
    """Check the store that the command line names."""
    args = parser().parse_args(argv)
    if args.json is not None:
        prepare_files(args.json)
    with bar("looking at photos") as progress:
        check = check_store(args.root, decode=not args.fast, progress=progress)
    if args.json is not None:
        write_json(args.json, check.to_dict(), indent=1)
    say_lines(check_page(check))
    return 0 if check.usable else 1


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=(__doc__ or "").partition("\n")[0], epilog=EXIT_CODES)
    made.add_argument("root", type=Path, help="the store: exemplars/, instances_train.json, ...")
    made.add_argument("--json", type=Path, metavar="FILE", help="write all findings there too")
    made.add_argument(
        "--fast", action="store_true", help="read only headers: truncated photos are not noticed"
    )
    return made
