"""Fine-grained retrieval on photos by class: the founding tutorial's table, and more beside it.

The training photos are the gallery, the test photos the queries; no label is used but to score.
Writes retrieval.json, retrieval.md and two sheets to look at. Stopped, the same command goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rpc.data.class_sets.class_folders import ClassPhotos
    from rpc.features.backbones.feature_maps import FeatureMaps
    from rpc.pipelines.retrieval.run import Scored, Settings

DEFAULT_BACKBONE: Final = "efficientnet_lite0"
DEFAULT_SIDE: Final = 700
MASKS: Final = 24
ANSWERS: Final = 10


def main(argv: list[str] | None = None) -> int:
    """Evaluate what the command line asks for; print the table."""
    args = _parser().parse_args(argv)
    from rpc.data.class_sets.class_folders import read_class_photos
    from rpc.data.files import DataError, write_bytes, write_json
    from rpc.features.backbones.feature_maps import FeatureMaps
    from rpc.pipelines.retrieval.page import retrieval_text
    from rpc.pipelines.retrieval.run import ALL_METHODS, Settings, evaluate, require_methods

    for name, value, least in (
        ("--limit", args.limit, 0),
        ("--whiten", args.whiten, 0),
        ("--clusters", args.clusters, 1),
        ("--short-side", args.short_side, 64),
    ):
        if value < least:
            raise DataError(f"{name} {value}: expected {least} or more")
    methods = require_methods(args.methods or ALL_METHODS)
    settings = Settings(methods, args.clusters, args.whiten, args.seed)
    data = read_class_photos(args.data)
    if args.limit:
        data = data.limited(args.limit)
    maps = FeatureMaps(
        args.backbone,
        tuple(_layer(word) for word in args.layers),
        weights=args.weights,
        short_side=args.short_side,
        device=args.device,
    )
    scored, seconds = evaluate(data, maps, settings, args.out)
    report = _report(data, maps, settings, scored, seconds, args.limit)
    write_json(args.out / "retrieval.json", report, indent=1)
    text = retrieval_text(report)
    write_bytes(args.out / "retrieval.md", text.encode())
    _draw(data, maps, scored, args.out)
    print(text)
    print(f"{args.out / 'retrieval.md'}; retrieval.json, masks.jpg, answers.jpg beside it")
    return 0


def _report(
    data: ClassPhotos,
    maps: FeatureMaps,
    settings: Settings,
    scored: dict[str, Scored],
    seconds: dict[str, float],
    limit: int,
) -> dict[str, Any]:
    from rpc.pipelines.retrieval.page import PORT, TUTORIAL
    from rpc.reporting.manifest import manifest

    photos = len(data.gallery) + len(data.queries)
    return {
        "methods": {name: one.figures for name, one in scored.items()},
        "data": {
            "name": data.name,
            "classes": len(data.classes),
            "gallery": len(data.gallery),
            "queries": len(data.queries),
            "limited": limit,
        },
        "photos": photos,
        "backbone": maps.identity,
        "backbone_seconds": seconds.get("backbone", 0.0) / photos,
        "settings": vars(settings),
        "published": {
            "tutorial, VGG-16, per cent [top1, top5]": TUTORIAL.get(data.name, {}),
            "PyTorch port, VGG-16 of torchvision, per cent top1": PORT.get(data.name, {}),
        },
        "manifest": manifest(
            threshold=None,
            chosen_on="nothing is chosen",
            split="train as gallery, test as queries",
            seeds={"fits": settings.seed},
            durations=seconds,
        ),
    }


def _draw(data: ClassPhotos, maps: FeatureMaps, scored: dict[str, Scored], out: Path) -> None:
    from rpc.data.evenly_spaced import evenly_spaced
    from rpc.data.images import write_image
    from rpc.pipelines.retrieval.sheets import answer_sheet, mask_sheet
    from rpc.reporting.pictures.lettering import Lettering

    lettering = Lettering()
    rows = evenly_spaced(len(data.queries), MASKS)
    write_image(out / "masks.jpg", mask_sheet(data, maps, rows, lettering), quality=90)
    shown = next((name for name in ("SCDA", "SCDA_flip+") if name in scored), next(iter(scored)))
    rows = evenly_spaced(len(data.queries), ANSWERS)
    sheet = answer_sheet(data, scored[shown].nearest, rows, lettering)
    write_image(out / "answers.jpg", sheet, quality=90)


def _layer(word: str) -> str | int:
    return int(word) if word.lstrip("-").isdecimal() else word


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="ROOT is CUB-200-2011 or Stanford Dogs as published, or holds train/ and test/ with "
        "one folder of photos a class. See docs/retrieval.md.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, metavar="ROOT", help="the data set")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    parser.add_argument(
        "--backbone",
        default=DEFAULT_BACKBONE,
        metavar="NAME",
        help="efficientnet_lite0..2, vgg16, vgg19, or a name of timm",
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights of the backbone")
    parser.add_argument(
        "--layers",
        nargs=2,
        default=["last", "finer"],
        metavar=("LAST", "FINER"),
        help="what pool5 and relu5_2 are for VGG: names, or numbers of stages",
    )
    parser.add_argument(
        "--methods", nargs="+", metavar="NAME", help="only these methods (default: all)"
    )
    parser.add_argument(
        "--short-side",
        type=int,
        default=DEFAULT_SIDE,
        metavar="PX",
        help="photos whose shorter side is longer are shrunk to it",
    )
    parser.add_argument(
        "--limit", type=int, default=0, metavar="N", help="photos of each class, 0 for all"
    )
    parser.add_argument(
        "--clusters", type=int, default=2, metavar="K", help="of VLAD, and Gaussians of FV"
    )
    parser.add_argument(
        "--whiten", type=int, default=512, metavar="D", help="dimensions of whitened SCDA, 0: none"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of everything fitted")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="as torch calls it")
    return parser
