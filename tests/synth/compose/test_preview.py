from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.data.images import write_image
from synth.compose.preview import TILE, contact_sheet, sample_photos


def test_a_sheet_shows_both_sides() -> None:
    scenes, trays = [np.zeros((50, 80, 3), np.uint8)] * 4, [np.zeros((90, 60, 3), np.uint8)] * 2
    sheet = contact_sheet(scenes, trays, columns=3)
    assert sheet.shape[0] > 2 * TILE
    assert sheet.shape[1] > 5 * TILE
    with pytest.raises(DataError, match="got none"):
        contact_sheet([])


def test_photos_are_taken_evenly(tmp_path: Path) -> None:
    for number in range(5):
        write_image(tmp_path / f"{number}.png", np.full((4, 4, 3), number, np.uint8))
    assert [photo.mean() for photo in sample_photos(tmp_path, 3)] == [0, 2, 4]
    with pytest.raises(DataError, match="no such folder"):
        sample_photos(tmp_path / "missing", 2)
