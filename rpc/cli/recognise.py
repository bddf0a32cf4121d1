"""Train a recognition system and measure it: OUT/result.json, best.pth, last.pth, and pictures.

A config of configs/recognition/ says which system and how; the data set's layout is told by its
files. The checkpoint is chosen on validation photos; test photos are looked at once, at the end. By
torchrun, several processes train together. See docs/recognition.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.config_options import add_config_options, parse_config_options
from rpc.cli.device_option import add_device_option
from rpc.cli.leave import say_stopped
from rpc.cli.links_option import add_links_option
from rpc.cli.number_ranges import Range
from rpc.cli.verb_parser import VerbParser

BUDGETS = ("epochs", "iterations", "cpu_minutes")


def main(argv: list[str] | None = None) -> int:
    """Parse, train (or take a checkpoint), measure, draw."""
    given = vars(parser().parse_args(argv))
    from rpc.pipelines.recognition.request import Request, changed_settings
    from rpc.pipelines.recognition.run import run_recognition
    from rpc.runs.interruption import Interruption

    budget = {name: given.pop(name) for name in BUDGETS}
    options = parse_config_options(given.pop("cfg_options"))
    settings = changed_settings(
        given["config"], given.pop("system"), budget, options, given.pop("weights")
    )
    try:
        with Interruption() as asked:
            run_recognition(Request(settings, **given), lambda: asked.requested, asked.at_once)
    except KeyboardInterrupt:
        return say_stopped()
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(
        ranges={"workers": Range(0, 4096)}, description=(__doc__ or "").partition("\n")[0]
    )
    add = made.add_argument
    add("config", type=Path, help="a file of configs/recognition/")
    add("--data", type=Path, required=True, metavar="ROOT", help="the data set")
    add("--out", type=Path, required=True, metavar="DIR", help="for results and checkpoints")
    add("--scenes", type=Path, metavar="DIR", help="composed scenes to learn from, for a store")
    add("--system", metavar="NAME", help="another system than the config's, with its defaults")
    add(
        "--weights",
        type=Path,
        metavar="FILE",
        help="the backbone starts from these: torchvision's of VGG-16 and VGG-19 (or the Caffe "
        "port), timm's of others (default: published ones that are on this machine)",
    )
    budget = made.add_mutually_exclusive_group()
    budget.add_argument("--epochs", type=float, metavar="N", help="(default: config)")
    budget.add_argument("--iterations", type=int, metavar="N", help="batches (default: config)")
    budget.add_argument("--cpu-minutes", type=float, metavar="N", help="(default: config)")
    add("--seed", type=int, default=0, help="of weights, order, augmentation (default: 0)")
    add("--workers", type=int, default=1, help="threads that read photos ahead (default: 1)")
    add("--resume", action="store_true", help="go on where a training in OUT was stopped")
    add("--checkpoint", type=Path, metavar="FILE", help="measure this model; nothing is learned")
    add_device_option(made)
    add_config_options(made, "options.width=32 training.batch_size=8")
    add_links_option(made)
    return made
