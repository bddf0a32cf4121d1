"""Join a recognition system with a counter's own recogniser: chosen on val trays, measured on test.

Every tray is looked at once. On val, the temperature of the system's answers, its weight and the
counting rule are chosen; for the counter as it is, a rule is chosen in the same way. Then test is
read once. DIR is what --recogniser of rpc-checkout detect and rpc-checkout count takes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.device_option import add_device_option
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Look, choose, measure, write."""
    args = parser().parse_args(argv)
    from rpc.pipelines.recognition.fuse import FusionRequest, fuse_recogniser

    say(fuse_recogniser(FusionRequest(**vars(args))))
    say(args.out / "ensemble.json")
    say(args.out / "ensemble.md")
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("model", type=Path, help="model.pth of a counter with a recogniser")
    add("--recogniser", type=Path, required=True, metavar="FILE",
        help="best.pth of rpc-checkout recognise")  # fmt: skip
    add("--data", type=Path, required=True, metavar="ROOT", help="a store with val and test")
    add("--out", type=Path, required=True, metavar="DIR", help="for all that is written")
    add("--margin", type=float, default=0.04, help="around a box, share of its sides, as in "
        "training (default: %(default)s)")  # fmt: skip
    add("--turns", type=int, choices=(1, 2, 4), default=4, help="quarter turns of a box that are "
        "averaged (default: %(default)s)")  # fmt: skip
    add_device_option(made)
    add_links_option(made)
    return made
