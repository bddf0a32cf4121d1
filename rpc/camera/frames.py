"""Frames of whatever shows a tray: a webcam, a network stream, a video file, a folder of photos."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.camera.live import LiveSource, newest_frames
from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.files import DataError
from rpc.data.images import read_image
from rpc.data.photo_files import find_photos

Rgb = NDArray[np.uint8]

PHOTOS_A_SECOND: Final = 10.0  # of a folder, where nobody says how long each is shown
BETWEEN_S: Final = 1.5  # for which the empty tray is shown between photos
MEDIAN_OF: Final = 25  # photos, at most
SCHEMES: Final = ("rtsp", "rtsps", "http", "https")
WHOLE: Final = 0.9  # share of the frames a file promises: with fewer it breaks off


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a camera.

    Attributes:
        time_s: when it was taken, in seconds from any start.
        rgb: (H, W, 3) uint8.
    """

    time_s: float
    rgb: Rgb


def is_live(source: str | int | Path) -> bool:
    """Whether a source is a camera's number or a stream's address, not a file or folder."""
    text = str(source)
    return (text.isascii() and text.isdigit()) or "://" in text


def frames_of(
    source: str | int | Path, *, hold_s: float = 0.0, paced: bool = False, loop: bool = False
) -> Iterator[Frame]:
    """Frames of a source, one after the other.

    A live source gives the newest frame, however long the last one was worked on, and is opened
    again where it breaks off. Times of live frames come from a clock that never runs back, those
    of a file from the file.

    Args:
        source: number of a webcam, address of a stream (rtsp, http), file of a video, or folder of
            photos, which are frames in the order of their names.
        hold_s: each photo of a folder is shown for so many seconds, and before each the empty tray
            for `BETWEEN_S`, as the photos' blurred median; 0: `PHOTOS_A_SECOND`, nothing between.
        paced: a file or folder is played as fast as it was taken, as a camera would be; frames
            for which there was no time are left out.
        loop: a file or folder starts again at its end; times go on rising.

    Raises:
        DataError: there is no such camera, stream, file or folder, it cannot be read, or a video
            breaks off before its end.
        ValueError: `hold_s` is negative.
    """
    if hold_s < 0:
        raise ValueError(f"hold_s: expected 0 or more seconds, got {hold_s}")
    if is_live(source):
        text = str(source)
        if "://" in text and text.partition("://")[0].lower() not in SCHEMES:
            raise DataError(f"{text.partition('://')[0]}://: expected {', '.join(SCHEMES)}")
        return (Frame(time_s, rgb) for time_s, rgb in newest_frames(LiveSource(text)))
    path = Path(str(source))
    if path.is_dir():
        photos = find_photos(path, "frames of a camera").photos
        frames = repeated(lambda: _folder_frames(photos, hold_s), loop)
    elif path.is_file():
        frames = repeated(lambda: _video_frames(path), loop)
    else:
        raise DataError(
            f"{path}: no such file or folder; expected a video, a folder of photos, the number of "
            "a camera or the address of a stream"
        )
    return in_time(frames) if paced else frames


def length_s(source: str | int | Path) -> float | None:
    """How long a video says it is; None where it does not say, and of a camera."""
    if is_live(source) or not Path(str(source)).is_file():
        return None
    capture = cv2.VideoCapture(str(source))
    try:
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        count = float(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    finally:
        capture.release()
    known = np.isfinite(rate) and np.isfinite(count) and rate > 0 and count > 0
    return count / rate if known else None


def repeated(start: Callable[[], Iterator[Frame]], loop: bool) -> Iterator[Frame]:
    """Frames once, or again and again, their times rising on."""
    offset, last = 0.0, 0.0
    while True:
        for frame in start():
            last = frame.time_s + offset
            yield Frame(last, frame.rgb)
        if not loop:
            return
        offset = last + 1 / PHOTOS_A_SECOND


def in_time(
    frames: Iterator[Frame],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Frame]:
    """Frames as fast as they were taken; those for which it is too late are left out."""
    begin: float | None = None
    late = 0
    for frame in frames:
        if begin is None:
            begin = clock() - frame.time_s
        wait = begin + frame.time_s - clock()
        if wait < -0.2 and late < 50:  # some are shown all the same, however slow the watcher
            late += 1
            continue
        late = 0
        if wait > 0:
            sleep(wait)
        yield frame


def _folder_frames(photos: tuple[Path, ...] | list[Path], hold_s: float) -> Iterator[Frame]:
    """Each photo once; or for `hold_s`, with the empty tray before it."""
    empty = _median_photo(photos) if hold_s else None
    number = 0
    for photo in photos:
        rgb = read_image(photo)
        shown = [rgb] * max(round(hold_s * PHOTOS_A_SECOND), 1)
        if empty is not None:
            size = (rgb.shape[1], rgb.shape[0])
            between = np.asarray(cv2.resize(empty, size, interpolation=cv2.INTER_AREA), np.uint8)
            shown = [between] * round(BETWEEN_S * PHOTOS_A_SECOND) + shown
        for one in shown:
            yield Frame(number / PHOTOS_A_SECOND, one)
            number += 1


def _median_photo(photos: tuple[Path, ...] | list[Path]) -> Rgb:
    """The blurred median of some photos of one camera: items lie elsewhere on each.

    What is left of them in the median would look like an item; a plain tray loses nothing by blur.
    """
    chosen = [read_image(photos[place]) for place in evenly_spaced(len(photos), MEDIAN_OF)]
    size = (chosen[0].shape[1], chosen[0].shape[0])
    same = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in chosen]
    median = np.median(np.stack(same), axis=0).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(median, (0, 0), max(size) / 20), np.uint8)


def _video_frames(path: Path) -> Iterator[Frame]:
    """All frames of a file, with its own times where they rise."""
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise DataError(f"{path}: not a video that OpenCV can read; convert it to MP4 (H.264)")
    try:
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        step = 1 / rate if np.isfinite(rate) and 0 < rate <= 1000 else 1 / PHOTOS_A_SECOND
        promised = float(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        count, last = 0, -step
        while True:
            read, bgr = capture.read()
            if not read or bgr is None:
                break
            told = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
            last = told if np.isfinite(told) and last < told < last + 60 else last + step
            count += 1
            yield Frame(last, np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8))
    finally:
        capture.release()
    if not count:
        raise DataError(f"{path}: holds no frame that can be read; expected a video")
    if np.isfinite(promised) and count < WHOLE * promised:
        raise DataError(
            f"{path}: breaks off after {last:.1f} s, {count} of {promised:.0f} frames; is the copy "
            "complete?"
        )
