import json
import math
from dataclasses import replace

import numpy as np
import pytest

from rpc.counting import CountingRule, CurvePoint, truth_of
from rpc.counting.doubt.calibration import Calibration
from rpc.counting.doubt.doubt import AlikePair, Doubt
from rpc.data import DataError, Dataset
from rpc.metrics import checkout_metrics, detection_metrics
from rpc.metrics.rpctool import QUIRKS, RpctoolMetrics
from rpc.reporting import (
    CountedCarts,
    build_report,
    cart_table,
    confusions,
    manifest,
    read_boxes,
    read_carts,
    results_of_detections,
    sku_table,
    write_report,
)
from rpc.reporting.evaluation.reading import Lines
from rpc.reporting.pages.html import report_page
from rpc.reporting.pages.markdown import report_text
from rpc.reporting.pages.wording import doubt_lines
from rpc.structures import Detections

RULE = CountingRule.plain(0.5)


def report_of(dataset, detections, rule=RULE, **options):
    options = {"manifest": {}, "chosen_on": "val", "resamples": 20} | options
    reading = read_boxes(results_of_detections(detections, dataset), rule)
    return build_report(dataset, reading, **options)


def test_the_report_has_the_schema_and_the_numbers(three_trays, three_readings):
    report = report_of(three_trays, three_readings, method="trial", timings={"detect": 1.5})
    assert (report["protocol"], report["supervision"], report["method"]) == ("honest", "E", "trial")
    assert list(report["levels"]) == ["easy", "hard", "averaged"]
    averaged = report["levels"]["averaged"]
    names = "cAcc ACD mCCD mCIoU mAP50 mmAP threshold images interval"
    assert set(averaged) == set(names.split())
    expected = checkout_metrics([[1, 1], [1, 0], [1, 0]], three_trays.counts())
    assert averaged["cAcc"] == expected.cAcc == 1 / 3
    assert averaged["ACD"] == expected.ACD == 1.0
    assert (averaged["threshold"], averaged["images"]) == (0.5, 3)
    entries = results_of_detections(three_readings, three_trays).to_coco()
    assert averaged["mAP50"] == detection_metrics(three_trays, entries).mAP50
    assert report["levels"]["easy"]["cAcc"] == 1.0
    assert report["counting"] == {"rule": RULE.to_dict(), "chosen_on": "val"}
    assert report["timings"] == {"detect": 1.5}


def test_the_intervals_hold_the_numbers_and_can_be_left_out(three_trays, three_readings):
    report = report_of(three_trays, three_readings, resamples=200)
    assert report["bootstrap"] == {"resamples": 200, "seed": 0, "confidence": 0.95}
    for row in report["levels"].values():
        for name, (low, high) in row["interval"].items():
            assert low <= row[name] <= high
    assert report["levels"]["easy"]["interval"]["cAcc"] == [1, 1]
    alone = report_of(three_trays, three_readings, resamples=200, levels=["averaged"])
    assert alone["levels"]["averaged"] == report["levels"]["averaged"]
    without = report_of(three_trays, three_readings, resamples=0)
    assert without["bootstrap"] is None
    assert "interval" not in without["levels"]["averaged"]


def test_the_threshold_curve_is_kept(three_trays, three_readings):
    points = [CurvePoint(0.3, 0.5, 1.5), CurvePoint(0.5, 0.75, 0.5)]
    report = report_of(three_trays, three_readings, threshold_curve=points)
    assert report["threshold_curve"] == [[0.3, 0.5, 1.5], [0.5, 0.75, 0.5]]


def test_shopping_lists_without_boxes_have_counts_metrics_and_say_what_is_missing(
    three_trays, three_readings
):
    boxes = report_of(three_trays, three_readings, with_map=False)
    carts = CountedCarts(np.array([[1, 1], [1, 0], [1, 0]]), None, absent=0)
    report = build_report(
        three_trays, read_carts(carts), manifest={}, chosen_on="lists", resamples=20
    )
    for name, row in report["levels"].items():
        assert row == boxes["levels"][name] | {"threshold": None}
    for name in ("skus", "sizes", "supercategories", "carts"):
        assert report[name] == boxes[name]
    assert report["confusions"] == []
    assert report["item_fates"] is None
    assert report["coverage"] is report["counting"]["rule"] is None
    note = report["notes"][-1]
    assert "no mAP, no threshold" in note
    assert "was taken for which cannot be told" in note


def numbers_counted(readings):
    return np.array([RULE.count(one).total for one in readings])


def test_the_report_tells_what_became_of_the_items(three_trays, three_readings):
    report = report_of(three_trays, three_readings)
    fates, truth = report["item_fates"], three_trays.counts()
    assert fates["items"] == truth.sum()
    lost = fates["suppressed"] + fates["below_threshold"] + fates["no_box"]
    assert fates["right"] + fates["misnamed"] + lost == fates["items"]
    text = report_text(report)
    assert f"Of {fates['items']} items on the trays {fates['right']} were counted" in text
    assert "What became of the items" in report_page(report)
    right = 100 * (numbers_counted(three_readings) == truth.sum(axis=1)).mean()
    assert f"The number of items is right on {right:.1f} % of the carts" in text


