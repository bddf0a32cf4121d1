"""A small drawn set of cut-outs: five SKUs, three views each, of different shapes and sizes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from rpc.data.cutouts import Cutout, CutoutSet, write_cutouts
from rpc.data.images import write_image
from synth.compose import CutoutLibrary, SceneConfig


def draw_rgba(rng: np.random.Generator, width: int, height: int, round_: bool) -> np.ndarray:
    """A print on a board or an ellipse, RGBA (height, width, 4), soft at its edge."""
    alpha = np.zeros((height, width), dtype=np.uint8)
    if round_:
        centre = (width // 2, height // 2)
        cv2.ellipse(alpha, centre, (width // 2 - 2, height // 2 - 2), 0, 0, 360, 255, -1)
    else:
        alpha[2:-2, 2:-2] = 255
    small = rng.integers(0, 255, (4, 4, 3), dtype=np.uint8)
    return np.dstack([cv2.resize(small, (width, height)), cv2.GaussianBlur(alpha, (0, 0), 0.8)])


@pytest.fixture(scope="session")
def cutout_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cutouts")
    rng, cutouts = np.random.default_rng(5), []
    for sku in (1, 2, 3, 5, 8):
        for view in range(3):
            width, height = (int(n) for n in rng.integers(30, 90, 2))
            rgba = draw_rgba(rng, width, height, sku % 2 == 0)
            name = f"product_{sku}/view_{view}.png"
            write_image(folder / name, rgba)
            area = int(np.count_nonzero(rgba[:, :, 3] >= 128))
            cutouts.append(
                Cutout(name, f"{sku}.jpg", sku, 0, view, width, height, area, 1.0, 1.0, scale=2.0)
            )
    write_cutouts(folder, CutoutSet(tuple(cutouts), folder, "drawn"))
    return folder


@pytest.fixture(scope="session")
def library(cutout_dir: Path) -> CutoutLibrary:
    return CutoutLibrary.open(cutout_dir)


@pytest.fixture(scope="session")
def small() -> SceneConfig:
    return SceneConfig(width=160, height=144)
