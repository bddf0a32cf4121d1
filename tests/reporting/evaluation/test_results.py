import json

import numpy as np
import pytest

from rpc.data import DataError
from rpc.data.json_lists import PIECE
from rpc.reporting import read_results, results_of_detections, results_of_entries
from rpc.structures import Detections

GOOD = {"image_id": 30, "category_id": 7, "bbox": [1, 2, 3, 4], "score": 0.5}


def test_every_image_has_its_detections_in_the_order_of_the_data_set(three_trays, tmp_path):
    path = tmp_path / "detections.json"
    path.write_text(json.dumps([GOOD, GOOD | {"image_id": 10, "category_id": 3}, GOOD]))
    results = read_results(path, three_trays)
    assert [len(one) for one in results.detections] == [1, 0, 2]
    assert results.detections[0].labels.tolist() == [0]
    assert results.detections[2].boxes.tolist() == [[1, 2, 4, 6]] * 2
    assert results.to_coco()[0] == GOOD


def test_an_empty_list_is_legal(three_trays, tmp_path):
    path = tmp_path / "detections.json"
    path.write_text("[]")
    assert [len(one) for one in read_results(path, three_trays).detections] == [0, 0, 0]


def test_detections_come_back_from_their_entries_as_they_were(three_trays, three_readings):
    made = results_of_detections(three_readings, three_trays)
    again = results_of_entries(json.loads(json.dumps(made.to_coco())), three_trays)
    for one, other in zip(three_readings, again.detections, strict=True):
        assert np.allclose(one.boxes, other.boxes)
        assert one.scores.tolist() == other.scores.tolist()
        assert one.labels.tolist() == other.labels.tolist()


def test_item_scores_go_into_the_entries_and_come_back(three_trays, three_readings):
    readings = [
        Detections(one.boxes, one.scores / 2, one.labels, one.scores) for one in three_readings
    ]
    made = results_of_detections(readings, three_trays)
    entries = json.loads(json.dumps(made.to_coco()))
    assert [entry["item_score"] for entry in entries] == [2 * entry["score"] for entry in entries]
    again = results_of_entries(entries, three_trays)
    for one, other in zip(readings, again.detections, strict=True):
        assert one.item_scores.tolist() == other.item_scores.tolist()
    without = results_of_detections(three_readings, three_trays)
    assert without.item_scores is None
    assert all(entry.keys() == GOOD.keys() for entry in without.to_coco())


def test_item_scores_in_some_entries_alone_are_refused(three_trays, tmp_path):
    with_item = GOOD | {"item_score": 0.9}
    for entries, message in (
        ([GOOD, with_item], "entry 1: item_score is there, and the entries before lack it"),
        ([with_item, GOOD], "entry 1: item_score is missing, and the entries before have it"),
        ([GOOD | {"item_score": 1.5}], "entry 0: item_score: expected a number 0 to 1 .*got 1.5"),
        ([GOOD | {"item_score": "1"}], "entry 0: item_score: expected a number 0 to 1, got '1'"),
    ):
        with pytest.raises(DataError, match=message):
            results_of_entries(entries, three_trays)
    # The file is read in pieces: the second one has to be as the first one was.
    path = tmp_path / "detections.json"
    many = PIECE // len(json.dumps(GOOD)) + 10
    path.write_text(json.dumps([GOOD] * many + [with_item]))
    with pytest.raises(DataError, match=f"entry {many}: item_score is there"):
        read_results(path, three_trays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 11}, "image_id 11 is none of the 3 images"),
        ({"image_id": "10x"}, "image_id '10x' is none of"),
        ({"image_id": True}, "image_id True is none of"),
        ({"image_id": [10]}, r"image_id \[10\] is none of"),
        ({"category_id": 4}, "category_id 4 is none of the 2 SKUs"),
        ({"score": float("nan")}, "score: expected a number 0 to 1, got nan"),
        ({"score": 1.5}, "score: expected a number 0 to 1, got 1.5"),
        ({"score": "0.5"}, "score: expected a number 0 to 1, got '0.5'"),
        ({"bbox": [1, 2, 3]}, r"bbox: expected \[x, y, width, height\] in pixels"),
        ({"bbox": [1, 2, -3, 4]}, "bbox: expected finite numbers .*width and height >= 0"),
        ({"bbox": [1, 2, float("inf"), 4]}, "bbox: expected finite numbers"),
        ({"bbox": [1, 2, 10**400, 4]}, "bbox: expected"),
        ({"bbox": None}, "bbox: expected"),
    ],
)
def test_an_entry_that_makes_no_sense_is_named(three_trays, change, message):
    with pytest.raises(DataError, match=f"r.json: entry 1: {message}"):
        results_of_entries([GOOD, GOOD | change], three_trays, "r.json")


def test_a_missing_field_is_named(three_trays):
    entry = {name: value for name, value in GOOD.items() if name != "score"}
    with pytest.raises(DataError, match="entry 0: the field 'score' is missing; expected image_id"):
        results_of_entries([entry], three_trays)
    with pytest.raises(DataError, match="entry 0: expected an object, got 5"):
        results_of_entries([5], three_trays)


def test_a_file_that_is_no_list_is_refused(three_trays, tmp_path):
    path = tmp_path / "detections.json"
    path.write_text("{}")
    with pytest.raises(DataError, match="expected a COCO results list"):
        read_results(path, three_trays)


def test_detections_of_too_few_images_are_refused(three_trays, three_readings):
    with pytest.raises(ValueError, match="of 3 images, got 2"):
        results_of_detections(three_readings[:2], three_trays)


def test_a_long_file_is_read_as_it_would_be_in_one_go(three_trays, tmp_path):
    rng = np.random.default_rng(0)
    entries = [
        {
            "image_id": int(rng.choice([10, 20, 30])),
            "category_id": int(rng.choice([3, 7])),
            "bbox": [float(n) for n in rng.integers(0, 999, 4)],
            "segmentation": {"size": [9, 9], "counts": "},{"},
            "score": float(rng.random()),
        }
        for _ in range(20_000)
    ]
    path = tmp_path / "detections.json"
    path.write_text(json.dumps(entries))
    assert path.stat().st_size > 2 * PIECE
    results, expected = read_results(path, three_trays), results_of_entries(entries, three_trays)
    for name in ("rows", "labels", "boxes", "scores"):
        np.testing.assert_array_equal(getattr(results, name), getattr(expected, name))
    del entries[1]["segmentation"]
    assert results.to_coco()[1] == entries[1]
    assert len(results) == 20_000

    entries[15_000]["score"] = 2
    path.write_text(json.dumps(entries))
    with pytest.raises(DataError, match="entry 15000: score: expected a number 0 to 1, got 2"):
        read_results(path, three_trays)


def test_a_tuple_and_whole_numbers_are_fine(three_trays):
    entry = GOOD | {"bbox": (1, 2, 3, 4), "score": 1}
    results = results_of_entries([entry, GOOD], three_trays)
    assert results.boxes.tolist() == [[1, 2, 3, 4]] * 2
    assert results.scores.tolist() == [1, 0.5]


def test_a_label_that_is_no_sku_is_refused(three_trays, three_readings):
    stranger = Detections([[0, 0, 1, 1]], [0.5], [2])
    with pytest.raises(DataError, match="label 2: expected 0 to 1"):
        results_of_detections([stranger, *three_readings[1:]], three_trays)
