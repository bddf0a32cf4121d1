"""A gallery's open-set rule, fusion, counting rule and doubt: chosen on labelled val trays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rpc.checkout.pictures import gallery_picture_looks
from rpc.checkout.trained import load_checkout
from rpc.checkout.words import second_looks, words_of_gallery
from rpc.data.store import Store
from rpc.pipelines.gallery.counting import choose_counting, items_of, seen_by_counter
from rpc.pipelines.gallery.recipe import descriptor_of
from rpc.pipelines.gallery.trays import (
    compared_again,
    comparison_of,
    see_trays,
    true_labels,
    tune,
)
from rpc.recognition.ensemble.gallery_classifier import FEATURES, GalleryClassifier
from rpc.retrieval.gallery.fusion import Fusion
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_edit import set_settings
from rpc.retrieval.gallery.gallery_files import read_state, writing
from rpc.retrieval.gallery.gallery_state import GalleryState


@dataclass(frozen=True)
class TuneRequest:
    """A gallery to be tuned.

    Attributes:
        gallery: its folder.
        data: the store with the trays.
        model: finds the items.
        split: of the store; never test.
        device: that networks run on, see `rpc.runs.devices`.
        words: read items whose name is in doubt, as counting does; where words were kept of the
            exemplars.
        pictures: compare them with the pictures that the gallery keeps, as counting does.
    """

    gallery: Path
    data: Path
    model: Path
    split: Literal["val"] = "val"
    device: str = "auto"
    words: bool = True
    pictures: bool = True


def tune_gallery(request: TuneRequest) -> GalleryState:
    """Look at the trays, choose, write into the gallery; its state afterwards.

    Raises:
        DataError: store, model or gallery do not fit, no box shows a product of the gallery, or
            another process is changing it.
    """
    read_state(request.gallery)  # before the lock, which would be made where no gallery is
    with writing(request.gallery):
        return _tuned(request)


def _tuned(request: TuneRequest) -> GalleryState:
    store = Store.open(request.data)
    dataset = store.split(request.split)
    paths = [store.image_path(request.split, image) for image in dataset.images]
    describe = descriptor_of(request.gallery, request.device)
    gallery = Gallery.open(request.gallery, describe.recipe)
    checkout = load_checkout(request.model, named=False, device=request.device)
    fused = checkout.recogniser is not None
    classifier = GalleryClassifier(
        gallery,
        describe,
        recogniser=checkout.recogniser,
        recogniser_names=checkout.taxonomy.names if fused else (),
        fusion=Fusion(),
    )
    together = classifier.with_features()
    seen = see_trays(paths, checkout, together, f"looking at {request.split} trays")
    chosen_on = f"{request.data.resolve().name} {request.split}"
    origin = {"chosen_on": chosen_on, "model": request.model.name}
    names = classifier.taxonomy.names
    words = words_of_gallery(gallery.state, names) if request.words else None
    reads, _ = second_looks(names, words)
    compares = gallery_picture_looks(request.gallery, gallery.state, names)
    looks = [*(compares if request.pictures else []), *reads]
    items = items_of(seen, paths)

    def chosen(classifier: GalleryClassifier, *, fused: bool) -> dict[str, Any]:
        comparison = comparison_of(seen, classifier.comparison.original)
        tuned = classifier.with_comparison(comparison)
        trays = compared_again(seen, tuned)
        labels = true_labels(dataset, tuned, [tray.found.boxes for tray in trays])
        found = tune(trays, labels, tuned, fused=fused)
        looked = seen_by_counter(trays, items, tuned, found.open_set, found.fusion, looks)
        return {
            **({} if found.fusion is None else found.fusion.to_dict()),
            "open_set": {**found.open_set.to_dict(), **found.facts, **origin},
            **choose_counting(dataset, tuned, looked).to_settings(),
            **comparison.to_settings(),
        }

    settings: dict[str, Mapping[str, Any] | None] = chosen(classifier, fused=False)
    if fused:
        features = {FEATURES: True} if together.sees is not None else {}
        settings["fusion"] = {**chosen(together, fused=True), **features, **origin}
    return set_settings(request.gallery, settings)
