"""The recognition systems by name, each imported when it is asked for.

The figures that their papers give stand in docs/recognition.md.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args, get_type_hints

from rpc.data.files import DataError
from rpc.recognition.systems.system import System
from rpc.runs.settings import typed_values

_SYSTEMS: Final = "rpc.recognition.systems."
_ANY: Final = frozenset({"stage"})  # counted from the end below 0
_LEAST: Final = {"objects": 0, "rounds": 0}  # of whole numbers, where it is not 1
_PARTS_OF_ONE: Final = frozenset(
    {"dropout", "head_share", "kept", "smoothing", "start_share", "window"}
)


@dataclass(frozen=True)
class Entry:
    """A system that can be built by name.

    Attributes:
        title: for people.
        source: the paper.
        module: where it is, in `rpc.recognition.systems`.
        made: name of its class.
        preset: arguments that make it this one of the class's systems.
        usual: arguments that settings may replace, where they are not the class's own defaults.
    """

    title: str
    source: str
    module: str
    made: str
    preset: Mapping[str, Any] = field(default_factory=dict)
    usual: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> type[System]:
        """The class."""
        found: type[System] = getattr(importlib.import_module(_SYSTEMS + self.module), self.made)
        return found


SYSTEMS: Final[Mapping[str, Entry]] = {
    "baseline": Entry("Baseline", "a plain backbone", "baseline", "Baseline"),
    "bilinear": Entry(
        "B-CNN",
        "Lin, RoyChowdhury, Maji, ICCV 2015",
        "bilinear",
        "BilinearCnn",
        {"pooling": "bilinear"},
    ),
    "bilinear_dm": Entry(
        "B-CNN, two backbones",
        "Lin, RoyChowdhury, Maji, ICCV 2015",
        "bilinear",
        "BilinearCnn",
        {"pooling": "bilinear"},
        {"second": "efficientnet_lite0"},
    ),
    "compact": Entry(
        "Compact bilinear pooling",
        "Gao, Beijbom, Zhang, Darrell, CVPR 2016",
        "bilinear",
        "BilinearCnn",
        {"pooling": "compact"},
    ),
    "isqrt": Entry(
        "iSQRT-COV",
        "Li, Xie, Wang, Gao, CVPR 2018",
        "bilinear",
        "BilinearCnn",
        {"pooling": "isqrt"},
    ),
    "st_cnn_2": Entry(
        "ST-CNN, 2 windows",
        "Jaderberg, Simonyan, Zisserman, Kavukcuoglu, NIPS 2015",
        "st_cnn",
        "StCnn",
        {"windows": 2, "transform": "translation"},
    ),
    "st_cnn_4": Entry(
        "ST-CNN, 4 windows",
        "Jaderberg, Simonyan, Zisserman, Kavukcuoglu, NIPS 2015",
        "st_cnn",
        "StCnn",
        {"windows": 4, "transform": "translation"},
    ),
    "st_cnn_affine": Entry(
        "ST-CNN, affine",
        "Jaderberg, Simonyan, Zisserman, Kavukcuoglu, NIPS 2015",
        "st_cnn",
        "StCnn",
        {"transform": "affine"},
    ),
    "ra_cnn": Entry("RA-CNN", "Fu, Zheng, Mei, CVPR 2017", "ra_cnn", "RaCnn"),
    "ma_cnn": Entry("MA-CNN", "Zheng, Fu, Mei, Luo, ICCV 2017", "ma_cnn", "MaCnn"),
    "mask_cnn": Entry("Mask-CNN", "Wei, Xie, Wu, Shen, PR 2018", "mask_cnn", "MaskCnn"),
    "mask_cnn_boxes": Entry(
        "Mask-CNN, masks from boxes",
        "Wei, Xie, Wu, Shen, PR 2018",
        "mask_cnn",
        "MaskCnn",
        {"masks": "boxes"},
    ),
    "part_rcnn": Entry(
        "Part-based R-CNN",
        "Zhang, Donahue, Girshick, Darrell, ECCV 2014",
        "part_rcnn",
        "PartRcnn",
    ),
    "weak_parts": Entry(
        "Weakly supervised parts",
        "Zhang, Wei, Wu, Cai, Lu, Nguyen, Do, TIP 2016",
        "weak_parts",
        "WeakParts",
    ),
    "nac": Entry(
        "Neural activation constellations",
        "Simon, Rodner, ICCV 2015",
        "constellations",
        "Constellations",
    ),
}


@dataclass(frozen=True)
class SystemSettings:
    """Which system, and how it is built.

    Attributes:
        name: of `SYSTEMS`.
        side: S of the photos, px.
        options: arguments of its class by name; its own defaults where there are none.
    """

    name: str
    side: int
    options: Mapping[str, Any] = field(default_factory=dict)


def build_system(settings: SystemSettings, num_classes: int, *, pretrained: bool = True) -> System:
    """A fresh system.

    Args:
        settings: which one.
        num_classes: K.
        pretrained: whether published weights may start it (an option can still say no); False
            where a file of weights follows.

    Raises:
        DataError: the name or an option is unknown, or a value is of the wrong type or range.
    """
    if settings.name not in SYSTEMS:
        raise DataError(f"system {settings.name!r:.80}: expected one of {', '.join(SYSTEMS)}")
    entry = SYSTEMS[settings.name]
    made = entry.load()
    hints = {
        name: hint
        for name, hint in get_type_hints(made.__init__).items()
        if name not in ("num_classes", "side", "return", *entry.preset)
    }
    where = f"system {settings.name}"
    options = typed_values(hints, settings.options, where)
    for name, value in options.items():
        _require_range(name, value, hints[name], where)
    if not pretrained and "pretrained" in hints:
        options["pretrained"] = False
    try:
        return made(num_classes, settings.side, **{**entry.preset, **entry.usual, **options})
    except DataError:
        raise
    except (ValueError, RuntimeError) as error:  # torch answers impossible sizes with either
        raise DataError(f"{where}: {' '.join(str(error).split()):.300}") from error


def _require_range(name: str, value: object, hint: object, where: str) -> None:
    """Refuse a number that no option of its name can have; the systems know more of their own.

    Raises:
        DataError: it is one.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or name in _ANY:
        return
    whole = float not in (hint, *get_args(hint))
    least = 32 if name.endswith("_side") else _LEAST.get(name, 1 if whole else 0)
    most = 1 if name in _PARTS_OF_ONE else math.inf
    if not least <= value <= most or not math.isfinite(value):
        upper = f" to {most}" if most == 1 else " or more"
        raise DataError(f"{where}.{name}: expected {least}{upper}, got {value}")


def require_needs(system: System, known: frozenset[str], data: str) -> None:
    """Refuse data that lack what a system learns from.

    Args:
        system: with its `needs`.
        known: what the data have besides labels: "boxes", "points".
        data: their name, for the error.

    Raises:
        DataError: something is missing.
    """
    words = {"boxes": "boxes of the objects", "points": "key points"}
    lacks = [words.get(need, need) for need in system.needs if need not in known]
    if lacks:
        raise DataError(
            f"{data}: has no {' and no '.join(lacks)}, which {type(system).__name__} learns from; "
            "choose a system that needs labels alone, such as baseline"
        )
