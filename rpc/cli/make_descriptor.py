"""Learn the gallery descriptor's projection from invented packages; no photo of a store is used.

`rpc/weights/product_descriptor.pth` was made by this command with its defaults, and copied there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.device_option import add_device_option
from rpc.cli.verb_parser import VerbParser
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Draw, measure, fit, write."""
    args = parser().parse_args(argv)
    from rpc.pipelines.descriptor import DescriptorRequest, make_descriptor

    say(make_descriptor(DescriptorRequest(**vars(args))))
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(
        description=(__doc__ or "").partition("\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = made.add_argument
    add("--out", type=Path, default=Path("out/product_descriptor.pth"), metavar="FILE", help="file")
    add("--products", type=int, default=400, help="packages to draw, in families of two")
    add("--views", type=int, default=6, help="looks at each, on invented trays")
    add("--dimension", type=int, default=256, help="of the descriptor")
    add("--ridge", type=float, default=0.3, help="share of a sphere in the covariance")
    add("--seed", type=int, default=11, help="of everything")
    add_device_option(made)
    return made
