"""All recognition systems on data sets, the same budget, several seeds: one table.

The budget is processor time, or batches: on a GPU, where a processor's time says little.
Each cell is a run of rpc-checkout recognise in OUT/<data>/<system>/seed<n>; a cell that is done
is not run again, so the command can be stopped and repeated. With --jobs, cells run side by side.
A system that wants what a data set has not (key points) is named, with the reason, and not run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.device_option import add_device_option
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.files import DataError
from rpc.recognition.systems.registry import system_names
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Run what is missing, then say where the table is."""
    given = vars(parser().parse_args(argv))
    from rpc.pipelines.recognition.table import RecognitionTableRequest, make_recognition_table

    for option in ("data", "scenes"):
        given[option] = _pairs(given[option], f"--{option}")
    request = RecognitionTableRequest(**{**given, "systems": tuple(given["systems"])})
    path = make_recognition_table(request)
    say(path)
    say(path.with_suffix(".md"))
    return 0


def _pairs(texts: list[str], option: str) -> dict[str, Path]:
    found = dict(_pair(text, option) for text in texts)
    if len(found) < len(texts):
        raise DataError(f"{option}: a name is there twice; call each data set otherwise")
    return found


def _pair(text: str, option: str) -> tuple[str, Path]:
    name, found, path = text.partition("=")
    if not found or not name.replace("_", "").isalnum():
        raise DataError(f"{option} {text:.80}: expected NAME=FOLDER, such as grocery=photos")
    return name, Path(path)


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("--data", nargs="+", required=True, metavar="NAME=ROOT", help="data sets")
    add("--scenes", nargs="+", default=[], metavar="NAME=DIR", help="composed scenes of a store")
    add("--out", type=Path, required=True, metavar="DIR", help="for all runs and the table")
    add("--systems", nargs="+", default=list(system_names()), metavar="NAME", help="(default: all)")
    add("--seeds", type=int, default=3, metavar="N", help="(default: %(default)s)")
    add("--jobs", type=int, default=1, metavar="N", help="cells side by side (default: 1)")
    budget = made.add_mutually_exclusive_group()
    budget.add_argument(
        "--cpu-minutes", type=float, default=3.0, metavar="N", help="of each (default: 3)"
    )
    budget.add_argument("--iterations", type=int, metavar="N", help="batches of each, instead")
    add_device_option(made)
    add_links_option(made)
    return made
