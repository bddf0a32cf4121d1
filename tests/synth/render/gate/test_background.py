import numpy as np
import pytest

from rpc.data.files import DataError, read_json, write_json
from synth.render.gate.background import (
    background_mismatch,
    background_statistics,
    measure_background,
    summarise,
)
from tests.synth.render.drawn_trays import scene_folder, tray


@pytest.fixture(scope="module")
def grey(tmp_path_factory):
    return scene_folder(tmp_path_factory.mktemp("grey"), 6)


def test_statistics_are_plain_values_of_the_board_alone(grey):
    found = background_statistics(grey)
    assert found["images"] == 6
    assert np.allclose(found["brightness"], (188 + 186 + 180) / 3 / 255, atol=0.02)
    assert np.allclose(found["redness"], np.log(188 / 186), atol=0.01)
    assert np.allclose(found["blueness"], np.log(180 / 186), atol=0.01)
    write_json(grey / "statistics.json", found)
    assert read_json(grey / "statistics.json") == found


def test_the_same_set_gives_no_warning(grey):
    found = background_statistics(grey)
    assert background_mismatch(found, found) is None


@pytest.mark.parametrize(
    ("board", "named"),
    [((90, 89, 86), "brightness"), ((220, 120, 60), "redness"), ((150, 170, 240), "blueness")],
)
def test_another_board_colour_gives_one_line_that_names_it(grey, tmp_path, board, named):
    other = background_statistics(scene_folder(tmp_path, 3, board))
    line = background_mismatch(background_statistics(grey), other)
    assert line is not None
    assert "\n" not in line
    assert named in line


def test_scenes_of_another_size_give_one_line(grey, tmp_path):
    other = background_statistics(scene_folder(tmp_path, 2, side=480))
    line = background_mismatch(background_statistics(grey), other)
    assert line is not None
    assert "size 480 px, made for 320 px" in line
    assert background_mismatch(summarise([]) | {"side": 320.0}, {"side": 330.0}) is None


def test_rough_cloth_is_told_from_a_smooth_board():
    rgb, masks, _ = tray(0)
    items = np.any(masks, axis=0)
    weave = 25 * np.sign(np.sin(np.arange(rgb.shape[1]) * 0.9))
    cloth = (rgb + weave[None, :, None]).clip(0, 255).astype(np.uint8)
    smooth, rough = (summarise([measure_background(image, items)]) for image in (rgb, cloth))
    assert "roughness" in background_mismatch(smooth, rough)


def test_a_varied_training_set_covers_a_plain_one_but_not_the_other_way_round():
    boards = [measure_background(np.full((64, 64, 3), v, np.uint8), np.zeros((64, 64), bool))
              for v in range(40, 240, 20)]  # fmt: skip
    varied, plain = summarise(boards), summarise(boards[4:6])
    assert background_mismatch(varied, plain) is None
    assert "brightness" in background_mismatch(plain, varied)


def test_products_do_not_count_whatever_their_colour():
    rgb, masks, _ = tray(1)
    items = np.any(masks, axis=0)
    painted = rgb.copy()
    painted[items] = (255, 0, 0)
    one, other = (measure_background(image, items) for image in (rgb, painted))
    assert one == pytest.approx(other, abs=2e-3)


def test_a_tray_without_free_board_tells_nothing():
    assert measure_background(np.zeros((50, 50, 3), np.uint8), np.ones((50, 50), bool)) is None
    assert background_mismatch(summarise([]), summarise([])) is None


def test_scenes_without_masks_are_refused_in_one_line(tmp_path):
    folder = scene_folder(tmp_path, 1)
    content = read_json(folder / "instances.json")
    content["annotations"][0]["segmentation"] = []
    write_json(folder / "instances.json", content)
    with pytest.raises(DataError, match="annotation 1: no RLE segmentation; expected the mask"):
        background_statistics(folder)


def test_an_image_of_another_size_is_refused(tmp_path):
    folder = scene_folder(tmp_path / "a", 1)
    small = scene_folder(tmp_path / "b", 1, side=240)
    (small / "images" / "00000000.jpg").replace(folder / "images" / "00000000.jpg")
    with pytest.raises(DataError, match=r"is 240x240 px, and instances\.json says 320x320"):
        background_statistics(folder)
