"""A checkout counter from a model file of a training: it runs in torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rpc.checkout.counter import Checkout
from rpc.checkout.parts import SecondLooks, doubt_of, looking_again, naming_by_gallery, rule_of
from rpc.data.files import DataError
from rpc.detection.detector import Detector
from rpc.detection.model_file import SavedModel
from rpc.recognition.counter.recogniser import Recogniser
from rpc.recognition.ensemble.ensemble_file import read_ensemble_classifier
from rpc.retrieval.descriptors.recipes import describer_of
from rpc.retrieval.gallery.gallery_files import read_state

NO_LOOKS = SecondLooks()


def load_checkout(
    path: str | Path,
    *,
    named: bool = True,
    device: str = "cpu",
    looks: SecondLooks = NO_LOOKS,
) -> Checkout:
    """A checkout counter from one model file: detector, counting rule, and a recogniser if any.

    Args:
        path: the model file.
        named: refuse a detector that only finds, where nothing in the file can name.
        device: that it runs on, see `rpc.runs.devices`.
        looks: second looks at items whose name is in doubt.

    Raises:
        DataError: the file is missing, damaged or unsafe, or its parts do not fit one another.
    """
    counter, saved = _counter(path, device)
    if named and counter.recogniser is None and _agnostic(counter):
        raise DataError(f"{path}: a class-agnostic detector without a recogniser can not name SKUs")
    counter = looking_again(counter, looks, saved.words, saved.pictures)
    return replace(counter, doubt=doubt_of(saved.doubt, path))


def load_gallery_checkout(
    path: str | Path,
    folder: str | Path,
    *,
    fusion: bool = False,
    device: str = "cpu",
    looks: SecondLooks = NO_LOOKS,
) -> Checkout:
    """A checkout counter that finds with a model and names with a gallery.

    The SKUs are the gallery's; those that the model was trained on do not matter. The counting
    rule is the one that was chosen for this gallery, else the model's.

    Args:
        path: a model file; its detector finds.
        folder: the gallery.
        fusion: ask the model's own recogniser as well, as was chosen for this gallery.
        device: that it runs on, see `rpc.runs.devices`.
        looks: second looks at items whose name is in doubt.

    Raises:
        DataError: a file is missing or damaged, the gallery is empty or of an unknown recipe, or
            the model has no recogniser to ask.
    """
    counter, _ = _counter(path, device, recogniser=fusion)
    describe = describer_of(read_state(Path(folder)).recipe, device)
    return naming_by_gallery(counter, folder, describe, looks, fusion=fusion)


def load_ensemble_checkout(
    path: str | Path,
    folder: str | Path,
    *,
    device: str = "cpu",
    looks: SecondLooks = NO_LOOKS,
) -> Checkout:
    """A checkout counter whose recogniser is joined with a recognition system.

    The counting rule is the one that was chosen with the system, else the model's.

    Args:
        path: a model file with a recogniser.
        folder: of `rpc-checkout fuse`.
        device: that it runs on, see `rpc.runs.devices`.
        looks: second looks at items whose name is in doubt.

    Raises:
        DataError: a file is missing or damaged, the model has no recogniser, or the system was
            joined with another counter's.
    """
    counter, saved = _counter(path, device)
    own = counter.recogniser
    if own is None:
        raise DataError(f"{path}: has no recogniser to join with; leave the recognition system out")
    joined, ensemble = read_ensemble_classifier(folder, own, counter.taxonomy.names, device)
    chosen = ensemble.counting
    rule = counter.rule if chosen is None else rule_of(chosen, folder)
    counter = replace(counter, recogniser=joined, rule=rule)
    return looking_again(counter, looks, saved.words, saved.pictures)


def _counter(
    path: str | Path, device: str, *, recogniser: bool = True
) -> tuple[Checkout, SavedModel]:
    """The counter of a model file without second looks or doubt; and the file's content."""
    detector = Detector.load(path, device=device)
    saved = detector.saved
    names = recogniser_of(saved, device) if recogniser else None
    rule = rule_of(saved.counting, path)
    name, on = str(saved.path), str(detector.device)
    return Checkout(detector, detector.taxonomy, names, rule, name=name, device=on), saved


def _agnostic(counter: Checkout) -> bool:
    detector = counter.detector
    return isinstance(detector, Detector) and detector.agnostic


def recogniser_of(saved: SavedModel, device: str) -> Recogniser | None:
    """The recogniser of a model file, where there is one.

    Raises:
        DataError: its weights are those of something else.
    """
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
