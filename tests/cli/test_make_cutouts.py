import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from rpc.data.images import write_image

TOOL = Path(__file__).parents[2] / "tools" / "make_cutouts.py"


def call(*arguments):
    command = [sys.executable, str(TOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def make_store(root, photos=2):
    """One SKU on plain photos."""
    for number in range(1, photos + 1):
        rgb = np.full((90, 120, 3), 220, dtype=np.uint8)
        rgb[30:60, 40:80] = (20, 60, 160)
        write_image(root / "exemplars" / f"tea_camera0-{number}.jpg", rgb)
    numbers = range(1, photos + 1)
    content = {
        "categories": [{"id": 1, "name": "tea"}],
        "images": [
            {"id": n, "file_name": f"tea_camera0-{n}.jpg", "width": 120, "height": 90}
            for n in numbers
        ],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "bbox": [40, 30, 40, 30], "area": 1200}
            for n in numbers
        ],
    }
    (root / "instances_train.json").write_text(json.dumps(content))
    return root


def test_cut_outs_and_a_sheet_are_made_and_lost_photos_are_told(tmp_path):
    store = make_store(tmp_path / "store")
    (store / "exemplars" / "tea_camera0-2.jpg").write_text("no photo")
    out = tmp_path / "out"
    done = call("--data", store, "--out", out, "--method", "grabcut", "--workers", 1, "--sheet")
    assert done.returncode == 0, done.stderr
    assert "1 of 2 exemplars kept" in done.stdout
    assert "tea_camera0-2.jpg" in done.stdout
    assert (out / "cutouts.json").is_file()
    assert (out / "sheet_001.jpg").is_file()
