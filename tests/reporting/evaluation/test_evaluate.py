import doctest
import importlib
import json

import numpy as np
import pytest

from rpc.counting import CountingRule
from rpc.data import DataError, Store, read_json
from rpc.metrics import checkout_metrics
from rpc.reporting import evaluate, read_report_folder
from rpc.structures import xyxy_to_xywh
from tests.reporting.conftest import MINISTORE

TEST = MINISTORE / "instances_test.json"
MODULE = importlib.import_module("rpc.reporting.evaluation.evaluate")


def boxes_of(dataset, drop=0, score=0.8):
    """The true boxes as COCO results, but for the first ones."""
    return [
        {
            "image_id": one.image_id,
            "category_id": one.category_id,
            "bbox": xyxy_to_xywh(np.array([one.bbox]))[0].tolist(),
            "score": score,
        }
        for one in dataset.annotations[drop:]
    ]


def test_the_example_of_the_docstring_is_true(monkeypatch):
    monkeypatch.chdir(MINISTORE.parents[1])
    assert doctest.testmod(MODULE, raise_on_error=True).attempted >= 3


def test_the_figures_are_those_of_the_metrics(ministore_test):
    scored = evaluate(ministore_test, boxes_of(ministore_test, drop=5), threshold=0.5)
    truth = ministore_test.counts()
    counts = scored.reading.counts
    assert truth.sum() - counts.sum() == 5
    expected = checkout_metrics(counts, truth)
    assert scored.averaged["cAcc"] == expected.cAcc
    assert scored.averaged["mCCD"] == expected.mCCD
    assert list(scored.levels) == ["easy", "medium", "hard", "averaged"]
    assert set(scored.averaged) == {"cAcc", "ACD", "mCCD", "mCIoU", "mAP50", "mmAP"}
    assert sum(cart["wrong"] for cart in scored.carts) == 5


def doubtful_names(dataset):
    """All items found for sure, half of them with a doubtful name."""
    entries = boxes_of(dataset)
    return [
        entry | {"score": 0.9 if number % 2 else 0.3, "item_score": 0.95}
        for number, entry in enumerate(entries)
    ]


def test_boxes_count_by_their_item_score_where_the_file_has_it(ministore_test):
    entries = doubtful_names(ministore_test)
    scored = evaluate(ministore_test, entries, threshold=0.5)
    assert scored.averaged["cAcc"] == 1
    assert scored.report["counting"]["rule"]["counts_by"] == "item_score"
    assert "an item score (whatever its SKU) of 0.50" in scored.to_markdown()
    bare = [{name: e[name] for name in e if name != "item_score"} for e in entries]
    without = evaluate(ministore_test, bare, threshold=0.5)
    assert without.averaged["cAcc"] < 1
    assert without.report["counting"]["rule"]["counts_by"] == "score"
    assert without.averaged["mAP50"] == scored.averaged["mAP50"]  # it ranks by the score


def test_the_threshold_is_chosen_on_item_scores_too_and_never_across_both_kinds(ministore_test):
    val = Store.open(MINISTORE).split("val")
    both = doubtful_names(val), doubtful_names(ministore_test)
    for suppress in (False, True):
        scored = evaluate(ministore_test, both[1], validation=(val, both[0]), suppress=suppress)
        assert scored.report["counting"]["rule"]["counts_by"] == "item_score"
    for mixed in ((boxes_of(val), both[1]), (both[0], boxes_of(ministore_test))):
        with pytest.raises(DataError, match="either this file or the scored one has item_score"):
            evaluate(ministore_test, mixed[1], validation=(val, mixed[0]))
        by_score = evaluate(ministore_test, mixed[1], validation=(val, mixed[0]), by_score=True)
        assert by_score.report["counting"]["rule"]["counts_by"] == "score"
    rule = CountingRule(0.5, counts_by="item_score")
    with pytest.raises(DataError, match="rule and by_score exclude each other"):
        evaluate(ministore_test, both[1], rule=rule, by_score=True)
    with pytest.raises(DataError, match="counts by item_score, which the results lack"):
        evaluate(ministore_test, boxes_of(ministore_test), rule=rule)


def test_paths_data_sets_and_lists_give_the_same(ministore_test, tmp_path):
    entries = boxes_of(ministore_test, drop=3)
    path = tmp_path / "results.json"
    path.write_text(json.dumps(entries))
    split = Store.open(MINISTORE).split("test")
    runs = [
        evaluate(truth, results, threshold=0.5)
        for truth, results in ((TEST, path), (str(TEST), entries), (split, entries))
    ]
    for run in runs[1:]:
        assert run.levels == runs[0].levels
        assert run.carts == runs[0].carts
    assert set(runs[0].report["manifest"]["files"]) == {"gt", "results"}
    assert set(runs[1].report["manifest"]["files"]) == {"gt"}


