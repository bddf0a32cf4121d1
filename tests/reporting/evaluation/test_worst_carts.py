import numpy as np
import pytest

from rpc.counting import CountingRule, truth_of
from rpc.data.files import safe_join
from rpc.data.images import read_image, write_image
from rpc.pictures.palette import CONFUSED, EXTRA, MISSED
from rpc.reporting import (
    CountedCarts,
    read_boxes,
    read_carts,
    results_of_detections,
    write_worst_carts,
)


@pytest.fixture
def photos(tmp_path):
    """The photos of `three_trays`, and where each is."""
    for name in "abc":
        write_image(tmp_path / f"photos/{name}.jpg", np.full((100, 100, 3), 200, dtype=np.uint8))
    return lambda image: safe_join(tmp_path / "photos", image.file_name)


def reading_of(dataset, detections):
    return read_boxes(results_of_detections(detections, dataset), CountingRule.plain(0.5))


def has(picture, colour):
    return (np.abs(picture[:, :1000].astype(int) - colour).max(axis=-1) < 40).any()


@pytest.mark.usefixtures("no_system_fonts")
def test_wrong_carts_are_drawn_worst_first(three_trays, three_readings, photos, tmp_path):
    worst_carts = write_worst_carts(
        tmp_path / "out", three_trays, reading_of(three_trays, three_readings), photos
    )
    assert worst_carts["missing"] == []
    assert worst_carts["pictures"] == [
        {"image_id": 30, "file_name": "c.jpg", "wrong": 2, "picture": "worst_carts/001_30.jpg"},
        {"image_id": 20, "file_name": "b.jpg", "wrong": 1, "picture": "worst_carts/002_20.jpg"},
    ]
    confused, extra = (
        read_image(tmp_path / "out" / one["picture"]) for one in worst_carts["pictures"]
    )
    assert has(confused, CONFUSED)
    assert has(extra, EXTRA)
    assert not has(extra, CONFUSED)


@pytest.mark.usefixtures("no_system_fonts")
def test_a_missed_item_is_drawn(three_trays, three_readings, photos, tmp_path):
    readings = [three_readings[0].select([0]), *three_readings[1:]]
    worst_carts = write_worst_carts(
        tmp_path, three_trays, reading_of(three_trays, readings), photos
    )
    picture = next(one["picture"] for one in worst_carts["pictures"] if one["image_id"] == 10)
    assert has(read_image(tmp_path / picture), MISSED)


@pytest.mark.usefixtures("no_system_fonts")
def test_a_photo_that_is_missing_or_damaged_is_named_and_passed_over(
    three_trays, three_readings, photos, tmp_path
):
    reading = reading_of(three_trays, three_readings)
    (tmp_path / "photos/c.jpg").unlink()
    worst_carts = write_worst_carts(tmp_path / "out", three_trays, reading, photos)
    assert worst_carts["missing"] == ["c.jpg"]
    assert [one["picture"] for one in worst_carts["pictures"]] == ["worst_carts/002_20.jpg"]
    (tmp_path / "photos/b.jpg").write_bytes(b"no photo")
    worst_carts = write_worst_carts(tmp_path / "out", three_trays, reading, photos)
    assert worst_carts == {"pictures": [], "missing": ["c.jpg", "b.jpg"]}


@pytest.mark.usefixtures("no_system_fonts")
def test_pictures_of_an_earlier_run_go_and_other_files_stay(
    three_trays, three_readings, photos, tmp_path
):
    for name in ("007_99.jpg", "holiday.jpg", "007_99.png"):
        (tmp_path / "worst_carts").mkdir(exist_ok=True)
        (tmp_path / "worst_carts" / name).write_bytes(b"x")
    reading = reading_of(three_trays, three_readings)
    write_worst_carts(tmp_path, three_trays, reading, photos, most=1)
    left = sorted(path.name for path in (tmp_path / "worst_carts").iterdir())
    assert left == ["001_30.jpg", "007_99.png", "holiday.jpg"]


def test_right_carts_and_lists_without_boxes_are_not_drawn(three_trays, photos, tmp_path):
    truth = [truth_of(three_trays, image.id) for image in three_trays.images]
    nothing = {"pictures": [], "missing": []}
    reading = reading_of(three_trays, truth)
    assert write_worst_carts(tmp_path / "out", three_trays, reading, photos) == nothing
    lists = read_carts(CountedCarts(np.zeros((3, 2), dtype=np.int64), None, 0))
    assert write_worst_carts(tmp_path / "out", three_trays, lists, photos) == nothing
    assert not (tmp_path / "out").exists()


def test_a_photo_outside_the_folder_is_named_not_drawn(
    three_trays, three_readings, photos, tmp_path
):
    write_image(tmp_path / "secret.jpg", np.zeros((9, 9, 3), dtype=np.uint8))
    (tmp_path / "photos/c.jpg").unlink()
    (tmp_path / "photos/c.jpg").symlink_to(tmp_path / "secret.jpg")
    reading = reading_of(three_trays, three_readings)
    drawn = write_worst_carts(tmp_path / "out", three_trays, reading, photos)
    assert "c.jpg" in drawn["missing"]
    assert "c.jpg" not in {one["file_name"] for one in drawn["pictures"]}
