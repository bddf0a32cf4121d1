"""A gallery of products: add, remove or rename a SKU in seconds, and find what a photo shows."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rpc.cli.device_option import add_device_option
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.shipped import shipped
from rpc.runs.screen import say

if TYPE_CHECKING:
    from rpc.retrieval.gallery.gallery_state import GalleryState, Sku

KNOWN_SHOWN = 5
WORDS_SHOWN = 12


def main(argv: list[str] | None = None) -> int:
    """Do what is asked; say what was done and how long it took."""
    args = parser().parse_args(argv)
    began = time.perf_counter()
    result = args.do(args)
    result["seconds"] = round(time.perf_counter() - began, 3)
    if args.json:
        say(json.dumps(result, ensure_ascii=False))
    else:
        for line in result.pop("lines"):
            say(line)
        say(f"{result['seconds']:.2f} s")
    return 0


def add(args: argparse.Namespace) -> dict[str, Any]:
    """Describe photos and put them in."""
    from rpc.pipelines.gallery.adding import AddRequest, add_to_gallery

    request = AddRequest(
        gallery=args.gallery,
        sku=args.sku,
        photos=tuple(args.photos),
        title=args.title,
        box=_box(args),
        whole=args.whole,
        data=args.data,
        skus=None if args.skus is None else tuple(args.skus),
        most=args.most,
        recipe=args.recipe,
        device=args.device,
        words=args.words,
    )
    added = add_to_gallery(request)
    what = f"SKU {added.skus[0]}" if len(added.skus) == 1 else f"{len(added.skus)} SKUs"
    told = _told(added.state, f"added {what}: {added.photos} photos")
    if added.known:
        names = ", ".join(added.known[:KNOWN_SHOWN]) + ", ..." * (len(added.known) > KNOWN_SHOWN)
        told["lines"].insert(1, f"{len(added.known)} photos were there already, left out: {names}")
    if added.note:
        told["lines"].append(added.note)
    return told


def remove(args: argparse.Namespace) -> dict[str, Any]:
    """Take SKUs out."""
    from rpc.retrieval.gallery.gallery_edit import remove_skus

    return _told(remove_skus(args.gallery, args.skus), f"removed {', '.join(args.skus)}")


def rename(args: argparse.Namespace) -> dict[str, Any]:
    """Another name for a SKU."""
    from rpc.retrieval.gallery.gallery_edit import rename_sku

    state = rename_sku(args.gallery, args.old, args.new, args.title)
    return _told(state, f"{args.old} is now {args.new}")


def index(args: argparse.Namespace) -> dict[str, Any]:
    """Build a search index and keep it."""
    from rpc.retrieval.gallery.gallery_edit import store_index

    return _told(store_index(args.gallery, args.kind), f"search is now {args.kind}")


def info(args: argparse.Namespace) -> dict[str, Any]:
    """The contents of a gallery."""
    from rpc.retrieval.gallery.gallery_files import read_state, reading
    from rpc.retrieval.gallery.gallery_state import surest_words

    with reading(args.gallery):
        state = read_state(args.gallery)
    lines = [line for sku in state.skus for line in _sku_lines(sku)]
    result = _told(state)
    result["lines"] += [
        f"recipe: {json.dumps(dict(state.recipe), ensure_ascii=False)}",
        *_setting_lines(state.settings),
        *lines,
    ]
    result["recipe"], result["settings"] = dict(state.recipe), dict(state.settings)
    result["photos"] = {sku.name: [photo.source for photo in sku.photos] for sku in state.skus}
    result["words"] = {sku.name: list(surest_words(sku)) for sku in state.skus}
    result["codes"] = {
        sku.name: sorted({code for one in sku.words for code in one.codes}) for sku in state.skus
    }
    return result


def _sku_lines(sku: Sku) -> list[str]:
    """Name and photos of a SKU, and the words on them, the surest first."""
    from rpc.retrieval.gallery.gallery_state import surest_words

    lines = [f"{sku.name}{f'  ({sku.title})' if sku.title else ''}: {len(sku.photos)} photos"]
    if sku.words:
        told = surest_words(sku)
        more = ", ..." * (len(told) > WORDS_SHOWN)
        text = ", ".join(told[:WORDS_SHOWN]) + more if told else "none legible"
        lines.append(f"  words on {len(sku.words)} of them: {text}")
    codes = sorted({code for one in sku.words for code in one.codes})
    return lines + ([f"  barcodes: {', '.join(codes)}"] if codes else [])


def search(args: argparse.Namespace) -> dict[str, Any]:
    """The SKUs most like what a photo shows."""
    from rpc.pipelines.gallery.search import SearchRequest, search_gallery

    found = search_gallery(
        SearchRequest(
            gallery=args.gallery,
            photo=args.photo,
            box=_box(args),
            whole=args.whole,
            count=args.count,
            rerank=args.rerank,
            out=args.out,
            device=args.device,
        )
    )
    hits, searched = found.hits, found.milliseconds
    lines = [f"{hit.score:.4f}  {hit.sku.name}  (like {hit.photo.source})" for hit in hits]
    if found.accepted is False:
        lines.insert(0, "not in the gallery: its best score is below the threshold; most alike:")
    return {
        "hits": [
            {"name": h.sku.name, "score": round(h.score, 6), "photo": h.photo.source} for h in hits
        ],
        "accepted": found.accepted,
        "search_ms": round(searched, 3),
        "picture": str(found.picture),
        "lines": [*lines, f"{found.picture}", f"search {searched:.1f} ms"],
    }


def tune(args: argparse.Namespace) -> dict[str, Any]:
    """Choose open-set rule, fusion, counting rule and doubt on labelled validation trays."""
    from rpc.pipelines.gallery.tuning import TuneRequest, tune_gallery

    request = TuneRequest(
        args.gallery,
        args.data,
        args.model,
        args.split,
        args.device,
        words=args.words,
        pictures=args.pictures,
    )
    state = tune_gallery(request)
    result = _told(state)
    result["lines"] += _setting_lines(state.settings)
    result["settings"] = dict(state.settings)
    return result


def _setting_lines(settings: Mapping[str, Any]) -> list[str]:
    """Each setting in a line; long lists of numbers are left to --json."""
    return [
        f"{name}: {json.dumps(_shown(name, value))}" for name, value in sorted(settings.items())
    ]


def _shown(name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    left_out = ("mean", "axes", "kept") if name in ("camera", "scatter") else ()
    return {field: _shown(field, told) for field, told in value.items() if field not in left_out}


def _box(args: argparse.Namespace) -> tuple[float, float, float, float] | None:
    if args.box is None:
        return None
    from rpc.data.files import DataError

    x1, y1, x2, y2 = args.box
    if not (x1 < x2 and y1 < y2):
        raise DataError(f"--box: expected x1 < x2 and y1 < y2, got {args.box}")
    return x1, y1, x2, y2


def _told(state: GalleryState, line: str = "") -> dict[str, Any]:
    photos = sum(len(sku.photos) for sku in state.skus)
    size = (
        f"{len(state.skus)} SKUs, {photos} photos, {state.count} descriptors of {state.dimension}"
    )
    return {
        "skus": len(state.skus),
        "descriptors": state.count,
        "dimension": state.dimension,
        "generation": state.generation,
        "lines": [*([line] if line else []), f"gallery: {size}, change {state.generation}"],
    }


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__)
    verbs = made.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, do: Any, help_: str) -> Any:
        one = verbs.add_parser(name, help=help_, description=(do.__doc__ or "").splitlines()[0])
        one.add_argument("gallery", type=Path, metavar="GALLERY", help="folder of the gallery")
        one.add_argument("--json", action="store_true", help="print the result as JSON")
        one.set_defaults(do=do)
        if do in (add, search, tune):  # these run networks
            add_device_option(one)
        if do in (add, tune):  # these read stores
            add_links_option(one)
        return one.add_argument

    def crop(option: Any) -> None:
        option(
            "--box",
            type=float,
            nargs=4,
            metavar=("X1", "Y1", "X2", "Y2"),
            help="of the product, in pixels (default: it is looked for)",
        )
        option("--whole", action="store_true", help="the photo shows nothing but the product")

    option = verb("add", add, "put a SKU's photos in, or a store's exemplars")
    option("sku", nargs="?", metavar="SKU", help="name of the SKU")
    option("photos", nargs="*", type=Path, metavar="PHOTO", help="photos of it, or a folder")
    option("--title", help="its name for people (default: the SKU)")
    crop(option)
    option("--data", type=Path, metavar="STORE", help="take the exemplars of a store instead")
    option("--skus", nargs="+", metavar="SKU", help="of the store (default: all)")
    option("--most", type=int, default=24, metavar="N", help="exemplars of a SKU (default: 24)")
    option("--recipe", metavar="NAME", help="of a new gallery's descriptors (default: the best)")
    option(
        "--no-words", dest="words", action="store_false", help="do not read what is on the packs"
    )
    option = verb("remove", remove, "take SKUs out")
    option("skus", nargs="+", metavar="SKU", help="names of the SKUs")
    option = verb("rename", rename, "give a SKU another name")
    option("old", metavar="OLD", help="its name now")
    option("new", metavar="NEW", help="its name from now on")
    option("--title", help="and this name for people (default: as it is)")
    option = verb("search", search, "what does a photo show?")
    option("photo", type=Path, metavar="PHOTO", help="a photo of one product")
    crop(option)
    option("--count", type=int, default=5, metavar="N", help="SKUs to show (default: 5)")
    option(
        "--rerank",
        choices=("none", "expansion", "reciprocal", "verify"),
        default="none",
        help="second look: query expansion, k-reciprocal neighbours, local features "
        "(default: none)",
    )
    option(
        "--out",
        type=Path,
        default=Path("out/gallery"),
        metavar="DIR",
        help="for the picture (default: %(default)s)",
    )
    verb("info", info, "what a gallery holds")
    option = verb("index", index, "build a search index for very many SKUs")
    option("--kind", choices=("exact", "hnsw", "ivf"), required=True, help="exact removes it")
    option = verb("tune", tune, "choose thresholds and fusion on labelled validation trays")
    option("--data", type=Path, required=True, metavar="STORE", help="a store with val trays")
    option("--split", choices=("val",), default="val", help="never test (default: val)")
    option("--model", type=Path, default=MODEL, help="finds the items (default: ours)")
    option(
        "--no-words",
        dest="words",
        action="store_false",
        help="do not read items whose name is in doubt",
    )
    option(
        "--no-pictures",
        dest="pictures",
        action="store_false",
        help="do not compare items whose name is in doubt with the gallery's pictures",
    )
    return made


MODEL = shipped("rpc/weights/ministore.pth")