def test_lists_with_certainties_have_a_coverage_and_absent_images_are_counted(three_trays):
    carts = CountedCarts(np.array([[1, 1], [0, 0], [0, 0]]), np.array([0.9, 0.5, 0.0]), absent=1)
    report = build_report(three_trays, read_carts(carts), manifest={}, chosen_on="lists")
    assert report["coverage"]["at"]["0.99"] == {"coverage": 2 / 3, "certainty": 0.5}
    assert "1 images are not in the list; they count as empty" in report["notes"][-1]


def test_trays_that_pass_are_the_headline_and_nothing_is_said_where_nothing_is_asked(three_trays):
    lists = np.array([[1, 1], [0, 0], [0, 0]])
    plain = build_report(
        three_trays,
        read_carts(CountedCarts(lists, None, absent=0)),
        manifest={},
        chosen_on="lists",
    )
    assert plain["doubt"] is None
    assert "question" not in report_text(plain)
    carts = CountedCarts(lists, None, absent=0, questions=np.array([0, 0, 2]))
    report = build_report(three_trays, read_carts(carts), manifest={}, chosen_on="lists")
    averaged = report["doubt"]["levels"]["averaged"]
    assert (averaged["images"], averaged["passed"], averaged["right"]) == (3, 2, 2)
    assert report["doubt"]["limit"] is report["doubt"]["reliability"] is None
    assert "**Coverage: 66.7 % of the trays pass with no question (2 of 3;" in report_text(report)
    assert "of these 100.0 % are right (2 of 2" in report_page(report)


def test_stated_probabilities_of_lines_are_held_against_the_truth(three_trays, three_readings):
    reading = read_boxes(results_of_detections(three_readings, three_trays), CountingRule(0.5))
    lines = Lines(np.full(40, 0.9), np.arange(40) < 30, np.arange(40) % 3)
    asked = replace(reading, questions=np.array([0, 1, 0]), lines=lines)
    doubt = Doubt(Calibration(), 0.97, 0.99, "val", 18, (AlikePair(("tea", "soap"), (0,), 0.4),))
    report = build_report(three_trays, asked, manifest={}, chosen_on="val", doubt=doubt)
    found = report["doubt"]["reliability"]
    assert found["ece"] == pytest.approx(0.15)
    assert found["interval"][0] < 0.15 < found["interval"][1]
    assert report["doubt"]["limit"] == 0.97
    assert "look_alikes.jpg" not in report_text(report) + report_page(report)
    never = report["doubt"] | {"limit": 1.0}
    assert doubt_lines(never)[0].startswith("No tray passes: on val (18 trays) no limit")
    assert doubt_lines(report["doubt"])[0].startswith("A tray passes from a probability of 0.9700")
    report["doubt"]["picture"] = "look_alikes.jpg"
    assert "](look_alikes.jpg)" in report_text(report)
    assert '<img src="look_alikes.jpg"' in report_page(report)
    for page in (report_text(report), report_page(report)):
        assert "from a probability of 0.9700 on" in page
        assert "tea and soap, camera 0: split on 40.0 %" in page


def test_official_figures_take_the_place_of_ours_with_their_quirks(three_trays, three_readings):
    figures = {
        "easy": RpctoolMetrics(1.0, 0.0, math.nan, math.inf, 0.5, 1),
        "hard": RpctoolMetrics(*[math.nan] * 5, images=0, problem="it stops"),
        "averaged": RpctoolMetrics(0.5, 1.0, 0.5, 0.6, 0.45, 2),
    }
    report = report_of(three_trays, three_readings, official=figures)
    assert (report["protocol"], report["bootstrap"]) == ("rpctool", None)
    assert [row["images"] for row in report["levels"].values()] == [1, 0, 2]
    easy, hard, averaged = report["levels"].values()
    assert (easy["mCCD"], easy["mCIoU"], easy["threshold"]) == (None, None, 0.5)
    assert hard["cAcc"] is hard["threshold"] is None
    assert (averaged["cAcc"], averaged["threshold"]) == (0.5, 0.45)
    assert (
        averaged["mAP50"] == report_of(three_trays, three_readings)["levels"]["averaged"]["mAP50"]
    )
    told = "\n".join(report["notes"])
    assert all(text in told for text in QUIRKS.values())
    assert "Row 'easy': the tool prints mCCD nan, mCIoU inf." in told
    assert "Row 'hard' has no figures: it stops." in told
    json.dumps(report, allow_nan=False)


def test_perfect_readings_give_a_perfect_report(ministore_test):
    truth = [truth_of(ministore_test, image.id) for image in ministore_test.images]
    report = report_of(ministore_test, truth, CountingRule.plain(0.5))
    for row in report["levels"].values():
        numbers = [row[name] for name in ("cAcc", "ACD", "mCCD", "mCIoU", "mAP50", "mmAP")]
        assert numbers == pytest.approx([1, 0, 0, 1, 1, 1])
    assert report["carts"] == report["confusions"] == []
    assert sum(row["truth"] for row in report["skus"]) == len(ministore_test.annotations)


