"""Changes to a config on a command line: `--cfg-options a.b=1 c=x`."""

from __future__ import annotations

import argparse
import ast
from typing import Any


def add_config_options(parser: argparse.ArgumentParser, example: str) -> None:
    """The option `--cfg-options`, with an example for its help."""
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help=f"changes to the config, such as {example}",
    )


def parse_config_options(pairs: list[str]) -> dict[str, Any]:
    """`a.b=1` to `{"a.b": 1}`: numbers, lists, None, True and False by Python's rules.

    Raises:
        ValueError: a pair is not NAME=VALUE.
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise ValueError(f"--cfg-options: expected NAME=VALUE, got {pair!r:.80}")
        try:
            options[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            options[name] = text
    return options
