"""A checkout counter from files: a model, and a gallery or a recognition system beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rpc.checkout.counter import Checkout
from rpc.checkout.pictures import gallery_picture_looks, picture_looks
from rpc.checkout.words import reading_classifier, words_of_gallery
from rpc.counting import CountingRule
from rpc.counting.doubt.doubt import Doubt
from rpc.data.files import DataError
from rpc.data.shipped import shipped
from rpc.data.taxonomy import Taxonomy
from rpc.detection.detector import Detector
from rpc.detection.model_file import SavedModel
from rpc.features.text.sku_words import SkuWords
from rpc.recognition import Recogniser
from rpc.recognition.box_classifier import BoxClassifier
from rpc.recognition.ensemble.ensemble_file import read_ensemble_classifier
from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
from rpc.recognition.second_look import SecondLook
from rpc.retrieval.descriptors.recipes import describer_of
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_files import read_state
from rpc.runs.devices import resolve_device

MODEL = "rpc/weights/ministore.pth"  # what comes with the package, of examples/ministore's SKUs


def load(
    model: str | Path | None = None,
    gallery: str | Path | None = None,
    *,
    device: str = "auto",
    fusion: bool = False,
    recogniser: str | Path | None = None,
    threshold: float | None = None,
    words: bool = True,
    pictures: bool = True,
) -> Checkout:
    """Load a checkout counter.

    Example:
        >>> counter = rpc.load(device="cpu")
        >>> print(counter("examples/ministore/val/val_00003_easy.jpg"))
          2 x Nudori Chicken 65 g
          1 x Crispee Sour Cream 90 g
          1 x Crispee Salt & Vinegar 90 g
          1 x Nudori Beef 65 g
          1 x Nudori Spicy Beef 65 g
        6 items, 5 products

    Args:
        model: the model file of a training; None takes the one that comes with the package, which
            knows the SKUs of `examples/ministore`.
        gallery: a folder of exemplars (`rpc.Gallery`) that names what the model finds. The SKUs
            are then the gallery's, and those that the model was trained on do not matter.
        device: "auto" (the GPU where there is one), "cpu", "cuda" or a GPU such as "cuda:1".
        fusion: with a gallery, ask the model's own recogniser as well, as was chosen for it.
        recogniser: a folder of `rpc-checkout fuse`: a recognition system that is asked beside the
            model's own recogniser.
        threshold: score from which a box counts, 0 to 1; None takes the one that was chosen with
            the model or the gallery.
        words: read items whose name is in doubt, where words were kept of the exemplars and the
            extra `words` is installed; see docs/words.md.
        pictures: compare items whose name is in doubt with exemplar pictures, where some were kept;
            see docs/pictures.md.

    Raises:
        DataError: a file is missing or damaged, parts do not fit one another, or an unknown device.
    """
    path = shipped(MODEL) if model is None else Path(model)
    if gallery is not None and recogniser is not None:
        raise DataError("a gallery and a recogniser are given: expected one of them")
    if fusion and gallery is None:
        raise DataError("fusion: expected a gallery to join the model's recogniser with")
    chosen = str(resolve_device(device))
    if gallery is not None:
        counter = load_gallery_checkout(
            path, gallery, fusion=fusion, device=chosen, words=words, pictures=pictures
        )
    elif recogniser is not None:
        counter = load_ensemble_checkout(
            path, recogniser, device=chosen, words=words, pictures=pictures
        )
    else:
        counter = load_checkout(path, device=chosen, words=words, pictures=pictures)
    return counter if threshold is None else counter.with_threshold(threshold)


def load_checkout(
    path: str | Path,
    *,
    named: bool = True,
    device: str = "cpu",
    words: bool = False,
    pictures: bool = False,
) -> Checkout:
    """A checkout counter from one model file: detector, counting rule, and a recogniser if any.

    Args:
        path: the model file.
        named: refuse a detector that only finds, where nothing in the file can name.
        device: that it runs on, see `rpc.runs.devices`.
        words: read items whose name is in doubt, see `load`.
        pictures: compare them with exemplar pictures, see `load`.

    Raises:
        DataError: the file is missing, damaged or unsafe, or its parts do not fit one another.
    """
    detector = Detector.load(path, device=device)
    recogniser = _recogniser(detector.saved, device)
    if named and recogniser is None and detector.agnostic:
        raise DataError(f"{path}: a class-agnostic detector without a recogniser can not name SKUs")
    rule = _rule(detector.saved.counting, path)
    counter = _counter(detector, detector.taxonomy, recogniser, rule)
    counter = _looking_again(counter, detector.saved, words=words, pictures=pictures)
    return replace(counter, doubt=_doubt(detector.saved.doubt, path))


def load_gallery_checkout(
    path: str | Path,
    folder: str | Path,
    *,
    fusion: bool = False,
    device: str = "cpu",
    words: bool = False,
    pictures: bool = False,
) -> Checkout:
    """A checkout counter that finds with a model and names with a gallery.

    The SKUs are the gallery's; those that the model was trained on do not matter. The counting
    rule is the one that was chosen for this gallery, else the model's.

    Args:
        path: a model file; its detector finds.
        folder: the gallery.
        fusion: ask the model's own recogniser as well, as was chosen for this gallery.
        device: that it runs on, see `rpc.runs.devices`.
        words: read items whose name is in doubt, see `load`.
        pictures: compare them with exemplar pictures, see `load`.

    Raises:
        DataError: a file is missing or damaged, the gallery is empty or of an unknown recipe, or
            the model has no recogniser to ask.
    """
    detector = Detector.load(path, device=device)
    describe = describer_of(read_state(Path(folder)).recipe, device)
    gallery = Gallery.open(folder, describe.recipe)
    recogniser = _recogniser(detector.saved, device) if fusion else None
    if fusion and recogniser is None:
        raise DataError(f"{path}: has no recogniser to ask; leave fusion out")
    names = detector.taxonomy.names
    classifier = GalleryClassifier(gallery, describe, recogniser=recogniser, recogniser_names=names)
    settings = gallery.state.settings
    source = (settings.get("fusion") or {}) if fusion else settings
    chosen = source.get("counting")
    rule = _rule(detector.saved.counting, path) if chosen is None else _rule(chosen, folder)
    counter = _counter(detector, classifier.taxonomy, classifier, rule)
    skus = classifier.taxonomy.names
    known = words_of_gallery(gallery.state, skus) if words else None
    compares = gallery_picture_looks(Path(folder), gallery.state, skus) if pictures else []
    # Doubt belongs to the rule that it was learnt with.
    doubt = None if chosen is None else _doubt(source.get("doubt"), folder)
    return replace(_reading(counter, known, compares), doubt=doubt)


def load_ensemble_checkout(
    path: str | Path,
    folder: str | Path,
    *,
    device: str = "cpu",
    words: bool = False,
    pictures: bool = False,
) -> Checkout:
    """A checkout counter whose recogniser is joined with a recognition system.

    The counting rule is the one that was chosen with the system, else the model's.

    Args:
        path: a model file with a recogniser.
        folder: of `rpc-checkout fuse`.
        device: that it runs on, see `rpc.runs.devices`.
        words: read items whose name is in doubt, see `load`.
        pictures: compare them with exemplar pictures, see `load`.

    Raises:
        DataError: a file is missing or damaged, the model has no recogniser, or the system was
            joined with another counter's.
    """
    detector = Detector.load(path, device=device)
    own = _recogniser(detector.saved, device)
    if own is None:
        raise DataError(f"{path}: has no recogniser to join with; leave the recognition system out")
    joined, ensemble = read_ensemble_classifier(folder, own, detector.taxonomy.names, device)
    chosen = ensemble.counting
    rule = _rule(detector.saved.counting, path) if chosen is None else _rule(chosen, folder)
    counter = _counter(detector, detector.taxonomy, joined, rule)
    return _looking_again(counter, detector.saved, words=words, pictures=pictures)


def check_gallery(gallery: Taxonomy, data: Taxonomy, folder: str | Path) -> None:
    """Make sure that a gallery's SKUs are those of a data set, or some of them.

    Raises:
        DataError: the data set has no such SKU, or calls its id by another name.
    """
    known = {category.id: category.name for category in data.categories}
    for category in gallery.categories:
        if known.get(category.id) != category.name:
            raise DataError(
                f"{folder}: its SKU {category.id} {category.name!r:.60} is "
                f"{known.get(category.id, 'not there')!r:.60} in the data; "
                "make a gallery of this data's exemplars"
            )


def _counter(
    detector: Detector,
    taxonomy: Taxonomy,
    recogniser: BoxClassifier | None,
    rule: CountingRule | None,
) -> Checkout:
    name, device = str(detector.saved.path), str(detector.device)
    return Checkout(detector, taxonomy, recogniser, rule, name=name, device=device)


def _looking_again(
    counter: Checkout, saved: SavedModel, *, words: bool, pictures: bool
) -> Checkout:
    """The counter with the second looks that a model file has something for."""
    compares = picture_looks(saved.pictures) if pictures else []
    return _reading(counter, saved.words if words else None, compares)


def _reading(
    counter: Checkout, words: Sequence[SkuWords] | None, before: Sequence[SecondLook] = ()
) -> Checkout:
    """The counter, which looks again at what it doubts: `before`, then by words where known."""
    if counter.recogniser is None:
        return counter
    reads, note = reading_classifier(counter.recogniser, counter.taxonomy.names, words, before)
    return replace(counter, recogniser=reads, notes=(*counter.notes, *([note] if note else [])))


def _recogniser(saved: SavedModel, device: str) -> Recogniser | None:
    """The recogniser of a model file, where there is one."""
    if saved.recogniser is None:
        return None
    where = f"{saved.path}: its recogniser"
    recogniser = Recogniser.from_state(saved.recogniser, device=device, where=where)
    outputs = recogniser.model.head.out_features
    if outputs != len(saved.taxonomy) + 1:
        raise DataError(
            f"{saved.path}: its recogniser knows {outputs - 1} SKUs, the file {len(saved.taxonomy)}"
        )
    return recogniser


def _doubt(values: Mapping[str, Any] | None, path: str | Path) -> Doubt | None:
    try:
        return None if values is None else Doubt.from_dict(values)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def _rule(values: Mapping[str, Any] | None, path: str | Path) -> CountingRule | None:
    try:
        return None if values is None else CountingRule.from_dict(values)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
