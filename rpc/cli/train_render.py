"""Learn to make composed scenes look like checkout photos: writes OUT/renderer.pth.

A config of configs/render/ says how; OUT/samples/ shows how far a training has come. The photos'
labels are not read. By torchrun, several processes train together.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.config_options import add_config_options, parse_config_options
from rpc.cli.device_option import add_device_option
from rpc.cli.leave import say_stopped
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Parse, train, say where the renderer is."""
    args = parser().parse_args(argv)
    from rpc.pipelines.train_renderer import RendererRequest, train_renderer

    options = parse_config_options(args.cfg_options)
    given = {name: value for name, value in vars(args).items() if name != "cfg_options"}
    try:
        say(train_renderer(RendererRequest(**given, options=options)))
    except KeyboardInterrupt:
        return say_stopped()
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=(__doc__ or "").partition("\n")[0])
    add = made.add_argument
    add("config", type=Path, help="a file of configs/render/")
    add("--scenes", type=Path, required=True, metavar="DIR", help="composed scenes")
    add("--data", type=Path, required=True, metavar="ROOT", help="the store of the photos")
    add(
        "--out", type=Path, required=True, metavar="DIR", help="for renderer, samples, resume point"
    )
    add("--target", type=Path, metavar="DIR", help="other photos (default: the store's val photos)")
    add("--allow-test", action="store_true", help="look at test photos; the result is marked T")
    budget = made.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=float, help="minutes of learning (default: config)")
    budget.add_argument("--iterations", type=int, metavar="N", help="batches (default: config)")
    add("--seed", type=int, default=0, help="of weights, crops, what is drawn (default: 0)")
    add("--resume", action="store_true", help="go on where a training in OUT was stopped")
    add_device_option(made)
    add_config_options(made, "generator.width=32 training.batch_size=4")
    add_links_option(made)
    return made
