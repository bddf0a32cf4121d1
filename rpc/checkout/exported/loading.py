"""A checkout counter from an exported folder: it runs in ONNX Runtime, and imports no torch."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from rpc.checkout.counter import Checkout
from rpc.checkout.exported.description import (
    DESCRIPTION,
    DESCRIPTOR,
    DETECTOR,
    GALLERY,
    RECOGNISER,
    CropSettings,
    Exported,
    exported_from_json,
)
from rpc.checkout.parts import SecondLooks, doubt_of, looking_again, naming_by_gallery, rule_of
from rpc.data.files import DataError, read_json, safe_join
from rpc.features.local.sku_pictures import SkuPictures, checked_jpeg
from rpc.inference.naming import NamesCrops
from rpc.inference.onnx_counter import OnnxDetector, OnnxLogits
from rpc.retrieval.descriptors.onnx_descriptor import OnnxDescriptor
from rpc.retrieval.descriptors.recipes import describer_of
from rpc.retrieval.gallery.gallery import DescribesPictures
from rpc.retrieval.gallery.gallery_files import read_state


def is_exported(path: str | Path) -> bool:
    """Whether a path is the folder of an exported counter, or shall be read as one."""
    return Path(path).is_dir()


def read_description(folder: str | Path) -> Exported:
    """All that an exported counter says of itself.

    Raises:
        DataError: it is no such folder, or its description is damaged.
    """
    path = Path(folder) / DESCRIPTION
    if not path.is_file():
        raise DataError(
            f"{folder}: no exported counter (no {DESCRIPTION}); make one with rpc-checkout export"
        )
    return exported_from_json(read_json(path), path)


def load_exported(
    folder: str | Path,
    gallery: str | Path | None = None,
    *,
    fusion: bool = False,
    device: str = "cpu",
    looks: SecondLooks | None = None,
) -> Checkout:
    """A checkout counter from an exported folder.

    Args:
        folder: of `rpc-checkout export`.
        gallery: that names items; None takes the folder's own, where it has one.
        fusion: with a gallery, ask the model's own recogniser as well.
        device: "auto" or "cpu", or "cuda" where ONNX Runtime was installed for it.
        looks: second looks at items whose name is in doubt; None takes none.

    Raises:
        DataError: a file is missing, damaged or another one than was exported, or parts do not fit
            one another.
    """
    folder, looks = Path(folder), looks or SecondLooks()
    found = read_description(folder)
    own = folder / GALLERY if found.gallery else None
    named_by = own if gallery is None else Path(gallery)
    counter = _counter(folder, found, device)
    if named_by is not None:
        describe = _describer(folder, found, named_by, device)
        return naming_by_gallery(counter, named_by, describe, looks, fusion=fusion)
    if counter.recogniser is None and found.labels == 1 and len(found.taxonomy) > 1:
        raise DataError(f"{folder}: finds items without naming them; give a gallery")
    pictures = _pictures(folder, found) if looks.pictures else None
    counter = looking_again(counter, looks, found.words, pictures)
    return replace(counter, doubt=doubt_of(found.doubt, folder))


def _describer(folder: Path, found: Exported, gallery: Path, device: str) -> DescribesPictures:
    """The descriptor that an exported counter brings; for galleries of another recipe, theirs.

    Raises:
        DataError: it brings none, or the gallery's needs torch, which is not installed.
    """
    own = descriptor_of(folder, found, device)
    recipe = read_state(gallery).recipe
    return own if recipe.get("name") == own.recipe.get("name") else describer_of(recipe, device)


def descriptor_of(folder: Path, found: Exported, device: str = "cpu") -> OnnxDescriptor:
    """The descriptor that an exported counter brings for galleries.

    Raises:
        DataError: it brings none, or a damaged one.
    """
    if DESCRIPTOR not in found.files:
        raise DataError(
            f"{folder}: brings no descriptor to use a gallery with; "
            "export the model again with --descriptor or --gallery"
        )
    content = _content(folder, found, DESCRIPTOR)
    return OnnxDescriptor(content, str(folder / DESCRIPTOR), device=device)


def _counter(folder: Path, found: Exported, device: str) -> Checkout:
    """The counter without second looks or doubt."""
    detector = OnnxDetector(
        _content(folder, found, DETECTOR),
        str(folder / DETECTOR),
        found.head,
        objectness=found.objectness,
        image_size=found.image_size,
        labels=found.labels,
        device=device,
    )
    crops = found.recogniser
    names = None if crops is None else _recogniser(folder, found, crops, device)
    on = "cpu" if device == "auto" else device
    rule = rule_of(found.counting, folder)
    return Checkout(detector, found.taxonomy, names, rule, name=str(folder), device=on)


def _recogniser(folder: Path, found: Exported, crops: CropSettings, device: str) -> NamesCrops:
    content, where = _content(folder, found, RECOGNISER), str(folder / RECOGNISER)
    classes = len(found.taxonomy) + 1
    logits = OnnxLogits(content, where, side=crops.side, classes=classes, device=device)
    return NamesCrops(logits, crops.side, classes, crops.turns, crops.settled)


def _pictures(folder: Path, found: Exported) -> list[SkuPictures] | None:
    if found.pictures is None:
        return None
    try:
        return [
            tuple(checked_jpeg(_content(folder, found, name)) for name in names)
            for names in found.pictures
        ]
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{folder}: {error}") from error


def _content(folder: Path, found: Exported, name: str) -> bytes:
    """The bytes of a file, which are those that were exported.

    Raises:
        DataError: it is missing, leads out of the folder, or was changed.
    """
    path, facts = safe_join(folder, name), found.files[name]
    try:
        if path.stat().st_size != facts.size:
            raise DataError(
                f"{path}: {path.stat().st_size} bytes, expected {facts.size}: damaged or another "
                "file; export the model again"
            )
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != facts.sha256:
        raise DataError(f"{path}: another file than was exported; export the model again")
    return content
