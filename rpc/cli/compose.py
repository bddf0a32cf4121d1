"""Compose checkout scenes from cut-outs: images/ and instances.json with masks and boxes.

Run it again after an interruption, or with a larger --count, and it goes on where it stopped.
"""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.levels import LEVELS, LevelRule
from rpc.runs.screen import say
from synth.compose import SceneConfig
from synth.compose.executors import EXECUTORS

DEFAULT = SceneConfig()


def main(argv: list[str] | None = None) -> int:
    """Compose the set that the command line describes."""
    args = parser().parse_args(argv)
    from rpc.pipelines.compose_scenes import ComposeRequest, compose_scenes

    config = _config(args)  # wrong options of scenes are told before wrong folders
    given = {f.name: getattr(args, f.name) for f in fields(ComposeRequest) if f.name != "config"}
    say(compose_scenes(ComposeRequest(**given, config=config)))
    return 0


def _config(args: argparse.Namespace) -> SceneConfig:
    width, height = args.size
    rules = dict(zip(LEVELS, DEFAULT.rules, strict=True))
    rules.update(args.rule or [])
    return SceneConfig(
        width=width,
        height=height,
        level_mix=args.mix,
        rules=(rules["easy"], rules["medium"], rules["hard"]),
        min_visible=args.min_visible,
        overlap=args.overlap,
        sku_scale=args.sku_scale,
        shadow=args.shadow,
        photometric=args.photometric,
    )


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=(__doc__ or "").partition("\n")[0])
    add = made.add_argument
    add("cutouts", type=Path, help="folder with cutouts.json")
    add("out", type=Path, help="folder of the set; one that is there already is completed")
    add("--count", type=int, default=1000, metavar="N", help="scenes (default: %(default)s)")
    add("--seed", type=int, default=0, help="names the set (default: %(default)s)")
    size = (DEFAULT.width, DEFAULT.height)
    add("--size", type=_size, default=size, metavar="WxH", help="pixels (default: 800x800)")
    add(
        "--mix",
        type=_mix,
        default=DEFAULT.level_mix,
        metavar="E,M,H",
        help="shares of easy, medium and hard scenes (default: equal)",
    )
    add(
        "--rule",
        type=_rule,
        action="append",
        metavar="LEVEL:SKUS:ITEMS",
        help="another rule for a level, such as easy:2-4:2-6 (default: RPC's)",
    )
    add(
        "--min-visible",
        type=float,
        default=DEFAULT.min_visible,
        metavar="F",
        help="least fraction of an item in sight (default: %(default)s)",
    )
    add(
        "--overlap",
        type=float,
        default=DEFAULT.overlap,
        metavar="F",
        help="fraction of items that may lie under others (default: %(default)s)",
    )
    add(
        "--sku-scale",
        type=_range,
        default=DEFAULT.sku_scale,
        metavar="LOW-HIGH",
        help="factor of size drawn for each SKU of a scene, where relative sizes are a guess "
        "(default: 1-1)",
    )
    add(
        "--shadow",
        type=float,
        default=DEFAULT.shadow,
        metavar="F",
        help="strength of shadows, 0 to 2 (default: %(default)s)",
    )
    add(
        "--photometric",
        type=float,
        default=DEFAULT.photometric,
        metavar="F",
        help="strength of camera variation, 0 to 2 (default: %(default)s)",
    )
    add(
        "--backgrounds",
        type=Path,
        metavar="DIR",
        help="photos of empty trays (default: plain trays)",
    )
    add(
        "--plain",
        type=float,
        default=0.3,
        metavar="F",
        help="fraction of plain trays among photos (default: %(default)s)",
    )
    add(
        "--exemplar-backgrounds",
        type=int,
        default=0,
        metavar="N",
        help="make N backgrounds from the store's exemplars, products painted over (default: 0)",
    )
    add("--store", type=Path, help="store of the SKUs' names (default: the one the cut-outs name)")
    add("--workers", type=int, metavar="N", help="processes (default: one a core)")
    add(
        "--executor",
        choices=EXECUTORS,
        default="process",
        help="who composes (default: %(default)s)",
    )
    add(
        "--preview",
        type=int,
        default=0,
        metavar="N",
        help="write only OUT/preview.png with N scenes (default: 0, the set itself)",
    )
    add("--beside", type=Path, metavar="DIR", help="real trays for the preview")
    add_links_option(made)
    return made


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height or width)


def _mix(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def _range(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    return float(low), float(high or low)


def _rule(text: str) -> tuple[str, LevelRule]:
    level, skus, items = text.split(":")
    if level not in LEVELS:
        raise ValueError(level)
    return level, LevelRule(_bounds(skus), _bounds(items))


def _bounds(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high or low)
