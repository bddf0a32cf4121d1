"""Whatever is legal in a truth and in results is looked through without a fault or a warning."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.data import Annotation, Category, Dataset, ImageInfo, Taxonomy
from rpc.data.coco_checks import UNKNOWN_SIDE
from rpc.reporting.evaluation.results import Results
from tests.reporting.evaluation.drawn_results import told, told_of_counts

SIDES = st.sampled_from([1, 7, 640, UNKNOWN_SIDE])
NUMBERS = st.sampled_from([0.0, 0.2, 1.0, 30.0, 640.0, 1e9]) | st.floats(-50, 900)


@st.composite
def truths(draw):
    images = draw(st.integers(1, 5))
    skus = draw(st.integers(1, 4))
    ids = draw(st.lists(st.integers(0, 50), min_size=images, max_size=images, unique=True))
    infos = [
        ImageInfo(number, draw(st.sampled_from(["", "1.jpg", "x"])), draw(SIDES), draw(SIDES))
        for number in ids
    ]
    items = []
    for number in range(draw(st.integers(0, 12))):
        x, y = draw(st.floats(0, 500)), draw(st.floats(0, 500))
        box = (x, y, x + draw(st.floats(0.5, 300)), y + draw(st.floats(0.5, 300)))
        items.append(
            Annotation(number, draw(st.sampled_from(ids)), draw(st.integers(1, skus)), box, 9.0)
        )
    taxonomy = Taxonomy([Category(k, f"sku {9 - k}") for k in range(1, skus + 1)])
    return Dataset(infos, items, taxonomy)


@settings(max_examples=50)
@given(truths(), st.data())
def test_any_legal_results_are_looked_through(dataset, data):
    number = data.draw(st.integers(0, 30))
    column = {"min_size": number, "max_size": number}
    rows = data.draw(st.lists(st.integers(0, len(dataset) - 1), **column))
    labels = data.draw(st.lists(st.integers(0, len(dataset.taxonomy) - 1), **column))
    boxes = data.draw(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), **column))
    boxes = np.array(boxes, float).reshape(-1, 4)
    boxes[:, 2:] = np.abs(boxes[:, 2:])
    scores = data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1), **column))
    results = Results(
        np.array(rows, np.int64),
        np.array(labels, np.int64),
        boxes,
        np.array(scores, float),
        dataset,
    )
    for one in told(results).values():
        assert 0 <= one.count <= max(one.of, one.count)
        assert one.what
        assert one.to_do


@settings(max_examples=25)
@given(truths(), st.data())
def test_any_legal_lists_are_looked_through(dataset, data):
    n, k = len(dataset), len(dataset.taxonomy)
    flat = data.draw(st.lists(st.integers(0, 5), min_size=n * k, max_size=n * k))
    told_of_counts(dataset, np.array(flat).reshape(n, k))
