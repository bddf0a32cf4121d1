import json
import math
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.metrics import checkout_metrics, detection_metrics_by_group, level_groups
from rpc.metrics.rpctool import QUIRKS, rpctool_metrics
from tests.metrics.make_rpctool_golden import GOLDEN, KINDS, digest, make_case

CASES = json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]
RPCTOOL_PYTHON = os.environ.get("RPCTOOL_PYTHON")


def arrays_of(truth, results):
    """Scores, labels, rows, gt_counts and levels of a case's JSON objects."""
    row = {image["id"]: number for number, image in enumerate(truth["images"])}
    counts = np.zeros((len(row), len(truth["categories"])), dtype=np.int64)
    for a in truth["annotations"]:
        counts[row[a["image_id"]], a["category_id"] - 1] += 1
    return (
        [r["score"] for r in results],
        [r["category_id"] - 1 for r in results],
        [row[r["image_id"]] for r in results],
        counts,
        [image["level"] for image in truth["images"]],
    )


def printed(metrics):
    """A row as the tool prints it."""
    if metrics.problem:
        return "stops"
    return {
        "cAcc": f"{round(metrics.cAcc * 100, 2)}%",
        "ACD": str(metrics.ACD),
        "mCCD": str(metrics.mCCD),
        "mCIoU": f"{round(metrics.mCIoU * 100, 2)}%",
        "thre": str(round(metrics.threshold, 2)),
    }


def expected_of(row):
    return row if isinstance(row, str) else {k: v for k, v in row.items() if "AP" not in k}


def agrees(table, truth, results):
    ours = rpctool_metrics(*arrays_of(truth, results))
    assert set(ours) == set(table)
    for level, row in table.items():
        if isinstance(row, str):
            assert "IndexError" in row
            assert "IndexError" in ours[level].problem
            assert math.isnan(ours[level].cAcc)
        else:
            assert printed(ours[level]) == expected_of(row), level


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']} {case['seed']}")
def test_the_tools_own_figures_come_out_to_every_printed_digit(case):
    truth, results = make_case(case["kind"], case["seed"])
    assert digest(truth, results) == case["digest"], "numpy's generator gives another case"
    agrees(case["table"], truth, results)


@pytest.mark.parametrize("case", CASES[::5], ids=lambda case: f"{case['kind']} {case['seed']}")
def test_the_tools_map_comes_out_too(case):
    truth, results = make_case(case["kind"], case["seed"])
    ids = [image["id"] for image in truth["images"]]
    groups = level_groups([image["level"] for image in truth["images"]])
    ours = detection_metrics_by_group(
        truth, results, {name: [ids[row] for row in rows] for name, rows in groups.items()}
    )
    for level, row in case["table"].items():
        if not isinstance(row, str):
            for name in ("mAP50", "mmAP"):
                figure = 100 * getattr(ours[level], name)
                assert figure == pytest.approx(float(row[name].rstrip("%")), abs=0.005001)


def test_the_golden_values_hold_every_kind_of_case():
    assert [(c["kind"], c["seed"]) for c in CASES] == [
        (kind, seed) for kind, settings in KINDS.items() for seed in range(settings["seeds"])
    ]
    figures = [row["mCCD"] for c in CASES for row in c["table"].values() if isinstance(row, dict)]
    assert {"nan", "inf"} <= set(figures)


