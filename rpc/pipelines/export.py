"""A model file as a folder that is counted with without torch."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rpc.checkout.exported.description import (
    DESCRIPTION,
    DESCRIPTOR,
    DETECTOR,
    GALLERY,
    RECOGNISER,
    CropSettings,
    Exported,
    FileFacts,
)
from rpc.checkout.exported.loading import load_exported
from rpc.checkout.trained import recogniser_of
from rpc.data.files import DataError, cannot_write, write_bytes, write_json
from rpc.detection.detector import Detector
from rpc.detection.model_file import SavedModel
from rpc.detection.onnx_export import detector_onnx, has_objectness
from rpc.features.local.sku_pictures import SkuPictures
from rpc.inference.naming import SETTLED, TURNS
from rpc.recognition.counter.onnx_export import recogniser_onnx
from rpc.recognition.counter.recogniser import Recogniser
from rpc.reporting.provenance import sha256
from rpc.retrieval.gallery.gallery_files import ROOMS, STATE, read_state, reading
from rpc.version import __version__


@dataclass(frozen=True)
class ExportRequest:
    """A model file, and what is written of it.

    Attributes:
        model: the model file of a training.
        out: folder to write; an exported counter that is there is replaced.
        gallery: that names items; it is copied.
        descriptor: bring the descriptor of galleries, so that one can be used or made without
            torch; a gallery brings it in any case.
    """

    model: Path
    out: Path
    gallery: Path | None = None
    descriptor: bool = False


def export_model(request: ExportRequest) -> Path:
    """Write the folder, whole or not at all; it is read once before it takes its place.

    Returns:
        The folder.

    Raises:
        DataError: the model or gallery is missing, damaged or of a kind that is not exported, or
            the folder holds something else or cannot be written.
    """
    out = request.out
    if out.is_symlink() or (out.exists() and not _replaceable(out)):
        raise DataError(f"{out}: holds no exported counter to replace; choose a new folder")
    files, pictures, detector = _files(request)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as beside:
            part = Path(beside) / "new"
            for name, content in files.items():
                write_bytes(part / name, content)
            if request.gallery is not None:
                _copy_gallery(request.gallery, part / GALLERY)
            facts = {
                name: FileFacts(len(content), hashlib.sha256(content).hexdigest())
                for name, content in files.items()
            }
            described = _described(request, detector, facts, pictures)
            write_json(part / DESCRIPTION, described.to_json())
            load_exported(part)
            if out.exists():
                out.rename(Path(beside) / "old")
            part.rename(out)
    except OSError as error:
        raise cannot_write(out, error) from error
    return out


def _files(
    request: ExportRequest,
) -> tuple[dict[str, bytes], tuple[tuple[str, ...], ...] | None, Detector]:
    """Content of each file by name; the names of pictures by label; and the detector."""
    detector = Detector.load(request.model)
    saved = detector.saved
    files = {DETECTOR: detector_onnx(detector)}
    recogniser = recogniser_of(saved, "cpu")
    if recogniser is not None:
        files[RECOGNISER] = recogniser_onnx(recogniser.model)
    if request.descriptor or request.gallery is not None:
        files[DESCRIPTOR] = _descriptor(request.gallery)
    pictures = None
    if saved.pictures is not None:
        named = _named(saved.pictures)
        files |= {name: data for one in named for name, data in one.items()}
        pictures = tuple(tuple(one) for one in named)
    return files, pictures, detector


def _named(pictures: tuple[SkuPictures, ...]) -> list[dict[str, bytes]]:
    """Content by name of each SKU's pictures."""
    return [
        {f"pictures/{label}_{number}.jpg": data for number, data in enumerate(one)}
        for label, one in enumerate(pictures)
    ]


def _descriptor(gallery: Path | None) -> bytes:
    # Here: it needs timm and the network's own weights, which no other part does.
    from rpc.retrieval.descriptors.onnx_export import descriptor_onnx
    from rpc.retrieval.descriptors.product_descriptor import ProductDescriptor
    from rpc.retrieval.descriptors.recipes import describer_of

    made = ProductDescriptor() if gallery is None else describer_of(read_state(gallery).recipe)
    if not isinstance(made, ProductDescriptor):
        raise DataError(
            f"{gallery}: made with the recipe {made.recipe['name']!r:.40}, which is not exported; "
            "add its photos to a gallery of the recipe 'product'"
        )
    return descriptor_onnx(made)


def _copy_gallery(source: Path, target: Path) -> None:
    """The files of a gallery as it is now, without its locks."""
    with reading(source):
        for room, names in ROOMS.items():
            for path in sorted((source / room).glob("*")):
                if names.fullmatch(path.name) and path.is_file():
                    (target / room).mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target / room / path.name)
        shutil.copyfile(source / STATE, target / STATE)


def _described(
    request: ExportRequest,
    detector: Detector,
    files: Mapping[str, FileFacts],
    pictures: tuple[tuple[str, ...], ...] | None,
) -> Exported:
    saved, head = detector.saved, detector.head
    assert head is not None, "refused before"
    recogniser = recogniser_of(saved, "cpu")
    return Exported(
        taxonomy=saved.taxonomy,
        image_size=detector.image_size[0],
        labels=detector.model.bbox_head.num_classes,
        head=head,
        objectness=has_objectness(detector),
        recogniser=None if recogniser is None else _crops(recogniser),
        files=files,
        counting=saved.counting,
        doubt=saved.doubt,
        words=saved.words,
        pictures=pictures,
        gallery=request.gallery is not None,
        origin=_origin(request.model, saved),
    )


def _crops(recogniser: Recogniser) -> CropSettings:
    return CropSettings(recogniser.model.side, TURNS, SETTLED)


def _origin(model: Path, saved: SavedModel) -> dict[str, Any]:
    return {
        "model": model.name,
        "sha256": sha256(model),
        "version": __version__,
        "meta": dict(saved.meta),
    }


def _replaceable(out: Path) -> bool:
    return out.is_dir() and ((out / DESCRIPTION).is_file() or not any(out.iterdir()))
