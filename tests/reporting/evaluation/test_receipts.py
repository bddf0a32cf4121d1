"""Receipts as a file: what passes, what was asked, and which lines were right."""

import numpy as np
import pytest

from rpc.data import DataError, write_json
from rpc.reporting.evaluation.receipts import read_receipts, write_receipts


def receipt(*lines, certainty=0.9, questions=0):
    items = [
        {"sku": sku, "box": list(box), "probability": probability}
        for sku, box, probability in lines
    ]
    return {"certainty": certainty, "items": items, "questions": [{}] * questions}


TEA, SOAP = ("tea", (0, 0, 10, 10)), ("soap", (20, 0, 30, 10))
RECEIPTS = [
    receipt((*TEA, 0.99), ("tea", SOAP[1], 0.6), questions=1),
    receipt(certainty=0.5),
    receipt(("soap", (0, 0, 10, 9), 0.8)),
]


def test_what_was_written_is_read_with_the_truth_of_each_line(tmp_path, three_trays):
    path = write_receipts(tmp_path / "receipts_test.json", three_trays, RECEIPTS)
    read = read_receipts(path, three_trays)
    assert read.certainty.tolist() == [0.9, 0.5, 0.9]
    assert read.questions.tolist() == [1, 0, 0]
    assert read.lines.probabilities.tolist() == [0.99, 0.6, 0.8]
    assert read.lines.right.tolist() == [True, False, True]  # the second is soap
    assert read.lines.trays.tolist() == [0, 0, 2]


def test_without_probabilities_there_are_no_lines(tmp_path, three_trays):
    plain = [receipt((*TEA, None)), receipt(), receipt()]
    read = read_receipts(write_receipts(tmp_path / "r.json", three_trays, plain), three_trays)
    assert read.lines is None
    assert np.array_equal(read.questions, [0, 0, 0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image_id": 11}, "expected the receipts of the 3 images"),
        ({"certainty": 2}, "certainty: expected a number 0 to 1, got 2"),
        ({"questions": 1}, "expected lists of items and questions"),
        ({"items": [{"sku": "cola", "box": [0, 0, 1, 1], "probability": 1}]}, "cola"),
        ({"items": [{"sku": "tea", "box": "x", "probability": 1}]}, "expected items with sku"),
        ({"items": [{"sku": "tea", "box": [0, 0, 1, 1], "probability": "1"}]}, "0 to 1, got '1'"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path, three_trays, change, words):
    ids = [image.id for image in three_trays.images]
    entries = [{"image_id": i, **one} for i, one in zip(ids, RECEIPTS, strict=True)]
    entries[0] |= change
    with pytest.raises(DataError, match=words) as caught:
        read_receipts(write_json(tmp_path / "r.json", entries), three_trays)
    assert "\n" not in str(caught.value)
