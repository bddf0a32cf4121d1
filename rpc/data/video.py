"""Frames of a video file, evenly chosen; read again as often as wanted, never all in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError

Rgb = NDArray[np.uint8]  # (H, W, 3)


@dataclass(frozen=True)
class VideoFrames:
    """Some frames of a video.

    Attributes:
        path: the file.
        numbers: of the frames, rising, from 0.
        rate: frames a second; 0 where the file does not say.
    """

    path: Path
    numbers: tuple[int, ...]
    rate: float

    @classmethod
    def open(cls, path: str | Path, most: int = 60) -> VideoFrames:
        """Choose `most` frames at most, spread evenly from the first to the last.

        All frames are counted, as headers often tell a wrong number.

        Raises:
            DataError: the file is missing, is no video that OpenCV reads, or has no frame.
            ValueError: `most` is below 1.
        """
        if most < 1:
            raise ValueError(f"frames: expected 1 or more, got {most}")
        path = Path(path)
        capture = _open(path)
        try:
            rate = float(capture.get(cv2.CAP_PROP_FPS))
            count = 0
            while capture.grab():
                count += 1
        finally:
            capture.release()
        if not count:
            raise DataError(f"{path}: holds no frame that can be read; expected a video")
        return cls(path, tuple(spread(count, most)), rate if np.isfinite(rate) else 0.0)

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Rgb]:
        """The frames, RGB (H, W, 3), in their order.

        Raises:
            DataError: a frame that was there can no longer be read.
        """
        capture = _open(self.path)
        try:
            at = -1
            for number in self.numbers:
                while at < number and capture.grab():
                    at += 1
                read, bgr = capture.retrieve() if at == number else (False, None)
                if not read or bgr is None:
                    raise DataError(f"{self.path}: frame {number} cannot be read; is it damaged?")
                yield np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        finally:
            capture.release()


def spread(count: int, most: int) -> list[int]:
    """`most` numbers at most of 0 to count - 1, evenly, the first and the last among them."""
    if count <= most:
        return list(range(count))
    if most == 1:
        return [(count - 1) // 2]
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def _open(path: Path) -> cv2.VideoCapture:
    if not path.is_file():
        raise DataError(f"{path}: no such file; expected a video")
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise DataError(f"{path}: not a video that OpenCV can read; convert it to MP4 (H.264)")
    return capture
