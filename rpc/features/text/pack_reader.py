"""Reads packs with rapidocr: the PP-OCR networks that come inside its wheel, on onnxruntime.

A product on a tray lies in any direction. The network that finds text also finds it aslant and
upside down, as a quadrilateral; only which end of a line is its beginning remains open. So text is
found once or at a few sizes, each line is laid flat, and read both ways; the surer way counts.
docs/words.md compares that with four passes over the whole picture.

Nothing is fetched: the paths of the networks are given, and nothing is drawn.

Key: Q quadrilaterals.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.data.packages import needed
from rpc.features.text.barcodes import BarcodeReader
from rpc.structures.readings import LONGEST, PackText, Reading, Rgb

NETWORKS: Final = {"Det": "PP-OCRv6_det_small.onnx", "Rec": "PP-OCRv6_rec_small.onnx"}
SIDES: Final = (640,)  # px: the longer side of a picture when text is looked for
LEAST: Final = 0.5  # confidence of a line that is kept
LONG: Final = 1.5  # a quadrilateral so many times longer than wide is written along its length


class PackReader:
    """Reads the words and barcodes on pictures of products.

    Args:
        threads: of the networks.

    Raises:
        DataError: the extra `words` is not installed.
    """

    def __init__(self, threads: int = 1) -> None:
        self._words, self._codes = WordReader(threads), BarcodeReader()

    def __call__(self, picture: Rgb) -> PackText:
        """Text and barcodes on a picture (H, W, 3) uint8 RGB."""
        return PackText(self._words(picture), self._codes(picture))


class WordReader:
    """Reads the text on pictures of products.

    Args:
        threads: of the networks.
        sides: text is looked for at each of these sizes, px of the longer side.
        least: confidence from which a line is kept.

    Raises:
        DataError: rapidocr is not installed, or another release of it, which lacks the networks.
    """

    def __init__(
        self, threads: int = 1, sides: Sequence[int] = SIDES, least: float = LEAST
    ) -> None:
        if threads < 1 or not sides or min(sides) < 32 or not 0 <= least <= 1:
            raise ValueError(
                f"reader: expected 1 thread or more, sides of 32 px or more and a confidence of 0 "
                f"to 1, got {threads}, {tuple(sides)}, {least}"
            )
        self.sides, self.least = tuple(sides), least
        self._engine = _engine(threads)

    def __call__(self, picture: Rgb) -> tuple[Reading, ...]:
        """The lines on a picture (H, W, 3) uint8 RGB, surest first; a text once."""
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise ValueError(f"picture: expected (H, W, 3) uint8, got {picture.shape}")
        if min(picture.shape[:2]) < 4:
            return ()
        best: dict[str, float] = {}
        for side in self.sides:
            for text, confidence in self._lines(_scaled(picture, side)):
                best[text] = max(best.get(text, 0.0), confidence)
        order = sorted(best.items(), key=lambda one: (-one[1], one[0]))
        return tuple(Reading(text[:LONGEST], min(sure, 1.0)) for text, sure in order)

    def _lines(self, bgr: NDArray[np.uint8]) -> list[tuple[str, float]]:
        """Text and confidence of each line of a picture at one size."""
        found = self._engine.text_det(bgr)
        if found.boxes is None or len(found.boxes) == 0:
            return []
        views: list[NDArray[np.uint8]] = []
        owner: list[int] = []
        for number, corners in enumerate(found.boxes):
            ways = reading_ways(laid_flat(bgr, np.asarray(corners, dtype=np.float32)))
            views += ways
            owner += [number] * len(ways)
        read = self._engine.recognize_txt(views)
        lines = [("", 0.0)] * len(found.boxes)
        for number, text, sure in zip(owner, read.txts, read.scores, strict=True):
            if float(sure) > lines[number][1]:
                lines[number] = (str(text).strip(), float(sure))
        return [(text, sure) for text, sure in lines if text and sure >= self.least]


def laid_flat(picture: NDArray[np.uint8], corners: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lay what a quadrilateral frames flat, as an upright rectangle.

    Args:
        picture: (H, W, 3).
        corners: (4, 2) px, clockwise from the upper left one.
    """
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    width, height = (max(round(float(max(pair))), 1) for pair in (sides[0::2], sides[1::2]))
    goal = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, goal)
    flat = cv2.warpPerspective(
        picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(flat, dtype=np.uint8)


def reading_ways(flat: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The ways to read a flat piece: along its length from both ends; a squarish one all four."""
    height, width = flat.shape[:2]
    turns = (0, 2) if width >= LONG * height else (1, 3) if height >= LONG * width else (0, 1, 2, 3)
    return [np.ascontiguousarray(np.rot90(flat, turn)) for turn in turns]


def _scaled(rgb: Rgb, side: int) -> NDArray[np.uint8]:
    """A picture as BGR whose longer side is `side` px, its shorter one at least 32."""
    scale = side / max(rgb.shape[:2])
    size = tuple(max(round(length * scale), 32) for length in rgb.shape[1::-1])
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    return np.ascontiguousarray(
        cv2.resize(np.ascontiguousarray(rgb[:, :, ::-1]), size, None, 0, 0, how)
    )


def check_networks() -> None:
    """Make sure that a rapidocr that is there brings its networks, without loading them.

    Raises:
        DataError: it is another release, which lacks one.
    """
    found = find_spec("rapidocr")
    if found is not None and found.origin is not None:
        _networks(Path(found.origin).parent)


def _networks(package: Path) -> dict[str, Path]:
    """The files of the networks, by part.

    Raises:
        DataError: one is missing.
    """
    folder = package / "models"
    missing = [name for name in NETWORKS.values() if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"rapidocr: lacks the network {missing[0]}; expected release 3.10.0: "
            "pip install 'rpc-checkout[words]'"
        )
    return {part: folder / name for part, name in NETWORKS.items()}


def _engine(threads: int) -> Any:
    """Make rapidocr's networks that find and read text, without its log on the screen."""
    with needed("rapidocr"):
        importlib.import_module("onnxruntime")
        package: Any = importlib.import_module("rapidocr")
    networks = _networks(Path(package.__file__).parent)
    settings: dict[str, Any] = {
        "Global.log_level": "error",
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "Det.limit_type": "min",  # pictures come at the size that is wanted
        "Det.limit_side_len": 32,
        **{f"{part}.model_path": str(path) for part, path in networks.items()},
    }
    engine = package.RapidOCR(params=settings)
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    engine.update_params(use_cls=False)
    engine._load_det_model()
    engine._load_rec_model()
    return engine
