"""A checkout counter from files: a model, and a gallery or a recognition system beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rpc.checkout.counter import Checkout
from rpc.counting import CountingRule
from rpc.data.files import DataError
from rpc.data.taxonomy import Taxonomy
from rpc.detection.detector import Detector
from rpc.detection.model_file import SavedModel
from rpc.recognition import Recogniser
from rpc.recognition.ensemble.ensemble_file import read_ensemble_classifier
from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
from rpc.retrieval.descriptors.recipes import describer_of
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_files import read_state
from rpc.runs.tensor_files import first_misfit


def load_checkout(path: str | Path, *, named: bool = True) -> Checkout:
    """A checkout counter from one model file: detector, counting rule, and a recogniser if any.

    Args:
        path: the model file.
        named: refuse a detector that only finds, where nothing in the file can name.

    Raises:
        DataError: the file is missing, damaged or unsafe, or its parts do not fit one another.
    """
    detector = Detector.load(path)
    recogniser = _recogniser(detector.saved)
    if named and recogniser is None and detector.agnostic:
        raise DataError(f"{path}: a class-agnostic detector without a recogniser can not name SKUs")
    return Checkout(
        detector, detector.taxonomy, recogniser, _rule(detector.saved.counting, detector.saved.path)
    )


def load_gallery_checkout(
    path: str | Path, folder: str | Path, *, fusion: bool = False
) -> Checkout:
    """A checkout counter that finds with a model and names with a gallery.

    The SKUs are the gallery's; those that the model was trained on do not matter. The counting
    rule is the one that was chosen for this gallery, else the model's.

    Args:
        path: a model file; its detector finds.
        folder: the gallery.
        fusion: ask the model's own recogniser as well, as was chosen for this gallery.

    Raises:
        DataError: a file is missing or damaged, the gallery is empty or of an unknown recipe, or
            the model has no recogniser to ask.
    """
    detector = Detector.load(path)
    describe = describer_of(read_state(Path(folder)).recipe)
    gallery = Gallery.open(folder, describe.recipe)
    recogniser = _recogniser(detector.saved) if fusion else None
    if fusion and recogniser is None:
        raise DataError(f"{path}: has no recogniser to ask; leave --fusion out")
    names = detector.taxonomy.names
    classifier = GalleryClassifier(gallery, describe, recogniser=recogniser, recogniser_names=names)
    settings = gallery.state.settings
    chosen = settings["fusion"].get("counting") if fusion else settings.get("counting")
    rule = _rule(detector.saved.counting, path) if chosen is None else _rule(chosen, folder)
    return Checkout(detector, classifier.taxonomy, classifier, rule)


def load_ensemble_checkout(path: str | Path, folder: str | Path) -> Checkout:
    """A checkout counter whose recogniser is joined with a recognition system.

    The counting rule is the one that was chosen with the system, else the model's.

    Args:
        path: a model file with a recogniser.
        folder: of `rpc-checkout fuse`.

    Raises:
        DataError: a file is missing or damaged, the model has no recogniser, or the system was
            joined with another counter's.
    """
    detector = Detector.load(path)
    own = _recogniser(detector.saved)
    if own is None:
        raise DataError(f"{path}: has no recogniser to join with; leave --recogniser out")
    joined, ensemble = read_ensemble_classifier(folder, own, detector.taxonomy.names)
    chosen = ensemble.counting
    rule = _rule(detector.saved.counting, path) if chosen is None else _rule(chosen, folder)
    return Checkout(detector, detector.taxonomy, joined, rule)


def open_checkout(
    path: str | Path,
    gallery: str | Path | None = None,
    *,
    fusion: bool = False,
    recogniser: str | Path | None = None,
) -> Checkout:
    """Load the checkout that a tool's options ask for: a model, with a gallery or system or alone.

    Raises:
        DataError: as `load_checkout`, `load_gallery_checkout` and `load_ensemble_checkout`; or
            options that do not go together.
    """
    if gallery is not None and recogniser is not None:
        raise DataError("--gallery and --recogniser: expected one of them")
    if gallery is not None:
        return load_gallery_checkout(path, gallery, fusion=fusion)
    if fusion:
        raise DataError("--fusion: expected a gallery to join the model's recogniser with")
    if recogniser is not None:
        return load_ensemble_checkout(path, recogniser)
    return load_checkout(path)


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


def _recogniser(saved: SavedModel) -> Recogniser | None:
    """The recogniser of a model file, where there is one."""
    if saved.recogniser is None:
        return None
    try:
        recogniser = Recogniser.from_state(saved.recogniser)
    except (KeyError, RuntimeError) as error:
        raise DataError(
            f"{saved.path}: its recogniser's weights do not fit: {first_misfit(error)}; "
            "train the model anew"
        ) from error
    outputs = recogniser.model.head.out_features
    if outputs != len(saved.taxonomy) + 1:
        raise DataError(
            f"{saved.path}: its recogniser knows {outputs - 1} SKUs, the file {len(saved.taxonomy)}"
        )
    return recogniser


def _rule(values: Mapping[str, Any] | None, path: str | Path) -> CountingRule | None:
    try:
        return None if values is None else CountingRule.from_dict(values)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
