"""Say how like real checkout photos sets of scenes are: distances, plain figures, pictures.

Writes quality.json, quality.md, quality.svg and quality.jpg. The photos of the val split are looked
at unlabelled unless --labels is given. The same command gives the same figures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.device_option import add_device_option
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.files import DataError
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Compare the sets that the command line names with the store's photos."""
    given = vars(parser().parse_args(argv))
    from rpc.pipelines.quality.measure import QualityRequest, measure_quality

    given["scenes"] = _named(given["scenes"])
    say(measure_quality(QualityRequest(**given)))
    return 0


def _named(words: list[str]) -> dict[str, Path]:
    """The sets by name.

    Raises:
        DataError: a word is not NAME=DIR, or a name is there twice.
    """
    named: dict[str, Path] = {}
    for word in words:
        name, equals, folder = word.partition("=")
        if not (name and equals and folder):
            raise DataError(f"--scenes {word}: expected NAME=DIR, such as syn=out/syn")
        if name in named:
            raise DataError(f"--scenes {word}: the name {name} is taken; choose another")
        named[name] = Path(folder)
    return named


def _photos(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text}")
    return count


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=(__doc__ or "").partition("\n")[0])
    add = made.add_argument
    add("--data", type=Path, required=True, metavar="ROOT", help="the store with the real photos")
    add(
        "--split",
        choices=("val", "test"),
        default="val",
        help="whose photos are real (default: %(default)s)",
    )
    add(
        "--scenes",
        nargs="+",
        required=True,
        metavar="NAME=DIR",
        help="sets to compare: folders of scenes (instances.json, images/) or of photos",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the report")
    add(
        "--photos",
        type=_photos,
        default=200,
        metavar="N",
        help="photos of each set at most, drawn at random (default: %(default)s)",
    )
    add("--seed", type=int, default=0, help="photos, patches and draws (default: %(default)s)")
    add(
        "--labels",
        action="store_true",
        help="read the real photos' labels too: item count, size, visible fraction",
    )
    add("--allow-test", action="store_true", help="take test photos; the report is marked T")
    add_device_option(made)
    add_links_option(made)
    return made
