"""A checkout counter from an exported folder: in ONNX Runtime or OpenVINO, without torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

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
    network_files,
)
from rpc.checkout.parts import SecondLooks, doubt_of, looking_again, naming_by_gallery, rule_of
from rpc.data.files import DataError, read_json, safe_join
from rpc.features.local.sku_pictures import SkuPictures, checked_jpeg
from rpc.inference.naming import NamesCrops
from rpc.inference.network import Network, OpensNetwork
from rpc.inference.network_counter import NetworkDetector, NetworkLogits
from rpc.retrieval.descriptors.recipes import describer_of
from rpc.retrieval.gallery.gallery import DescribesPictures
from rpc.retrieval.gallery.gallery_files import read_state

if TYPE_CHECKING:
    from rpc.retrieval.descriptors.onnx_descriptor import OnnxDescriptor


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
    threads: int | None = None,
) -> Checkout:
    """A checkout counter from an exported folder.

    Args:
        folder: of `rpc-checkout export`.
        gallery: that names items; None takes the folder's own, where it has one.
        fusion: with a gallery, ask the model's own recogniser as well.
        device: "auto" or "cpu", or "cuda" where ONNX Runtime was installed for it.
        looks: second looks at items whose name is in doubt; None takes none.
        threads: of detector and recogniser; None takes the runtime's choice.

    Raises:
        DataError: a file is missing, damaged or another one than was exported, or parts do not fit
            one another.
    """
    folder, looks = Path(folder), looks or SecondLooks()
    found = read_description(folder)
    own = folder / GALLERY if found.gallery else None
    named_by = own if gallery is None else Path(gallery)
    counter = _counter(folder, found, device, threads)
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
    # Here: OpenVINO's counters without a gallery need no ONNX Runtime.
    from rpc.retrieval.descriptors.onnx_descriptor import OnnxDescriptor

    content = _content(folder, found, DESCRIPTOR)
    return OnnxDescriptor(content, str(folder / DESCRIPTOR), device=device)


def _counter(folder: Path, found: Exported, device: str, threads: int | None) -> Checkout:
    """The counter without second looks or doubt."""
    detector = NetworkDetector(
        _opens(folder, found, DETECTOR, device, threads),
        found.head,
        objectness=found.objectness,
        image_size=found.image_size,
        labels=found.labels,
    )
    crops = found.recogniser
    opens = _opens(folder, found, RECOGNISER, device, threads)
    names = None if crops is None else _recogniser(opens, crops, len(found.taxonomy) + 1)
    on = "cpu" if device == "auto" else device
    rule = rule_of(found.counting, folder)
    return Checkout(detector, found.taxonomy, names, rule, name=str(folder), device=on)


def _recogniser(opens: OpensNetwork, crops: CropSettings, classes: int) -> NamesCrops:
    logits = NetworkLogits(opens, side=crops.side, classes=classes)
    return NamesCrops(logits, crops.side, classes, crops.turns, crops.settled, logits.features)


def _opens(
    folder: Path, found: Exported, name: str, device: str, threads: int | None
) -> OpensNetwork:
    """The way to open a network by the folder's runtime, of which no other is imported."""
    files = network_files(name, found.runtime)
    where = str(folder / files[0])

    def opens(inputs: Mapping[str, str], outputs: Sequence[str]) -> Network:
        content = [_content(folder, found, file) for file in files]
        if found.runtime == "openvino":
            from rpc.inference.openvino_network import OpenvinoNetwork

            graph, weights = content
            return OpenvinoNetwork(
                graph, weights, where, inputs, outputs, device=device, threads=threads
            )
        from rpc.inference.session import OnnxNetwork

        return OnnxNetwork(content[0], where, inputs, outputs, device=device, threads=threads)

    return opens


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
