"""The option `--follow-links`, the same for every verb that reads photos of a store or data set."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any

from rpc.data.files import FOLLOW_LINKS


class _FollowLinks(argparse.Action):
    """Set the environment variable, which worker processes inherit, and no value of the options."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(
            option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, **options
        )

    def __call__(self, *_: Any) -> None:
        os.environ[FOLLOW_LINKS] = "1"


def add_links_option(parser: argparse.ArgumentParser) -> None:
    """Add `--follow-links`; `rpc.data.files.safe_join` heeds it, in worker processes too."""
    parser.add_argument(
        "--follow-links",
        action=_FollowLinks,
        help="read photos that lie elsewhere, behind links that lead out of the data's folder "
        "(default: refuse them)",
    )
