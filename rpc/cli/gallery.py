"""A gallery of products: add, remove or rename a SKU in seconds, and find what a photo shows."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rpc.cli.device_option import add_device_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.shipped import shipped

if TYPE_CHECKING:
    from rpc.retrieval.gallery.gallery import DescribesPictures
    from rpc.retrieval.gallery.gallery_edit import NewSku
    from rpc.retrieval.gallery.gallery_state import GalleryState


def main(argv: list[str] | None = None) -> int:
    """Do what is asked; say what was done and how long it took."""
    args = parser().parse_args(argv)
    began = time.perf_counter()
    result = args.do(args)
    result["seconds"] = round(time.perf_counter() - began, 3)
    if args.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        for line in result.pop("lines"):
            print(line)
        print(f"{result['seconds']:.2f} s")
    return 0


def add(args: argparse.Namespace) -> dict[str, Any]:
    """Describe photos and put them in."""
    from rpc.retrieval.gallery.gallery_edit import add_skus, create_gallery

    describe = _describer(args)
    skus = _of_store(args, describe) if args.data is not None else [_of_photos(args, describe)]
    recipe = dict(describe.recipe)
    create_gallery(args.gallery, recipe, skus[0].photos[0].embeddings.shape[1])
    state = add_skus(args.gallery, recipe, skus)
    photos = sum(len(sku.photos) for sku in skus)
    what = f"SKU {skus[0].name}" if len(skus) == 1 else f"{len(skus)} SKUs"
    return _told(state, f"added {what}: {photos} photos")


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

    with reading(args.gallery):
        state = read_state(args.gallery)
    lines = [
        f"{s.name}{f'  ({s.title})' if s.title else ''}: {len(s.photos)} photos" for s in state.skus
    ]
    result = _told(state)
    result["lines"] += [
        f"recipe: {json.dumps(dict(state.recipe), ensure_ascii=False)}",
        *(f"{name}: {json.dumps(value)}" for name, value in sorted(state.settings.items())),
        *lines,
    ]
    result["recipe"], result["settings"] = dict(state.recipe), dict(state.settings)
    result["photos"] = {sku.name: [photo.source for photo in sku.photos] for sku in state.skus}
    return result


def search(args: argparse.Namespace) -> dict[str, Any]:
    """The SKUs most like what a photo shows."""
    from rpc.data.files import DataError
    from rpc.data.images import write_image
    from rpc.pictures.lettering import Lettering
    from rpc.pipelines.gallery.sheet import draw_hits
    from rpc.retrieval.gallery.exemplar_photos import ExemplarPhoto
    from rpc.retrieval.gallery.gallery import Gallery
    from rpc.retrieval.gallery.gallery_files import PICTURES
    from rpc.retrieval.gallery.open_set import OpenSet
    from rpc.retrieval.reranking.search_again import search_again

    describe = _describer(args)
    crop = ExemplarPhoto(args.photo, _box(args), args.whole).crop()
    gallery = Gallery.open(args.gallery, describe.recipe)
    if len(gallery) == 0:
        raise DataError(f"{args.gallery}: the gallery is empty; add a SKU's photos first")
    embeddings = describe([crop])
    began = time.perf_counter()
    hits = search_again(gallery, embeddings, [crop], args.rerank, args.count)[0]
    searched = 1000 * (time.perf_counter() - began)
    accepted = None
    if "open_set" in gallery.state.settings:
        best = float(gallery.similarities(embeddings).max())
        accepted = best >= OpenSet.from_dict(gallery.state.settings["open_set"]).threshold
    picture = args.out / f"{args.photo.stem}_search.jpg"
    folder = args.gallery / PICTURES
    write_image(picture, draw_hits(crop, hits, folder, Lettering(), accepted))
    lines = [f"{hit.score:.4f}  {hit.sku.name}  (like {hit.photo.source})" for hit in hits]
    if accepted is False:
        lines.insert(0, "not in the gallery: its best score is below the threshold; most alike:")
    return {
        "hits": [
            {"name": h.sku.name, "score": round(h.score, 6), "photo": h.photo.source} for h in hits
        ],
        "accepted": accepted,
        "search_ms": round(searched, 3),
        "picture": str(picture),
        "lines": [*lines, f"{picture}", f"search {searched:.1f} ms"],
    }


def tune(args: argparse.Namespace) -> dict[str, Any]:
    """Choose open-set rule, fusion and counting rule on labelled validation trays."""
    from rpc.checkout.loading import load_checkout
    from rpc.data.store import Store
    from rpc.pipelines.gallery.trays import counting_rule, named, see_trays, true_labels
    from rpc.pipelines.gallery.trays import tune as choose
    from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
    from rpc.retrieval.gallery.fusion import Fusion
    from rpc.retrieval.gallery.gallery import Gallery
    from rpc.retrieval.gallery.gallery_edit import set_setting

    store = Store.open(args.data)
    dataset = store.split(args.split)
    paths = [store.image_path(args.split, image) for image in dataset.images]
    describe = _describer(args)
    gallery = Gallery.open(args.gallery, describe.recipe)
    checkout = load_checkout(args.model, named=False, device=args.device)
    names = checkout.taxonomy.names
    fused = checkout.recogniser is not None
    classifier = GalleryClassifier(
        gallery,
        describe,
        recogniser=checkout.recogniser,
        recogniser_names=names if fused else (),
        fusion=Fusion(),
    )
    seen = see_trays(paths, checkout, classifier, f"looking at {args.split} trays")
    chosen = choose(seen, true_labels(dataset, classifier, seen), classifier, fused=fused)
    rule = counting_rule(dataset, classifier, named(seen, chosen.open_set, None, classifier.known))
    origin = {"chosen_on": f"{args.data.resolve().name} {args.split}", "model": args.model.name}
    set_setting(args.gallery, "open_set", {**chosen.open_set.to_dict(), **chosen.facts, **origin})
    state = set_setting(args.gallery, "counting", rule.to_dict())
    if chosen.fusion is not None:
        fusion_rule = counting_rule(
            dataset, classifier, named(seen, chosen.open_set, chosen.fusion, classifier.known)
        )
        fusion = {**chosen.fusion.to_dict(), "counting": fusion_rule.to_dict(), **origin}
        state = set_setting(args.gallery, "fusion", fusion)
    result = _told(state)
    result["lines"] += [f"{k}: {json.dumps(v)}" for k, v in sorted(state.settings.items())]
    result["settings"] = dict(state.settings)
    return result


def _describer(args: argparse.Namespace) -> DescribesPictures:
    """The gallery's own, or for a new one that of `--recipe`."""
    from rpc.data.files import DataError
    from rpc.retrieval.gallery.gallery_files import exists, read_state

    wanted: str | None = getattr(args, "recipe", None)
    recipe: Mapping[str, Any] | None = None
    if exists(args.gallery) or args.do is not add:
        recipe = read_state(args.gallery).recipe
        if wanted is not None and wanted != recipe["name"]:
            raise DataError(
                f"{args.gallery}: made with the recipe {recipe['name']!r}, not {wanted!r}; "
                "leave --recipe out or choose another folder"
            )
    from rpc.retrieval.descriptors.recipes import DEFAULT, describer, describer_of

    return (
        describer(wanted or DEFAULT, args.device)
        if recipe is None
        else describer_of(recipe, args.device)
    )


