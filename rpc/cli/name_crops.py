"""How often do exemplar photos name the products of checkout trays? By recipe, with failures."""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.device_option import add_device_option
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.store import SPLITS
from rpc.pipelines.naming.measure import DEFAULT, NamingRequest, measure_naming
from rpc.pipelines.naming.run import RECIPES
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Measure what the command line asks for; say where the figures are."""
    given = vars(parser().parse_args(argv))
    chosen = list(RECIPES) if given.pop("ablation") else given["recipes"]
    path = measure_naming(NamingRequest(**{**given, "recipes": tuple(chosen)}))
    say(path)
    say(path.with_suffix(".md"))
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="Recipes: " + "; ".join(f"{name} ({r.what})" for name, r in RECIPES.items()),
    )
    add = made.add_argument
    add("--data", type=Path, required=True, metavar="STORE", help="a store, see docs/overview.md")
    add("--out", type=Path, required=True, metavar="DIR", help="for naming.json, .md, failures.png")
    add("--exemplars", choices=SPLITS, default="train", help="the gallery (default: %(default)s)")
    add("--queries", choices=SPLITS, default="val", help="crops to be named (default: %(default)s)")
    add("--recipes", nargs="+", choices=tuple(RECIPES), default=[DEFAULT], metavar="NAME",
        help=f"(default: {DEFAULT})")  # fmt: skip
    add("--ablation", action="store_true", help="all recipes, one table")
    add("--few", type=int, metavar="N", help="at most N exemplars a SKU (default: all)")
    add("--words", action="store_true", help="and by the words on them; needs the extra 'words'")
    add("--pictures", action="store_true", help="and by exemplars laid on them")
    add("--projection", type=Path, metavar="FILE", help="of make_descriptor.py (default: built in)")
    add("--seed", type=int, default=0, help="of --few and of the intervals (default: %(default)s)")
    add_device_option(made)
    add_links_option(made)
    return made
