"""Trays seen once by a model's detector and a gallery; then settings are tried on numbers alone.

Key: N boxes of one tray, K SKUs of the gallery, J SKUs of the model's recogniser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rpc.checkout import Checkout
from rpc.data.dataset import Dataset
from rpc.data.files import DataError
from rpc.data.images import read_image
from rpc.pipelines.labelled_trays import truths_of
from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
from rpc.recognition.ensemble.gallery_tuning import Tuning, choose_settings, labels_of_boxes
from rpc.retrieval.gallery.comparison import Comparison
from rpc.retrieval.gallery.fusion import Fusion
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.open_set import OpenSet
from rpc.runs.progress import bar
from rpc.structures import Detections

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SeenTray:
    """The observations on one tray, before any setting.

    Attributes:
        found: N boxes with the detector's scores.
        embeddings: (N, D) of the boxes' crops; what the recogniser sees behind them, if asked.
        similarities: (N, K) to the gallery's SKUs, by label.
        recogniser_probabilities: (N, J + 1); None where the model has none.
    """

    found: Detections
    embeddings: FloatArray
    similarities: FloatArray
    recogniser_probabilities: FloatArray | None


def see_trays(
    paths: Sequence[Path], checkout: Checkout, classifier: GalleryClassifier, what: str
) -> list[SeenTray]:
    """Detect, describe and recognise the boxes of trays, once."""
    seen = []
    with bar(what) as progress:
        for done, path in enumerate(paths, start=1):
            rgb = read_image(path)
            found = checkout.detector.predict(rgb)
            found = found.select(found.scores >= checkout.floor)
            asked = checkout.recogniser
            recogniser_probabilities = (
                None if asked is None else asked.probabilities(rgb, found.boxes)
            )
            embeddings = classifier.embeddings(rgb, found.boxes)
            similarities = classifier.similarities_of(embeddings)
            seen.append(SeenTray(found, embeddings, similarities, recogniser_probabilities))
            progress(done, len(paths))
    return seen


def comparison_of(seen: Sequence[SeenTray], gallery: Gallery) -> Comparison:
    """How to compare crops with the gallery, learnt from its exemplars and these trays' crops."""
    rows = np.concatenate([tray.embeddings for tray in seen])
    return Comparison.learnt(gallery, rows[:, : gallery.state.dimension])


def compared_again(seen: Sequence[SeenTray], classifier: GalleryClassifier) -> list[SeenTray]:
    """The same trays, their crops compared with the gallery by this classifier."""
    return [
        replace(tray, similarities=classifier.similarities_of(tray.embeddings)) for tray in seen
    ]


def true_labels(
    dataset: Dataset, classifier: GalleryClassifier, boxes: Sequence[FloatArray]
) -> list[NDArray[np.int64]]:
    """True label of each tray's boxes (N, 4).

    K where the gallery lacks the item, K + 1 for no single item.
    """
    skus = len(classifier.taxonomy)
    return [
        labels_of_boxes(found, truth.boxes, truth.labels, skus + 1)
        for found, truth in zip(boxes, _truths(dataset, classifier), strict=True)
    ]


def true_items(dataset: Dataset, classifier: GalleryClassifier) -> list[Detections]:
    """The true items of each tray that are SKUs of the gallery, with its labels."""
    skus = len(classifier.taxonomy)
    return [truth.select(truth.labels < skus) for truth in _truths(dataset, classifier)]


def _truths(dataset: Dataset, classifier: GalleryClassifier) -> list[Detections]:
    """The true items of each tray with the gallery's labels; K where the gallery lacks it."""
    place = {name: label for label, name in enumerate(classifier.taxonomy.names)}
    label_of = np.array([place.get(name, len(place)) for name in dataset.taxonomy.names])
    return [Detections(one.boxes, one.scores, label_of[one.labels]) for one in truths_of(dataset)]


def tune(
    seen: Sequence[SeenTray],
    labels: Sequence[NDArray[np.int64]],
    classifier: GalleryClassifier,
    *,
    fused: bool,
) -> Tuning:
    """Open-set rule, and fusion where it is wanted, on the boxes of validation trays.

    Raises:
        DataError: no box shows a product of the gallery.
    """
    recogniser_probabilities = [
        tray.recogniser_probabilities for tray in seen if tray.recogniser_probabilities is not None
    ]
    together = (
        np.concatenate(recogniser_probabilities) if fused and recogniser_probabilities else None
    )
    try:
        return choose_settings(
            np.concatenate([tray.similarities for tray in seen]),
            np.concatenate(labels),
            together,
            None if together is None else classifier.known,
        )
    except ValueError as error:
        raise DataError(f"{classifier.gallery.folder}: {error}") from error


def probabilities(
    tray: SeenTray, open_set: OpenSet, fusion: Fusion | None, known: NDArray[np.int64]
) -> FloatArray:
    """(N, K + 1) of a tray's boxes, under these settings."""
    found = open_set.probabilities(tray.similarities)
    if fusion is None or tray.recogniser_probabilities is None:
        return found
    return fusion.join(found, tray.recogniser_probabilities, known)


def gallery_counts(dataset: Dataset, classifier: GalleryClassifier) -> NDArray[np.int64]:
    """True counts (trays, K) of the gallery's SKUs, by name; other items are not counted."""
    counts = dataset.counts()
    place = {name: label for label, name in enumerate(dataset.taxonomy.names)}
    columns = [place.get(name) for name in classifier.taxonomy.names]
    empty = np.zeros(len(counts), dtype=np.int64)
    return np.stack([empty if c is None else counts[:, c] for c in columns], axis=1)