def test_what_it_writes_is_a_report_and_the_counts_score_alike(ministore_test, tmp_path):
    scored = evaluate(TEST, boxes_of(ministore_test, drop=3), threshold=0.5, method="m")
    written = scored.write(tmp_path / "new")
    assert written == tmp_path / "new" / "report.json"
    assert read_json(written) == scored.report
    assert (tmp_path / "new/report.md").read_text(encoding="utf-8") == scored.to_markdown()
    assert read_report_folder(tmp_path / "new").method == "m"
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names >= {"report.html", "counts.json", "table.md", "table.csv", "table.tex"}
    entries = json.loads((tmp_path / "new/counts.json").read_text(encoding="utf-8"))
    for counts in (tmp_path / "new/counts.json", entries):
        again = evaluate(TEST, counts)
        assert again.averaged == scored.averaged | {"mAP50": None, "mmAP": None}


def test_a_rule_and_validation_images_are_ways_to_count(ministore_test):
    entries = boxes_of(ministore_test) * 2  # each box twice
    rule = CountingRule(threshold=0.5)
    assert evaluate(TEST, entries, rule=rule, with_map=False).averaged["cAcc"] == 1
    assert evaluate(TEST, entries, threshold=0.5, with_map=False).averaged["cAcc"] == 0
    val = Store.open(MINISTORE).split("val")
    chosen = evaluate(
        TEST, entries, validation=(val, boxes_of(val) * 2), suppress=True, with_map=False
    )
    assert chosen.averaged["cAcc"] == 1
    assert chosen.report["counting"]["chosen_on"] == "instances_val.json"


def test_a_data_set_in_memory_needs_no_file(three_trays):
    scored = evaluate(three_trays, [], threshold=0.5)
    assert scored.averaged["cAcc"] == pytest.approx(1 / 3)  # the empty tray
    assert scored.reading.counts.shape == (3, 2)
    assert np.all(scored.reading.counts == 0)
    assert scored.report["manifest"]["split"] == "in memory"


def test_intervals_only_where_they_are_asked_for(three_trays):
    assert "interval" not in evaluate(three_trays, [], threshold=0.5).report["levels"]["averaged"]
    drawn = evaluate(three_trays, [], threshold=0.5, bootstrap=20).report
    assert drawn["levels"]["averaged"]["interval"]["ACD"][0] >= 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "results: no threshold: give a threshold, a rule, or validation images"),
        ({"threshold": 0.5, "rule": CountingRule()}, "rule and threshold exclude each other"),
        ({"threshold": 2}, "threshold: expected 0 <= value <= 1, got 2"),
        ({"threshold": 0.5, "protocol": "rpctool"}, "chooses its own threshold"),
        ({"protocol": "rpc"}, "protocol: expected one of honest, rpctool, got 'rpc'"),
        ({"rule": CountingRule(), "suppress": True}, "a rule says what it suppresses"),
        ({"threshold": 0.5, "bootstrap": -1}, "bootstrap: expected 0"),
        ({"threshold": 0.5, "levels": ["heavy"]}, "got 'heavy'"),
        ({"threshold": 0.5, "supervision": "Q"}, "supervision: expected one of E, T, V"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_in_one_line(three_trays, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        evaluate(three_trays, [], **options)
    assert "\n" not in str(caught.value)


def test_what_is_no_truth_and_no_results_is_said(three_trays):
    with pytest.raises(DataError, match=r"truth: .* such as a store's .split.*; got Store"):
        evaluate(Store.open(MINISTORE), [])
    with pytest.raises(DataError, match=r"results: expected a path, or a list .*; got dict"):
        evaluate(three_trays, {"image_id": 10})


def test_the_scored_images_cannot_choose_their_threshold(three_trays):
    for truth in (three_trays, TEST):
        with pytest.raises(DataError, match="is the file that is scored"):
            evaluate(truth, [], validation=(truth, []))


def test_counts_need_no_threshold_and_a_row_left_out_is_missed(three_trays):
    lists = [{"image_id": 10, "counts": []}]
    with pytest.raises(DataError, match="counts per image, which need no threshold"):
        evaluate(three_trays, lists, threshold=0.5)
    with pytest.raises(DataError, match="'averaged' was left out"):
        _ = evaluate(three_trays, lists, levels=["easy"]).averaged
