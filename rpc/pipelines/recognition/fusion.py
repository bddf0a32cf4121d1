"""Compare a counter with and without a recognition system: choose on val, report on test.

Key: N boxes of a tray, K SKUs of the counter, J classes of the system.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.checkout import Checkout, name_items
from rpc.counting import CountingRule, choose_rule
from rpc.data.dataset import Dataset
from rpc.data.entry_photo import read_entry_photo
from rpc.data.files import DataError, write_bytes, write_json
from rpc.data.store import Split, Store
from rpc.metrics.checkout import checkout_metrics
from rpc.metrics.confusion import confusion_matrix, family_confusions
from rpc.recognition.ensemble.ensemble_classifier import (
    SystemClassifier,
    choose_system_temperature,
    choose_weight,
    rejoined,
    temper,
)
from rpc.recognition.ensemble.ensemble_file import EnsembleChoice
from rpc.recognition.ensemble.gallery_tuning import labels_of_boxes
from rpc.retrieval.gallery.fusion import Fusion, known_labels
from rpc.runs.progress import bar
from rpc.structures import Detections

FloatArray = NDArray[np.float64]
Ints = NDArray[np.int64]
ALONE: Final = Fusion(1.0, 1e-6)


@dataclass(frozen=True, eq=False)
class SeenBoxes:
    """The observations on one tray, before any choice.

    Attributes:
        found: N boxes with the detector's scores.
        own: (N, K + 1) by the counter's recogniser.
        scores: (turns, N, J) by the system.
        labels: (N,) true SKU; K where the box shows no single item.
    """

    found: Detections
    own: FloatArray
    scores: FloatArray
    labels: Ints


@dataclass(frozen=True, eq=False)
class Looked:
    """The trays of a split."""

    dataset: Dataset
    trays: Sequence[SeenBoxes]


@dataclass(frozen=True, eq=False)
class Choice:
    """The choice made on val.

    Attributes:
        ensemble: of both together.
        known: (K,) the system's class of each SKU.
        rules: counting rule of each method.
        facts: what it does on val.
    """

    ensemble: EnsembleChoice
    known: Ints
    rules: Mapping[str, CountingRule]
    facts: Mapping[str, Any]


def look(store: Store, split: Split, checkout: Checkout, classifier: SystemClassifier) -> Looked:
    """Detect the boxes of a split's trays, and ask both recognisers."""
    dataset = store.split(split)
    skus = len(dataset.taxonomy)
    recogniser = checkout.recogniser
    assert recogniser is not None, "checked by the tool"
    trays = []
    with bar(f"looking at {split} trays") as progress:
        for done, image in enumerate(dataset.images, start=1):
            rgb = read_entry_photo(store.image_path(split, image), (image.width, image.height))
            found = checkout.detector.predict(rgb)
            found = found.select(found.scores >= checkout.floor)
            items = dataset.annotations_of(image.id)
            boxes = np.array([item.bbox for item in items], np.float64).reshape(-1, 4)
            truth = np.array([dataset.taxonomy.label(i.category_id) for i in items], np.int64)
            trays.append(
                SeenBoxes(
                    found,
                    recogniser.probabilities(rgb, found.boxes),
                    classifier.scores(rgb, found.boxes),
                    labels_of_boxes(found.boxes, boxes, truth, skus),
                )
            )
            progress(done, len(dataset.images))
    return Looked(dataset, trays)


