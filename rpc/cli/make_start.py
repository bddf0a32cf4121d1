"""Make what every store's training starts from: draw packages, compose trays, train on them.

`rpc/weights/start.pth` (a detector that finds any product) and `rpc/weights/recogniser_start.pth`
(a recogniser that has learnt to tell look-alikes apart) were made by this command with its
defaults on two cores, and copied there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.device_option import add_device_option
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.shipped import shipped
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Draw, compose, train."""
    args = parser().parse_args(argv)
    from rpc.pipelines.starts import StartRequest, make_start

    say(make_start(StartRequest(**vars(args))))
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__.splitlines()[0])
    add = made.add_argument
    add("part", choices=("detector", "recogniser"), help="what is to be trained")
    add("--out", type=Path, metavar="DIR", help="(default: out/start/PART)")
    add("--products", type=int, help="packages to draw (default: 800)")
    add(
        "--scenes",
        type=int,
        help="trays to compose first (default: composed while it trains; recogniser: 4000)",
    )
    add("--updates", type=int, metavar="N", help="of training (default: 2000; recogniser: 1440)")
    add("--minutes", type=float, help="a cap on the training's time (default: none)")
    add("--seed", type=int, default=0, help="of everything (default: %(default)s)")
    add(
        "--data",
        type=Path,
        default=shipped("examples/ministore"),
        metavar="ROOT",
        help="any store: a detector's training wants one, its photos are not used (default: the "
        "embedded one)",
    )
    add_device_option(made)
    add_links_option(made)
    return made
