"""Measure a gallery on SKUs that training never saw: old ones, new ones, all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from rpc.checkout.pictures import gallery_picture_looks
from rpc.checkout.trained import load_checkout
from rpc.checkout.words import second_looks, words_of_gallery
from rpc.data.store import Store
from rpc.pipelines.gallery.held_out_trays import MeasuredTrays, Method, Trays
from rpc.pipelines.gallery.trays import comparison_of
from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
from rpc.recognition.ensemble.gallery_tuning import Tuning
from rpc.recognition.second_look import SecondLook
from rpc.reporting.provenance import code_version, library_versions, machine, sha256, store_facts
from rpc.retrieval.gallery.comparison import Comparison
from rpc.retrieval.gallery.fusion import Fusion
from rpc.retrieval.gallery.gallery import DescribesPictures, Gallery

ALONE: Final = Fusion(1.0, 1e-6)  # the recogniser decides; it names no SKU that it does not know


def measure(
    store: Store,
    held_out: Sequence[str],
    model: Path,
    folder: Path,
    describe: DescribesPictures,
    device: str = "cpu",
    words: bool = False,
    pictures: bool = False,
) -> dict[str, Any]:
    """All figures, as plain values.

    Args:
        store: with all SKUs.
        held_out: names of the SKUs that training did not see.
        model: its detector finds; its recogniser is asked as well, unless it knows a held-out SKU.
        folder: the gallery, with all SKUs.
        describe: makes the descriptors.
        device: that the model runs on, see `rpc.runs.devices`.
        words: also measure each method with the words that the gallery kept of its exemplars.
        pictures: likewise with its exemplar pictures, laid on doubtful items.

    Raises:
        DataError: a file is missing or damaged, or the parts do not fit.
    """
    checkout = load_checkout(model, named=False, device=device)
    saw = sorted(set(held_out) & set(checkout.taxonomy.names))
    fused = checkout.recogniser is not None and not saw
    gallery = Gallery.open(folder, describe.recipe)
    classifier = GalleryClassifier(
        gallery,
        describe,
        recogniser=checkout.recogniser,
        recogniser_names=checkout.taxonomy.names if fused else (),
        fusion=Fusion(),
    )
    together = classifier.with_features() if fused else classifier
    names = classifier.taxonomy.names
    val, test = (Trays.looked_at(store, s, checkout, together) for s in ("val", "test"))
    new = np.isin(np.array(names), list(held_out))
    plain = MeasuredTrays(val, test, classifier, new).compared(Comparison(gallery))
    rows = {"gallery, descriptors as they are": plain.row(Method(plain.chosen().open_set))}
    looks = second_looks_by_kind(gallery, names, words=words, pictures=pictures)
    tuned = plain.compared(comparison_of(val.seen, gallery))
    chosen = tuned.chosen()
    rows |= tuned.rows("gallery", Method(chosen.open_set), looks)
    if fused:
        own = together.comparison.original
        both = MeasuredTrays(val, test, together, new).compared(comparison_of(val.seen, own))
        chosen = both.chosen(fused=True)
        rows |= both.rows("gallery and recogniser", Method(chosen.open_set, chosen.fusion), looks)
        rows |= both.rows("recogniser alone", Method(chosen.open_set, ALONE), looks)
    return {
        "held_out": list(held_out),
        "note": _note(saw),
        "chosen_on": "val: labelled trays, those with held-out SKUs included",
        "supervision": "E" if not saw else "not a result",
        **_settings(chosen, tuned.classifier.comparison),
        "recipe": dict(describe.recipe),
        "methods": rows,
        "test_trays": plain.sizes(),
        "manifest": _manifest(store, model),
    }


def second_looks_by_kind(
    gallery: Gallery, names: Sequence[str], *, words: bool, pictures: bool
) -> dict[str, Sequence[SecondLook]]:
    """The looks at doubtful items that are measured, by name: each alone, then all together."""
    reads, _ = second_looks(names, words_of_gallery(gallery.state, names) if words else None)
    compares = gallery_picture_looks(gallery.folder, gallery.state, names) if pictures else []
    looks: dict[str, Sequence[SecondLook]] = {"pictures": compares, "words": reads}
    if compares and reads:
        looks["pictures and words"] = [*compares, *reads]  # in the order of counting
    return {kind: some for kind, some in looks.items() if some}


def _note(saw: Sequence[str]) -> str:
    if saw:
        return f"A TRIAL: the model's training saw {', '.join(saw)}; its recogniser was not asked"
    return "neither training nor the choice of its scenes saw the held-out SKUs"


def _settings(chosen: Tuning, comparison: Comparison) -> dict[str, Any]:
    """The choice on val for all methods, as plain values."""
    camera = comparison.camera
    return {
        "open_set": {**chosen.open_set.to_dict(), **chosen.facts},
        "fusion": None if chosen.fusion is None else chosen.fusion.to_dict(),
        "comparison": {
            "own_scatter": comparison.scatter is not None,
            "camera_crops": 0 if camera is None else camera.crops,
        },
    }


def _manifest(store: Store, model: Path) -> dict[str, Any]:
    return {
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
        "data": store_facts(store.root),
        "model": {"name": model.name, "sha256": sha256(model)},
    }
