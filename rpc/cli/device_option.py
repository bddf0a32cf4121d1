"""The option `--device`, the same for every verb that runs a network."""

from __future__ import annotations

import argparse


def add_device_option(parser: argparse.ArgumentParser) -> None:
    """Add `--device`; `rpc.runs.devices` says which names there are, and refuses others."""
    parser.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help="where networks run: auto (a GPU where there is one), cpu, cuda, or cuda:1 for the "
        "second GPU (default: %(default)s)",
    )
