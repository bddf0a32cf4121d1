"""Cut-outs: products cut from their exemplars, as files between `synth.exemplar` and `.compose`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rpc.data.files import DataError, path_problem, read_json, safe_join, write_json
from rpc.data.images import Rgb, read_rgba

FILE_NAME = "cutouts.json"
VERSION = 1
LARGEST = 1e300  # of any number: neither infinity nor an integer too long for a float


@dataclass(frozen=True)
class Cutout:
    """One product cut from one exemplar.

    Attributes:
        file: RGBA PNG, relative to the folder of `cutouts.json`, tight on its mask.
        source: file name of the exemplar.
        category_id: the file's id of its SKU.
        camera: number of the camera; None where unknown.
        view: number of the shot; None where unknown.
        width: pixels of the PNG.
        height: pixels of the PNG.
        area: mask pixels.
        quality: how much the mask can be trusted, 0 to 1.
        pose_ratio: `area` over the largest of that SKU and camera, 0 to 1.
        weight: how often compose draws it, relative to the SKU's others; >= 0.
        scale: pixels of a scene 1000 px wide per pixel of the cut-out.
        keep: whether compose may use it.
        reason: why not: `pose`, `quality`, `hand`, ...; empty where it is kept.

    Raises:
        DataError: a value out of its range, or a file name that leads out of the folder.
    """

    file: str
    source: str
    category_id: int
    camera: int | None
    view: int | None
    width: int
    height: int
    area: int
    quality: float
    pose_ratio: float
    weight: float = 1.0
    scale: float = 1.0
    keep: bool = True
    reason: str = ""

    def __post_init__(self) -> None:
        if problem := path_problem(self.file):
            raise DataError(f"cut-out file: {problem}")
        for name in ("width", "height", "area", "category_id"):
            _check(self, name, "an integer >= 0", type(getattr(self, name)) is int, 0)
        for name in ("quality", "pose_ratio"):
            _check(self, name, "a fraction 0 to 1", True, 0, 1)
        for name in ("weight", "scale"):
            _check(self, name, "a finite number >= 0", True, 0)
        if type(self.keep) is not bool:
            raise DataError(f"cut-out {self.file}: keep: expected true or false, got {self.keep!r}")

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Cutout:
        """Cut-out of one entry of `cutouts.json`; unknown fields are passed over.

        Raises:
            DataError: a field is missing or out of range.
        """
        if not isinstance(entry, Mapping):
            raise DataError(f"cut-out: expected an object, got {entry!r:.80}")
        for field in fields(cls):
            if field.default is MISSING and field.name not in entry:
                raise DataError(
                    f"cut-out {entry.get('file')!r:.80}: the field '{field.name}' is missing"
                )
        return cls(
            **{field.name: entry[field.name] for field in fields(cls) if field.name in entry}
        )


@dataclass(frozen=True)
class CutoutSet:
    """The cut-outs of one store.

    Attributes:
        cutouts: in the order of the exemplars.
        root: the folder of `cutouts.json`.
        method: how the masks were made.
        store: the store they come from, as the file says it.
        left_out: ids of SKUs without any usable cut-out that somebody decided to do without:
            scenes never show them, and a counter that is trained on scenes never names them.
    """

    cutouts: tuple[Cutout, ...]
    root: Path
    method: str
    store: str = ""
    left_out: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "cutouts", tuple(self.cutouts))
        object.__setattr__(self, "left_out", tuple(self.left_out))

    def __len__(self) -> int:
        return len(self.cutouts)

    def kept(self) -> tuple[Cutout, ...]:
        """Those that compose may draw: kept, with a weight above 0."""
        return tuple(c for c in self.cutouts if c.keep and c.weight > 0)

    def path(self, cutout: Cutout) -> Path:
        """The file of a cut-out: never outside the folder.

        Raises:
            DataError: the name leads out of the folder.
        """
        return safe_join(self.root, cutout.file)

    def read(self, cutout: Cutout) -> Rgb:
        """The RGBA image (H, W, 4) uint8 of a cut-out.

        Raises:
            DataError: the file is missing or damaged, or has not the size that is listed.
        """
        rgba = read_rgba(self.path(cutout))
        if rgba.shape[:2] != (cutout.height, cutout.width):
            raise DataError(
                f"{self.path(cutout)}: expected {cutout.width}x{cutout.height} px as "
                f"{FILE_NAME} says, got {rgba.shape[1]}x{rgba.shape[0]}: make the cut-outs again"
            )
        return rgba


def read_cutouts(folder: str | Path) -> CutoutSet:
    """Read `cutouts.json` of a folder; the PNG files are not opened here.

    Raises:
        DataError: the file is missing or damaged, or of another version.
    """
    path = Path(folder) / FILE_NAME
    raw = read_json(path)
    if raw.get("version") != VERSION:
        raise DataError(f"{path}: expected version {VERSION}, got {raw.get('version')!r:.40}")
    entries = raw.get("cutouts")
    if not isinstance(entries, list):
        raise DataError(f"{path}: expected the field 'cutouts' with a list")
    try:
        cutouts = tuple(Cutout.from_dict(entry) for entry in entries)
    except DataError as error:
        raise DataError(f"{path}: {error}; make the cut-outs again") from error
    left_out = raw.get("left_out", [])
    if not isinstance(left_out, list) or not all(type(number) is int for number in left_out):
        raise DataError(f"{path}: left_out: expected a list of category ids, got {left_out!r:.80}")
    texts = (str(raw.get("method", "")), str(raw.get("store", "")))
    return CutoutSet(cutouts, Path(folder), *texts, tuple(left_out))


def write_cutouts(folder: str | Path, cutouts: CutoutSet) -> Path:
    """Write `cutouts.json` into a folder, whole or not at all; returns its path.

    Raises:
        DataError: the file cannot be written.
    """
    content = {
        "version": VERSION,
        "method": cutouts.method,
        "store": cutouts.store,
        **({"left_out": list(cutouts.left_out)} if cutouts.left_out else {}),
        "cutouts": [asdict(cutout) for cutout in cutouts.cutouts],
    }
    return write_json(Path(folder) / FILE_NAME, content, indent=1)


def _check(
    cutout: Cutout, name: str, expected: str, kind: bool, low: float, high: float = math.inf
) -> None:
    value = getattr(cutout, name)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (kind and number and low <= value <= min(high, LARGEST)):
        raise DataError(f"cut-out {cutout.file}: {name}: expected {expected}, got {value!r:.80}")