def _of_photos(args: argparse.Namespace, describe: DescribesPictures) -> NewSku:
    """The SKU of the command line."""
    from rpc.data.files import DataError
    from rpc.pipelines.gallery.photos import sku_of_photos

    if args.sku is None or not args.photos:
        raise DataError("add: expected a SKU and its photos, or --data STORE")
    return sku_of_photos(
        describe, args.sku, args.photos, title=args.title or "", box=_box(args), whole=args.whole
    )


def _of_store(args: argparse.Namespace, describe: DescribesPictures) -> list[NewSku]:
    """The SKUs of a store, all or those that are named."""
    from rpc.data.files import DataError
    from rpc.data.store import Store
    from rpc.pipelines.gallery.photos import skus_of_store

    if args.sku is not None or args.box is not None or args.whole:
        raise DataError("add: --data takes SKUs by --skus and boxes from the store")
    return skus_of_store(describe, Store.open(args.data), args.skus, args.most)


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
    option("--title", help="its name for people")
    crop(option)
    option("--data", type=Path, metavar="STORE", help="take the exemplars of a store instead")
    option("--skus", nargs="+", metavar="SKU", help="of the store (default: all)")
    option("--most", type=int, default=24, metavar="N", help="exemplars of a SKU (default: 24)")
    option("--recipe", metavar="NAME", help="of a new gallery's descriptors (default: the best)")
    option = verb("remove", remove, "take SKUs out")
    option("skus", nargs="+", metavar="SKU")
    option = verb("rename", rename, "give a SKU another name")
    option("old", metavar="OLD")
    option("new", metavar="NEW")
    option("--title", help="and this name for people")
    option = verb("search", search, "what does a photo show?")
    option("photo", type=Path, metavar="PHOTO")
    crop(option)
    option("--count", type=int, default=5, metavar="N", help="SKUs to show (default: 5)")
    option(
        "--rerank",
        choices=("none", "expansion", "reciprocal", "verify"),
        default="none",
        help="second look: query expansion, k-reciprocal neighbours, local features "
        "(default: none)",
    )
    option("--out", type=Path, default=Path("out/gallery"), metavar="DIR", help="for the picture")
    verb("info", info, "what a gallery holds")
    option = verb("index", index, "build a search index for very many SKUs")
    option("--kind", choices=("exact", "hnsw", "ivf"), required=True, help="exact removes it")
    option = verb("tune", tune, "choose thresholds and fusion on labelled validation trays")
    option("--data", type=Path, required=True, metavar="STORE")
    option("--split", choices=("val",), default="val", help="never test")
    option("--model", type=Path, default=MODEL, help="finds the items (default: ours)")
    return made


MODEL = shipped("rpc/weights/ministore.pth")
