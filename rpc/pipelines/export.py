"""A model file as a folder that is counted with without torch."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rpc.checkout.counter import Checkout
from rpc.checkout.exported.description import (
    DESCRIPTION,
    DESCRIPTOR,
    DETECTOR,
    ENDINGS,
    GALLERY,
    RECOGNISER,
    CropSettings,
    Exported,
    FileFacts,
    network_files,
)
from rpc.checkout.exported.loading import load_exported
from rpc.checkout.loading import check_gallery, check_skus, load
from rpc.checkout.parts import SecondLooks
from rpc.checkout.trained import recogniser_of
from rpc.data.files import DataError, cannot_write, write_bytes, write_json
from rpc.data.store import Store
from rpc.detection.detector import Detector
from rpc.detection.model_file import SavedModel
from rpc.detection.onnx_export import detector_onnx, has_objectness
from rpc.features.local.sku_pictures import SkuPictures
from rpc.inference.naming import SETTLED, TURNS
from rpc.recognition.counter.onnx_export import recogniser_onnx
from rpc.recognition.counter.recogniser import Recogniser
from rpc.reporting.provenance import sha256
from rpc.retrieval.gallery.gallery_files import ROOMS, STATE, read_state, reading
from rpc.runs.openvino_files import int8_bytes, openvino_bytes
from rpc.runs.progress import bar
from rpc.version import __version__

if TYPE_CHECKING:
    from rpc.pipelines.int8 import Trial

ALL_LOOKS: Final = SecondLooks(words=True, pictures=True)  # as `rpc.load` counts


@dataclass(frozen=True)
class ExportRequest:
    """A model file, and what is written of it.

    Attributes:
        model: the model file of a training.
        out: folder to write; an exported counter that is there is replaced.
        gallery: that names items; it is copied.
        descriptor: bring the descriptor of galleries, so that one can be used or made without
            torch; a gallery brings it in any case.
        format: of the networks, and so what runs them: "onnx" or "openvino".
        int8: most of their arithmetic in int8, for `openvino`; the lists of val trays stay.
        data: the store whose exemplars show the ranges of int8, and whose val trays are compared.

    Raises:
        DataError: they do not go together.
    """

    model: Path
    out: Path
    gallery: Path | None = None
    descriptor: bool = False
    format: str = "onnx"
    int8: bool = False
    data: Path | None = None

    def __post_init__(self) -> None:
        if self.format not in ENDINGS:
            raise DataError(f"--format {self.format:.40}: expected {' or '.join(ENDINGS)}")
        if self.int8 and self.format != "openvino":
            raise DataError("--int8: is made for OpenVINO alone; add --format openvino")
        if self.int8 and self.data is None:
            raise DataError(
                "--int8: expected --data STORE: its exemplars show what the networks see, its val "
                "trays whether lists change"
            )


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
    detector = Detector.load(request.model)
    networks = _networks(detector)
    trial = _begin_trial(request) if request.int8 else None
    files, pictures = _other_files(request, detector.saved)
    files |= _in_format(request, detector, networks, trial)
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
            if trial is None:
                load_exported(part)
            else:
                shown = trial.end(load_exported(part, looks=ALL_LOOKS))
                described = replace(described, origin={**described.origin, "int8": shown})
                write_json(part / DESCRIPTION, described.to_json())
            if out.exists():
                out.rename(Path(beside) / "old")
            part.rename(out)
    except OSError as error:
        raise cannot_write(out, error) from error
    return out


def _networks(detector: Detector) -> dict[str, bytes]:
    """Detector and, where there is one, recogniser as ONNX, by name."""
    networks = {DETECTOR: detector_onnx(detector)}
    recogniser = recogniser_of(detector.saved, "cpu")
    if recogniser is not None:
        networks[RECOGNISER] = recogniser_onnx(recogniser.model)
    return networks


def _begin_trial(request: ExportRequest) -> Trial:
    """The val trays counted by the model file, before anything that takes long.

    Raises:
        DataError: the store has other SKUs, or no val trays.
    """
    # Here: it composes trays, for which no other export needs the packages.
    from rpc.pipelines.int8 import Trial

    assert request.data is not None, "refused before"
    store = Store.open(request.data)
    counter = load(request.model, request.gallery, device="cpu")
    if request.gallery is None:
        check_skus(counter, store.taxonomy)
    else:
        check_gallery(counter.taxonomy, store.taxonomy, request.gallery)
    return Trial.begin(store, counter)


def _in_format(
    request: ExportRequest, detector: Detector, networks: Mapping[str, bytes], trial: Trial | None
) -> dict[str, bytes]:
    """Content of the networks' files by name, as the request wants them."""
    if request.format == "onnx":
        return {f"{name}.onnx": content for name, content in networks.items()}
    made = {name: openvino_bytes(content) for name, content in networks.items()}
    if trial is not None:
        from rpc.pipelines.int8 import examples_of

        recogniser = recogniser_of(detector.saved, "cpu")
        crop = None if recogniser is None else recogniser.model.side
        calls = examples_of(trial.store, detector, crop, Checkout.floor)
        for name, some in ((DETECTOR, calls.detector), (RECOGNISER, calls.recogniser)):
            if name in networks:
                with bar(f"quantising the {name}") as progress:
                    made[name] = int8_bytes(networks[name], some, progress)
    return {
        file: content
        for name, contents in made.items()
        for file, content in zip(network_files(name, request.format), contents, strict=True)
    }


def _other_files(
    request: ExportRequest, saved: SavedModel
) -> tuple[dict[str, bytes], tuple[tuple[str, ...], ...] | None]:
    """Content by name of what is no network of the counter; the names of pictures by label."""
    files: dict[str, bytes] = {}
    if request.descriptor or request.gallery is not None:
        files[DESCRIPTOR] = _descriptor(request.gallery)
    if saved.pictures is None:
        return files, None
    named = _named(saved.pictures)
    files |= {name: data for one in named for name, data in one.items()}
    return files, tuple(tuple(one) for one in named)


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
        runtime=request.format,
        precision="int8" if request.int8 else "float32",
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
