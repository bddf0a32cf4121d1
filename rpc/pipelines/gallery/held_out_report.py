"""Measure a gallery on SKUs that training never saw: old ones, new ones, all.

Key: K SKUs by label, N boxes of a tray.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.checkout.pictures import gallery_picture_looks
from rpc.checkout.questions import judge_seen
from rpc.checkout.seen import Seen
from rpc.checkout.trained import load_checkout
from rpc.checkout.words import second_looks, words_of_gallery
from rpc.data.dataset import Dataset
from rpc.data.file_group import file_group
from rpc.data.files import write_bytes, write_json
from rpc.data.store import Split, Store
from rpc.pipelines.gallery.counting import Counting, choose_counting, seen_by_counter
from rpc.pipelines.gallery.trays import (
    SeenTray,
    compared_again,
    comparison_of,
    gallery_counts,
    see_trays,
    true_labels,
    tune,
)
from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
from rpc.recognition.ensemble.gallery_tuning import Tuning
from rpc.recognition.second_look import SecondLook
from rpc.reporting.pages.markdown import markdown_text
from rpc.reporting.provenance import code_version, library_versions, machine, sha256, store_facts
from rpc.retrieval.gallery.fusion import Fusion
from rpc.retrieval.gallery.gallery import DescribesPictures, Gallery
from rpc.retrieval.gallery.open_set import OpenSet

Counts = NDArray[np.int64]


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
    names = checkout.taxonomy.names
    saw = sorted(set(held_out) & set(names))
    fused = checkout.recogniser is not None and not saw
    gallery = Gallery.open(folder, describe.recipe)
    classifier = GalleryClassifier(
        gallery,
        describe,
        recogniser=checkout.recogniser,
        recogniser_names=names if fused else (),
        fusion=Fusion(),
    )
    trays = {split: _look(store, split, checkout, classifier) for split in ("val", "test")}
    new = np.isin(np.array(classifier.taxonomy.names), list(held_out))
    as_they_are = _chosen(trays["val"], classifier, fused=False)
    rows = {
        "gallery, descriptors as they are": _row(trays, classifier, as_they_are.open_set, None, new)
    }
    names = classifier.taxonomy.names
    looks = second_looks_by_kind(gallery, names, words=words, pictures=pictures)
    comparison = comparison_of(trays["val"].seen, gallery)
    classifier = classifier.with_comparison(comparison)
    trays = {split: _again(looked, classifier) for split, looked in trays.items()}
    chosen = _chosen(trays["val"], classifier, fused=fused)
    methods: dict[str, Fusion | None] = {"gallery": None}
    if chosen.fusion is not None:
        methods["gallery and recogniser"] = chosen.fusion
        methods["recogniser alone"] = Fusion(1.0, 1e-6)
    for method, fusion in methods.items():
        rows[method] = _row(trays, classifier, chosen.open_set, fusion, new)
        for kind, some in looks.items():
            rows[f"{method}, {kind}"] = _row(trays, classifier, chosen.open_set, fusion, new, some)
    note = (
        f"A TRIAL: the model's training saw {', '.join(saw)}; its recogniser was not asked"
        if saw
        else "neither training nor the choice of its scenes saw the held-out SKUs"
    )
    return {
        "held_out": list(held_out),
        "note": note,
        "chosen_on": "val: labelled trays, those with held-out SKUs included",
        "supervision": "E" if not saw else "not a result",
        "open_set": {**chosen.open_set.to_dict(), **chosen.facts},
        "fusion": None if chosen.fusion is None else chosen.fusion.to_dict(),
        "comparison": {
            "own_scatter": comparison.scatter is not None,
            "camera_crops": 0 if comparison.camera is None else comparison.camera.crops,
        },
        "recipe": dict(describe.recipe),
        "methods": rows,
        "test_trays": _sizes(trays["test"].dataset, classifier, new),
        "manifest": {
            "code": code_version(),
            "versions": library_versions(),
            "machine": machine(),
            "data": store_facts(store.root),
            "model": {"name": model.name, "sha256": sha256(model)},
        },
    }


def write_results(out: Path, result: Mapping[str, Any]) -> list[Path]:
    """`held_out.json` and `held_out.md` in a folder."""
    with file_group(out):
        return [
            write_json(out / "held_out.json", result, indent=1),
            write_bytes(out / "held_out.md", _page(result).encode()),
        ]


@dataclass(frozen=True, eq=False)
class Looked:
    """The trays of a split, what was observed on each, and where their photos are."""

    dataset: Dataset
    paths: list[Path]
    seen: list[SeenTray]


Trays = Mapping[str, Looked]


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


def _look(store: Store, split: Split, checkout: Any, classifier: GalleryClassifier) -> Looked:
    dataset = store.split(split)
    paths = [store.image_path(split, image) for image in dataset.images]
    seen = see_trays(paths, checkout, classifier, f"looking at {split} trays")
    return Looked(dataset, paths, seen)


def _again(trays: Looked, classifier: GalleryClassifier) -> Looked:
    return replace(trays, seen=compared_again(trays.seen, classifier))


def _chosen(trays: Looked, classifier: GalleryClassifier, *, fused: bool) -> Tuning:
    """Open-set rule, and fusion where it is wanted."""
    boxes = [tray.found.boxes for tray in trays.seen]
    labels = true_labels(trays.dataset, classifier, boxes)
    return tune(trays.seen, labels, classifier, fused=fused)


def _row(
    trays: Trays,
    classifier: GalleryClassifier,
    open_set: OpenSet,
    fusion: Fusion | None,
    new: NDArray[np.bool_],
    looks: Sequence[SecondLook] = (),
) -> dict[str, Any]:
    """One method: its counting rule and doubt from val, its figures of test.

    Names are those in the light of the other items on the tray.
    """

    def seen_on(split: Split) -> list[Seen]:
        looked = trays[split]
        return seen_by_counter(looked.seen, looked.paths, classifier, open_set, fusion, looks)

    counting = choose_counting(trays["val"].dataset, classifier, seen_on("val"))
    rule, dataset = counting.rule, trays["test"].dataset
    seen = [one.with_repeats(rule.repeat_gain) for one in seen_on("test")]
    found = [one.detections for one in seen]
    predicted = rule.counts(found, len(classifier.taxonomy))
    truth = gallery_counts(dataset, classifier)
    right = (predicted == truth).all(axis=1)
    passes = np.array([_passes(one, counting, classifier) for one in seen])
    return {
        **counting.to_settings(),
        "cAcc": count_accuracy(predicted, truth, new),
        "ACD": float(np.abs(predicted - truth).sum(axis=1).mean()),
        "passing": {"trays": int(passes.sum()), "right": int(right[passes].sum())},
        "naming": naming_accuracy(
            [one.probabilities for one in seen if one.probabilities is not None],
            true_labels(dataset, classifier, [one.boxes for one in found]),
            new,
        ),
    }


def _passes(seen: Seen, counting: Counting, classifier: GalleryClassifier) -> bool:
    """Whether a tray passes without a question."""
    judged = judge_seen(seen, counting.rule, counting.doubt, classifier.taxonomy)
    return judged is not None and judged.judgement.passes


def count_accuracy(
    predicted: Counts, truth: Counts, new: NDArray[np.bool_]
) -> dict[str, float | None]:
    """Shares of trays that are counted right; None where there is no such tray.

    Args:
        predicted: (trays, K).
        truth: (trays, K).
        new: (K,) held-out SKUs.

    Returns:
        `all`: of all trays. `old_trays`, `new_trays`: of trays without and with a new SKU on them,
        all counts right. `old_skus`: of all trays, the counts of old SKUs right; `new_skus`: of
        trays with a new SKU, the counts of new SKUs right.
    """
    right = predicted == truth
    has_new = truth[:, new].sum(axis=1) > 0
    whole = right.all(axis=1)
    return {
        "all": _share(whole),
        "old_trays": _share(whole[~has_new]),
        "new_trays": _share(whole[has_new]),
        "old_skus": _share(right[:, ~new].all(axis=1)),
        "new_skus": _share(right[:, new].all(axis=1)[has_new]),
    }


def naming_accuracy(
    rows: Sequence[NDArray[np.float64]],
    labels: Sequence[NDArray[np.int64]],
    new: NDArray[np.bool_],
) -> dict[str, Any]:
    """How often the likeliest SKU of a found item is the true one, by old and new SKUs.

    Args:
        rows: of each tray (N, K + 1) probabilities.
        labels: of each tray (N,) true SKU; K + 1 for boxes that show no single item.
        new: (K,) held-out SKUs.
    """
    table, truth = np.concatenate(list(rows)), np.concatenate(list(labels))
    item = truth < len(new)
    right = table[item, :-1].argmax(axis=1) == truth[item]
    fresh = new[truth[item]]
    return {
        "old": _share(right[~fresh]),
        "new": _share(right[fresh]),
        "all": _share(right),
        "old_boxes": int((~fresh).sum()),
        "new_boxes": int(fresh.sum()),
        "strays_rejected": _share(table[~item].argmax(axis=1) == len(new)),
    }


def _share(right: NDArray[np.bool_]) -> float | None:
    return float(right.mean()) if len(right) else None


def _sizes(
    dataset: Dataset, classifier: GalleryClassifier, new: NDArray[np.bool_]
) -> dict[str, int]:
    has_new = gallery_counts(dataset, classifier)[:, new].sum(axis=1) > 0
    return {
        "all": len(has_new),
        "with_new_skus": int(has_new.sum()),
        "old_only": int((~has_new).sum()),
    }


def _page(result: Mapping[str, Any]) -> str:
    sizes, seconds = result["test_trays"], result["add_seconds"]
    lines = [
        "# Products that training never saw",
        "",
        f"Held out: {', '.join(map(markdown_text, result['held_out']))}. {result['note']}.",
        f"Test: {sizes['all']} trays, {sizes['with_new_skus']} with held-out SKUs on them. "
        f"Settings were chosen on {result['chosen_on']}.",
        "",
        "| names by | cAcc all | trays of old SKUs | trays with new | old SKUs' counts "
        "| new SKUs' counts | ACD | item named right: old | new | pass with no question "
        "| of these right |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in result["methods"].items():
        c, n = row["cAcc"], row["naming"]
        cells = [c["all"], c["old_trays"], c["new_trays"], c["old_skus"], c["new_skus"]]
        lines.append(
            f"| {name} | {' | '.join(map(_percent, cells))} | {row['ACD']:.2f} | "
            f"{_percent(n['old'])} | {_percent(n['new'])} | {row['passing']['trays']} | "
            f"{row['passing']['right']} |"
        )
    lines += [
        "",
        f"A SKU is added in {seconds['median']:.2f} s, {seconds['median_processor']:.2f} s of "
        f"processor time (median; {seconds['of']}).",
        f"Descriptor: {result['recipe']['name']}.",
        "",
    ]
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}%"
