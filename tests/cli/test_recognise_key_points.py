import json

import numpy as np
import pytest

from rpc.data.files import DataError, read_json
from rpc.data.images import write_image
from rpc.pipelines.recognition import run
from rpc.pipelines.recognition.request import Request
from rpc.recognition.training.run_settings import read_run_settings
from tests.cli.small_shop import ROOT

NAMES = ["logo_left", "logo_right", "foot"]
OPTIONS = {
    "part_rcnn": {"view_side": 32, "remembered": 4, "neighbours": 2},
    "mask_cnn": {"part_side": 32},
}


def make_store(root, names=NAMES):
    """Two SKUs, two exemplars of each, a val tray and two test trays; one tray's logo is hidden."""
    rng = np.random.default_rng(0)
    for split, folder, count in (("train", "exemplars", 4), ("val", "val", 1), ("test", "test", 2)):
        content = {
            "images": [],
            "annotations": [],
            "categories": [{"id": n, "name": f"sku{n}", "keypoints": names} for n in (1, 2)],
        }
        for n in range(1, count + 1):
            rgb = rng.integers(80, 120, (80, 80, 3)).astype(np.uint8)
            rgb[20:60, 20:60] = (200, 40 * (n % 2), 40)
            write_image(root / folder / f"{n}.png", rgb)
            content["images"].append({"id": n, "file_name": f"{n}.png", "width": 80, "height": 80})
            sight = 1 if split == "test" and n == 2 else 2
            content["annotations"].append(
                {
                    "id": n,
                    "image_id": n,
                    "category_id": 1 + n % 2,
                    "bbox": [20, 20, 40, 40],
                    "keypoints": [24, 24, sight, 56, 30, sight, 40, 58, 2],
                }
            )
        (root / f"instances_{split}.json").write_text(json.dumps(content))
    return root


def request(store, out, system, **changes):
    groups = {"logo": ["logo_*"], "foot": ["foot"]}
    values = {
        "system": system,
        "side": 64,
        "options": {"groups": groups, "pretrained": False, **OPTIONS[system]},
        "training": {"iterations": 2, "batch_size": 4, "lr": 0.001},
        "augmentation": {"least_area": 0.8, "light": 0.05},
    }
    values["options"].update(changes.pop("options", {}))
    config = ROOT / "configs/recognition" / f"{system}.py"
    return Request(read_run_settings(values, system), config, store, out, device="cpu", **changes)


@pytest.mark.parametrize("system", ["part_rcnn", "mask_cnn"])
def test_parts_named_by_key_points_are_learned_and_measured(tmp_path, system, capsys):
    store = make_store(tmp_path / "store")
    run.run_recognition(request(store, tmp_path / "out", system))
    result = read_json(tmp_path / "out/result.json")
    parts = result["parts"]["test"]
    assert parts["least_iou"] == 0.5
    assert {name: part["in_sight"] for name, part in parts["by_part"].items()} == {
        "logo": 1,  # of two test crops
        "foot": 2,
    }
    assert 0 <= parts["pcp"] <= 1
    assert set(result["parts"]) == {"val", "test"}
    assert result["config"]["values"]["system"]["options"]["groups"] == {
        "logo": [0, 1],
        "foot": [2],
    }
    assert result["data"]["known"] == ["boxes", "points"]

    others = make_store(tmp_path / "others", ["cap", "neck", "foot"])
    best = tmp_path / "out/best.pth"
    run.run_recognition(request(others, tmp_path / "o2", system, checkpoint=best))
    assert read_json(tmp_path / "o2/result.json")["parts"] == {}
    assert "parts are not measured: the model's are made of other key points" in "".join(
        capsys.readouterr()
    )


@pytest.mark.parametrize("system", ["part_rcnn", "mask_cnn"])
def test_a_bird_s_parts_on_a_store_are_one_line_before_anything_is_written(tmp_path, system):
    asked = request(make_store(tmp_path / "store"), tmp_path / "out", system)
    asked.settings.system.options.pop("groups")
    with pytest.raises(DataError, match="takes the head and torso of a bird") as error:
        run.run_recognition(asked)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out/run.json").exists()