@pytest.mark.skipif(RPCTOOL_PYTHON is None, reason="RPCTOOL_PYTHON names no Python with rpctool")
def test_the_tool_itself_agrees_on_fresh_cases(tmp_path):
    seeds = np.random.default_rng().integers(100, 10**9, 4).tolist()
    cases = [(kind, seed) for kind in KINDS for seed in seeds]
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    script = Path(__file__).with_name("make_rpctool_golden.py")
    command = [RPCTOOL_PYTHON, "-W", "ignore", str(script), str(tmp_path / "cases.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    tables = json.loads(done.stdout.splitlines()[-1])
    for (kind, seed), table in zip(cases, tables, strict=True):
        print(kind, seed)  # shown when it fails
        agrees(table, *make_case(kind, seed))


def naive(scores, labels, rows, counts):
    """The tool's way read aloud: every threshold is tried, every box looked at each time."""
    k = counts.shape[1]

    def at(threshold):
        lists = {}
        for score, label, row in zip(scores, labels, rows, strict=True):
            if score >= threshold:
                lists.setdefault(row, [0] * k)[label] += 1
        wrong = [
            sum(abs(there - true) for there, true in zip(found, counts[row].tolist(), strict=True))
            for row, found in lists.items()
        ]
        return wrong.count(0) / len(lists), sum(wrong) / len(lists), len(lists)

    low, high = 0.01, 0.99
    for _ in range(4):
        tried = [low + (high - low) * step / 9 for step in range(10)]
        tried[-1] = high
        tried.sort(key=lambda t: -at(t)[0])  # stable: of equal ones the lowest first
        low, high = min(tried[:3]), max(tried[:3])
    return at(tried[0])


@st.composite
def few_boxes(draw):
    n, k, m = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(0, 8))
    scores = draw(st.lists(st.integers(0, 100), min_size=m, max_size=m))
    labels = draw(st.lists(st.integers(0, k - 1), min_size=m, max_size=m))
    rows = draw(st.lists(st.integers(0, n - 1), min_size=m, max_size=m))
    counts = draw(st.lists(st.integers(0, 2), min_size=n * k, max_size=n * k))
    # One box of the highest score: without it the tool stops.
    scores = [0.995, *(score / 100 + 0.003 for score in scores)]
    return scores, [0, *labels], [0, *rows], np.array(counts).reshape(n, k)


@given(few_boxes())
def test_the_search_agrees_with_trying_every_threshold(boxes):
    row = rpctool_metrics(*boxes, [None] * len(boxes[3]))["averaged"]
    accuracy, distance, images = naive(*boxes)
    assert row.cAcc == pytest.approx(accuracy, abs=5e-5)
    assert row.ACD == pytest.approx(distance, abs=0.00506)
    assert row.images == images


@given(few_boxes(), st.randoms(use_true_random=False))
def test_the_order_of_boxes_images_and_skus_does_not_matter(boxes, random):
    scores, labels, rows, counts = boxes
    n, k = counts.shape
    row_of, label_of = random.sample(range(n), n), random.sample(range(k), k)
    order = random.sample(range(len(scores)), len(scores))
    moved = np.zeros_like(counts)
    moved[np.ix_(row_of, label_of)] = counts
    there = rpctool_metrics(scores, labels, rows, counts, [None] * n)["averaged"]
    again = rpctool_metrics(
        [scores[i] for i in order],
        [label_of[labels[i]] for i in order],
        [row_of[rows[i]] for i in order],
        moved,
        [None] * n,
    )["averaged"]
    assert str(there) == str(again)  # as text: nan is not equal to itself


# The worked examples of docs/metrics.md.


def test_images_without_boxes_are_left_out():
    row = rpctool_metrics([0.995], [0], [0], [[1], [1], [1]], [None] * 3)["averaged"]
    assert (row.cAcc, row.ACD, row.mCIoU, row.images) == (1.0, 0.0, 1.0, 1)
    honest = checkout_metrics([[1], [0], [0]], [[1], [1], [1]])
    assert (honest.cAcc, honest.ACD, honest.mCIoU) == pytest.approx((1 / 3, 2 / 3, 1 / 3))


def test_the_threshold_is_taken_where_the_scored_images_look_best():
    # Two trays of one item; the second has a weaker box too many.
    boxes = ([0.995, 0.995, 0.7], [0, 0, 0], [0, 1, 1], [[1], [1]])
    row = rpctool_metrics(*boxes, [None, None])["averaged"]
    assert (row.cAcc, row.ACD) == (1.0, 0.0)
    assert 0.7 < row.threshold <= 0.995
    honest = checkout_metrics([[1], [2]], [[1], [1]])  # at 0.5, which validation chose
    assert (honest.cAcc, honest.ACD) == (0.5, 0.5)


def test_each_level_has_a_threshold_of_its_own():
    # easy: the box of 0.4 is an item; hard: it is one too many.
    boxes = ([0.995, 0.4, 0.995, 0.4], [0] * 4, [0, 0, 1, 1], [[2], [1]])
    rows = rpctool_metrics(*boxes, ["easy", "hard"])
    assert [rows[level].cAcc for level in ("easy", "hard", "averaged")] == [1.0, 1.0, 0.5]
    for kept in ([[2], [2]], [[1], [1]]):  # honest: at any threshold up to 0.4, and above it
        assert checkout_metrics(kept, [[2], [1]]).cAcc == 0.5
    assert rows["easy"].threshold <= 0.4 < rows["hard"].threshold


def test_a_better_threshold_of_an_earlier_round_may_be_lost():
    scores, rows = [0.99, 0.13, 0.11, 0.59], [0, 0, 0, 1]
    row = rpctool_metrics(scores, [0] * 4, rows, [[2], [1], [2]], [None] * 3)["averaged"]
    assert (row.cAcc, row.threshold, row.images) == (0.5, 0.01, 2)
    # The second threshold that it tries, 0.119, has both images right. Honest, at 0.12: 2 of 3.
    kept = np.bincount([r for r, s in zip(rows, scores, strict=True) if s >= 0.119], minlength=3)
    assert kept.tolist() == [2, 1, 0]
    assert checkout_metrics(kept[:, None], [[2], [1], [2]]).cAcc == pytest.approx(2 / 3)


def test_absent_skus_make_figures_that_are_no_numbers():
    row = rpctool_metrics([0.995], [0], [0], [[1, 0]], [None])["averaged"]
    assert (row.cAcc, row.ACD) == (1.0, 0.0)
    assert math.isnan(row.mCCD)
    assert math.isnan(row.mCIoU)
    extra = rpctool_metrics([0.995, 0.995, 0.995], [0, 0, 1], [0] * 3, [[2, 0]], [None])["averaged"]
    assert (extra.ACD, extra.mCCD, extra.mCIoU) == (1.0, math.inf, 0.5)
    honest = checkout_metrics([[1, 0]], [[1, 0]]), checkout_metrics([[2, 1]], [[2, 0]])
    assert [(m.mCCD, m.mCIoU) for m in honest] == [(0.0, 1.0), (0.0, 0.5)]


def test_figures_are_rounded_twice():
    counts = np.ones((201, 1), dtype=int)
    counts[0] = 2  # one item of 202 is missed
    row = rpctool_metrics([0.995] * 201, [0] * 201, range(201), counts, [None] * 201)["averaged"]
    assert row.ACD == 0.01  # 1 / 201 = 0.004975..., 0.0050, 0.01
    assert round(1 / 201, 2) == 0.0


def test_without_a_high_score_there_are_no_figures_and_the_row_says_why():
    rows = rpctool_metrics([0.995, 0.98], [0, 0], [0, 1], [[1], [1]], ["easy", "hard"])
    assert rows["easy"].problem == rows["averaged"].problem == ""
    assert "no box scores 0.99 or more (the highest is 0.98)" in rows["hard"].problem
    assert math.isnan(rows["hard"].threshold)
    assert rows["hard"].images == 0
    assert "no box" in rpctool_metrics([], [], [], [[1]], [None])["averaged"].problem


def test_each_quirk_is_one_sentence_or_two():
    for name, text in QUIRKS.items():
        assert text.endswith(".")
        assert "\n" not in text
        assert 40 < len(text) < 250, name


@pytest.mark.parametrize(
    ("scores", "labels", "rows", "levels", "message"),
    [
        ([1.0], [0, 1], [0], [None], "as many labels and rows as scores"),
        ([[1.0]], [[0]], [[0]], [None], "as many labels and rows as scores"),
        ([1.0], [2], [0], [None], "labels: expected 0 to 1, got 2 to 2"),
        ([1.0], [0], [-1], [None], "rows: expected 0 to 0, got -1 to -1"),
        ([math.nan], [0], [0], [None], "scores: expected finite numbers, got nan"),
        ([1.0], [0], [0], [None, None], "levels: expected one for each of 1 images, got 2"),
        ([1.0], [0], [0], ["heavy"], "got 'heavy'"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(scores, labels, rows, levels, message):
    with pytest.raises(ValueError, match=message):
        rpctool_metrics(scores, labels, rows, [[1, 1]], levels)