def choose(val: Looked, names: Sequence[str], classifier: SystemClassifier) -> Choice:
    """Temperature, weight and the counting rules, on val.

    Raises:
        DataError: no box of val shows a SKU that the system knows.
    """
    known = known_labels(tuple(names), classifier.names)
    own = np.concatenate([tray.own for tray in val.trays])
    scores = np.concatenate([tray.scores for tray in val.trays], axis=1)
    labels = np.concatenate([tray.labels for tray in val.trays])
    item = labels < len(names)
    known_boxes = item & (known[np.minimum(labels, len(names) - 1)] >= 0)
    if not known_boxes.any():
        raise DataError("val: no found box shows a SKU that the system knows; nothing to choose on")
    temperature = choose_system_temperature(scores[:, known_boxes], known[labels[known_boxes]])
    fusion = choose_weight(own[item], temper(scores[:, item], temperature), known, labels[item])
    ensemble = EnsembleChoice(
        fusion, temperature, classifier.margin, classifier.turns, tuple(names)
    )
    rules = {
        name: choose_rule(_named(val, say), val.dataset.counts()).rule
        for name, say in _methods(ensemble, known).items()
    }
    counting = rules["both"].to_dict()
    named_right = {}
    for name, say in _methods(ensemble, known).items():
        rows = np.concatenate([say(tray) for tray in val.trays])[item, :-1]
        named_right[name] = float((rows.argmax(axis=1) == labels[item]).mean())
    chosen = EnsembleChoice(
        fusion, temperature, classifier.margin, classifier.turns, tuple(names), counting
    )
    facts = {"boxes": int(item.sum()), "named_right": named_right}
    return Choice(chosen, known, rules, facts)


def measure(trays: Mapping[str, Looked], choice: Choice, store: Store) -> dict[str, Any]:
    """Figures of test by method, as plain values."""
    test = trays["test"]
    categories = [store.taxonomy.category(label) for label in range(len(store.taxonomy))]
    families = [c.family or c.supercategory or c.name for c in categories]
    truth = test.dataset.counts()
    labels = np.concatenate([tray.labels for tray in test.trays])
    item = labels < len(categories)
    rows = {}
    for name, say in _methods(choice.ensemble, choice.known).items():
        counted = choice.rules[name].counts(_named(test, say), len(categories))
        predicted = np.concatenate([say(tray) for tray in test.trays])[item, :-1].argmax(axis=1)
        matrix = confusion_matrix(labels[item], predicted, len(categories))
        kinds = family_confusions(matrix, families)
        rows[name] = {
            "rule": choice.rules[name].to_dict(),
            **asdict(checkout_metrics(counted, truth)),
            "boxes": int(item.sum()),
            "right": int(np.diag(matrix).sum()),
            "within_families": sum(kind.within for kind in kinds),
            "between_families": sum(kind.outside for kind in kinds),
        }
    return {
        "weight": choice.ensemble.fusion.weight,
        "temperature": choice.ensemble.temperature,
        "val": dict(choice.facts),
        "test_trays": len(test.trays),
        "methods": rows,
    }


def write_page(out: Path, result: Mapping[str, Any]) -> list[Path]:
    """`ensemble.json` and `ensemble.md` in a folder."""
    lines = [
        f"# {result['system']} beside the counter's recogniser",
        "",
        f"{result['data']['name']}, {result['test_trays']} test trays; weight of the system "
        f"{result['weight']:.2f}, temperature {result['temperature']:.2f} and counting rules "
        "chosen on val.",
        "",
        "| names by | cAcc | ACD | found items named right | wrong within families | between |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in result["methods"].items():
        lines.append(
            f"| {name} | {100 * row['cAcc']:.1f} % | {row['ACD']:.2f} | {row['right']} of "
            f"{row['boxes']} | {row['within_families']} | {row['between_families']} |"
        )
    text = "\n".join(lines) + "\n"
    return [
        write_json(out / "ensemble.json", result, indent=1),
        write_bytes(out / "ensemble.md", text.encode()),
    ]


Say = Callable[[SeenBoxes], FloatArray]


def _methods(ensemble: EnsembleChoice, known: Ints) -> dict[str, Say]:
    """Each method's probabilities (N, K + 1) of a tray's boxes."""

    def joined(fusion: Fusion) -> Say:
        return lambda tray: rejoined(
            tray.own, temper(tray.scores, ensemble.temperature), fusion, known
        )

    return {
        "the counter's own": lambda tray: tray.own,
        "the system": joined(ALONE),
        "both": joined(ensemble.fusion),
    }


def _named(looked: Looked, say: Say) -> list[Detections]:
    return [name_items(tray.found, say(tray)) for tray in looked.trays]