def test_no_detection_at_all_is_a_report_of_zeros(ministore_test):
    report = report_of(ministore_test, [Detections.empty()] * len(ministore_test))
    averaged = report["levels"]["averaged"]
    assert [averaged[name] for name in ("cAcc", "mCIoU", "mAP50", "mmAP")] == [0, 0, 0, 0]
    assert averaged["ACD"] == len(ministore_test.annotations) / len(ministore_test)
    assert averaged["mCCD"] == 1.0


def test_without_map_the_fields_are_null(three_trays, three_readings):
    row = report_of(three_trays, three_readings, with_map=False)["levels"]["averaged"]
    assert row["mAP50"] is row["mmAP"] is None


def test_only_the_levels_asked_for_are_there_and_an_empty_one_is_noted(three_trays, three_readings):
    report = report_of(three_trays, three_readings, levels=["medium", "easy"])
    assert list(report["levels"]) == ["easy"]
    assert report["notes"] == ["Level 'medium' has no images and no row."]


def test_images_without_levels_have_one_row_and_a_note(three_trays, three_readings):
    bare = Dataset(
        tuple(type(i)(i.id, i.file_name, i.width, i.height) for i in three_trays.images),
        three_trays.annotations,
        three_trays.taxonomy,
    )
    report = report_of(bare, three_readings)
    assert list(report["levels"]) == ["averaged"]
    assert "no clutter level" in report["notes"][0]


def test_sku_rows_count_missed_and_extra_cart_by_cart(three_trays):
    rows = sku_table(np.array([[1, 1], [1, 0], [1, 0]]), three_trays.counts(), three_trays.taxonomy)
    assert rows[0] == {
        "category_id": 3, "name": "tea", "truth": 1, "predicted": 3, "missed": 0, "extra": 2,
        "carts": 2,
    }  # fmt: skip
    assert (rows[1]["title"], rows[1]["missed"], rows[1]["carts"]) == ("Soap | 1 <kg>", 1, 1)


def test_carts_are_listed_worst_first_and_right_ones_not_at_all(three_trays):
    rows = cart_table(np.array([[1, 1], [1, 0], [1, 0]]), three_trays.counts(), three_trays)
    assert [(row["image_id"], row["wrong"], row["items"]) for row in rows] == [
        (30, 2, 1),
        (20, 1, 0),
    ]
    assert [sku["name"] for sku in rows[0]["missed"]] == ["soap"]
    assert rows[0]["extra"] == [{"category_id": 3, "name": "tea", "count": 1}]


def test_confusions_name_the_item_and_what_it_was_read_as(three_trays, three_readings):
    counted = [RULE.apply(one) for one in three_readings]
    (pair,) = confusions(counted, three_trays)
    assert (pair["truth"]["name"], pair["predicted"]["name"], pair["times"]) == ("soap", "tea", 1)


def test_the_files_hold_the_report_and_its_tables(three_trays, three_readings, tmp_path):
    facts = manifest(threshold=0.5, chosen_on="val", split="test", seeds={"train": 3}, argv=["t"])
    report = report_of(three_trays, three_readings, manifest=facts, method="a|b", notes=["<i>"])
    path = write_report(tmp_path / "out", report)
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(report))
    text = (path.parent / "report.md").read_text(encoding="utf-8")
    assert "# Checkout report: a\\|b" in text
    assert "| averaged | 3 | 33.3 | 1.00 |" in text
    assert (path.parent / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "training saw single-product exemplars" in text
    assert "score of 0.50 on; it was chosen on val" in text
    assert "Soap \\| 1 &lt;kg&gt;" in text
    assert "Note: &lt;i&gt;" in text
    assert "2 of 2 wrong carts" in text
    assert "95 % intervals" in text
    assert "| 1 to 5 | 2 | 50.0 | 1.00 | +0.00 |" in text
    assert "right among these" not in text
    assert "- seeds, train: 3" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(line.endswith(" |") for line in rows)


def test_a_report_without_errors_says_so(three_trays, tmp_path):
    truth = [truth_of(three_trays, image.id) for image in three_trays.images]
    write_report(tmp_path, report_of(three_trays, truth, chosen_on="given"))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "Every cart is right." in text
    assert "it was given" in text
    assert "taken for each other" not in text


def test_senseless_requests_are_refused(three_trays, three_readings):
    with pytest.raises(ValueError, match="supervision: expected one of E, T, V, got 'X'"):
        report_of(three_trays, three_readings, supervision="X")
    with pytest.raises(ValueError, match=r"levels: expected some of easy, .*got 'heavy'"):
        report_of(three_trays, three_readings, levels=["heavy"])
    with pytest.raises(DataError, match="has no images"):
        report_of(Dataset((), (), three_trays.taxonomy), [])
