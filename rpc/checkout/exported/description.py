"""The file `model.json` of an exported counter; each field is checked when it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rpc.data.files import DataError
from rpc.data.taxonomy import Taxonomy
from rpc.features.local.sku_pictures import MOST_PHOTOS
from rpc.features.text.sku_words import SkuWords, sku_words_from_json, sku_words_to_json
from rpc.inference.dense_head import DenseHead

FORMAT: Final = "rpc exported counter"
VERSION: Final = 1
DESCRIPTION: Final = "model.json"
DETECTOR: Final = "detector"
RECOGNISER: Final = "recogniser"
# Endings of a network's files, by the runtime that reads them.
ENDINGS: Final[Mapping[str, tuple[str, ...]]] = {"onnx": (".onnx",), "openvino": (".xml", ".bin")}
PRECISIONS: Final = ("float32", "int8")
DESCRIPTOR: Final = "descriptor.onnx"
GALLERY: Final = "gallery"  # a folder; it changes, so its files are not in the list
_NETWORKS: Final = frozenset(
    name + ending for name in (DETECTOR, RECOGNISER) for some in ENDINGS.values() for ending in some
)
_PICTURE: Final = re.compile(r"pictures/\d{1,6}_\d{1,3}\.jpg")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LARGEST: Final = 1 << 31  # bytes of a file
_SIDES: Final = (32, 8192)


@dataclass(frozen=True)
class FileFacts:
    """A file of the folder.

    Attributes:
        size: bytes.
        sha256: digest of them, in hexadecimal digits.
    """

    size: int
    sha256: str


@dataclass(frozen=True)
class CropSettings:
    """How a recogniser looks at crops, see `rpc.inference.naming.NamesCrops`.

    Attributes:
        side: of a crop, px.
        turns: quarter turns that a doubtful crop is seen in.
        settled: probability from which a first answer stands.
    """

    side: int
    turns: int
    settled: float

    def __post_init__(self) -> None:
        settled = type(self.settled) in (int, float) and 0 <= self.settled <= 2
        if not (_whole(self.side, 32, 1024) and _whole(self.turns, 1, 4) and settled):
            raise ValueError(
                "recogniser: expected a side of 32 to 1024 px, 1 to 4 turns and a probability, "
                f"got {self.side!r:.40}, {self.turns!r:.40}, {self.settled!r:.40}"
            )


@dataclass(frozen=True)
class Exported:
    """All that an exported counter consists of beside its networks.

    Attributes:
        taxonomy: the SKUs.
        image_size: side of the square that photos are laid into, px.
        labels: kinds of items that the detector tells apart: 1, or as many as SKUs.
        head: decodes what the detector says.
        objectness: whether the detector says apart how likely there is anything.
        recogniser: how crops are named; None where the detector names items.
        files: what the folder holds, by name.
        counting: `CountingRule.to_dict()`; None where no rule was chosen.
        doubt: `Doubt.to_dict()`; None where none was fitted.
        words: what was read on each SKU's exemplars, by label; None where nobody read.
        pictures: names of the files of each SKU's exemplar pictures, by label; None without any.
        gallery: whether the folder holds a gallery that names items.
        runtime: that runs detector and recogniser: "onnx" or "openvino".
        precision: of their arithmetic: "float32", or "int8" for most of it.
        origin: where it comes from, plain values.

    Raises:
        ValueError: a value is of another kind or out of its range.
    """

    taxonomy: Taxonomy
    image_size: int
    labels: int
    head: DenseHead
    objectness: bool
    recogniser: CropSettings | None
    files: Mapping[str, FileFacts] = field(repr=False)
    counting: Mapping[str, Any] | None = None
    doubt: Mapping[str, Any] | None = field(default=None, repr=False)
    words: tuple[SkuWords, ...] | None = field(default=None, repr=False)
    pictures: tuple[tuple[str, ...], ...] | None = field(default=None, repr=False)
    gallery: bool = False
    runtime: str = "onnx"
    precision: str = "float32"
    origin: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not _whole(self.image_size, *_SIDES):
            raise ValueError(f"image_size: expected 32 to 8192 px, got {self.image_size!r:.40}")
        if self.labels not in (1, len(self.taxonomy)) or type(self.labels) is not int:
            raise ValueError(
                f"labels: expected 1 or {len(self.taxonomy)}, one for each SKU, "
                f"got {self.labels!r:.40}"
            )
        if type(self.objectness) is not bool or type(self.gallery) is not bool:
            raise ValueError("objectness and gallery: expected true or false")
        for name, known in (("runtime", ENDINGS), ("precision", PRECISIONS)):
            if (value := getattr(self, name)) not in tuple(known):
                raise ValueError(f"{name}: expected {' or '.join(known)}, got {value!r:.40}")
        networks = [DETECTOR, *([] if self.recogniser is None else [RECOGNISER])]
        needed = {file for name in networks for file in network_files(name, self.runtime)}
        needed |= {name for some in self.pictures or () for name in some}
        needed |= {DESCRIPTOR} if self.gallery else set()
        if lacking := needed - set(self.files):
            raise ValueError(f"files: lacks {min(lacking)}")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        crops = self.recogniser
        return {
            "format": FORMAT,
            "version": VERSION,
            "image_size": self.image_size,
            "labels": self.labels,
            "head": self.head.to_dict(),
            "objectness": self.objectness,
            "recogniser": None if crops is None else vars(crops),
            "counting": None if self.counting is None else dict(self.counting),
            "doubt": None if self.doubt is None else dict(self.doubt),
            "categories": self.taxonomy.to_list(),
            "words": None if self.words is None else sku_words_to_json(self.words),
            "pictures": None if self.pictures is None else [list(one) for one in self.pictures],
            "gallery": self.gallery,
            "runtime": self.runtime,
            "precision": self.precision,
            "origin": dict(self.origin),
            "files": {name: [one.size, one.sha256] for name, one in self.files.items()},
        }


def network_files(name: str, runtime: str) -> list[str]:
    """Names of the files of a network."""
    return [name + ending for ending in ENDINGS[runtime]]


def exported_from_json(values: Mapping[str, Any], path: object) -> Exported:
    """The description of `Exported.to_json`.

    Args:
        values: what was read.
        path: of the file, for errors.

    Raises:
        DataError: another format or version, or a field that is missing or wrong.
    """
    if values.get("format") != FORMAT:
        raise DataError(f"{path}: not an exported counter; make one with rpc-checkout export")
    if values.get("version") != VERSION:
        raise DataError(
            f"{path}: version {values.get('version')!r:.40} of an exported counter, expected "
            f"{VERSION}; export the model again"
        )
    try:
        taxonomy = Taxonomy.from_list(values["categories"])
        crops, words, pictures = (values[name] for name in ("recogniser", "words", "pictures"))
        return Exported(
            taxonomy=taxonomy,
            image_size=values["image_size"],
            labels=values["labels"],
            head=DenseHead.from_dict(values["head"]),
            objectness=values["objectness"],
            recogniser=None if crops is None else _crops(crops),
            files=_files(values["files"]),
            counting=_optional(values["counting"], "counting"),
            doubt=_optional(values["doubt"], "doubt"),
            words=None if words is None else sku_words_from_json(words, len(taxonomy)),
            pictures=None if pictures is None else _pictures(pictures, len(taxonomy)),
            gallery=values["gallery"],
            runtime=values.get("runtime", "onnx"),  # the first folders did not say
            precision=values.get("precision", "float32"),
            origin=_optional(values["origin"], "origin") or {},
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"{error} is missing" if isinstance(error, KeyError) else error
        raise DataError(f"{path}: damaged: {message}; export the model again") from error


def _whole(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _crops(values: Any) -> CropSettings:
    names = {"side", "turns", "settled"}
    if not isinstance(values, Mapping) or set(values) != names:
        raise ValueError(f"recogniser: expected {', '.join(sorted(names))}, got {values!r:.60}")
    return CropSettings(**values)


def _files(values: Any) -> dict[str, FileFacts]:
    if not isinstance(values, Mapping):
        raise ValueError(f"files: expected sizes and digests by name, got {values!r:.60}")
    for name, facts in values.items():
        if name not in {*_NETWORKS, DESCRIPTOR} and not _PICTURE.fullmatch(name):
            raise ValueError(f"files: {name!r:.80} is no file of an exported counter")
        fine = isinstance(facts, list) and len(facts) == 2 and _whole(facts[0], 1, _LARGEST)
        if not (fine and isinstance(facts[1], str) and _DIGEST.fullmatch(facts[1])):
            raise ValueError(f"files: {name:.80}: expected a size and a SHA-256, got {facts!r:.80}")
    return {name: FileFacts(*facts) for name, facts in values.items()}


def _pictures(values: Any, skus: int) -> tuple[tuple[str, ...], ...]:
    fine = isinstance(values, Sequence) and len(values) == skus
    if not fine or any(not isinstance(one, list) or len(one) > MOST_PHOTOS for one in values):
        raise ValueError(f"pictures: expected a list of names for each of {skus} SKUs")
    if not all(
        isinstance(name, str) and _PICTURE.fullmatch(name) for one in values for name in one
    ):
        raise ValueError("pictures: expected names such as pictures/3_0.jpg")
    return tuple(tuple(one) for one in values)


def _optional(value: Any, name: str) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"{name}: expected an object or null, got {value!r:.40}")
    return value
