"""What is suspected reaches every door: the command, its pages, the call, the check."""

import json
from dataclasses import replace

import pytest

import rpc
from rpc.cli.compare import main as compare
from rpc.cli.evaluate import main as evaluate
from rpc.data import DataError, read_dataset, write_dataset, write_json
from rpc.data.check import check_store
from rpc.data.check_page import check_page
from rpc.reporting import read_results
from rpc.reporting.pages.wording import suspicion_lines
from tests.reporting.evaluation.drawn_results import FORMS, detect, in_another_form, trays


@pytest.fixture
def files(tmp_path):
    """A truth whose annotations are numbered from 0, and results with corners for boxes."""
    dataset = trays(1)
    items = tuple(replace(item, id=item.id - 1) for item in dataset.annotations)
    dataset = replace(dataset, annotations=items)
    results = in_another_form(detect(dataset, 1), FORMS["corners"][0])
    truth = write_dataset(tmp_path / "instances_test.json", dataset)
    return truth, write_json(tmp_path / "results.json", results.to_coco())


def test_the_command_tells_on_the_screen_and_on_its_pages(files, tmp_path, capsys):
    truth, results = files
    words = ["--gt", truth, "--results", results, "--threshold", 0.5, "--bootstrap", 0]
    for out in ("a", "b"):
        assert evaluate([str(word) for word in [*words, "--out", tmp_path / out]]) == 0
    printed = capsys.readouterr().out
    assert "suspicious: an item has the annotation id 0" in printed
    assert "pycocotools prints" in printed
    assert "read as x1, y1, x2, y2 (corners) in pixels" in printed
    report = json.loads((tmp_path / "a" / "report.json").read_text())
    kinds = [one["kind"] for one in report["suspicions"]]
    assert kinds[0] == "annotation_id_0"
    assert "boxes_in_another_form" in kinds
    for page in ("report.md", "report.html"):
        text = (tmp_path / "a" / page).read_text()
        assert text.count("Suspicious:") == len(kinds)
        assert "To do: number annotations from 1 on" in text
    folders = [str(tmp_path / out) for out in ("a", "b")]
    compare([*folders, "--gt", str(truth), "--out", str(tmp_path / "c"), "--bootstrap", "1"])
    assert "a: suspicious: an item has the annotation id 0" in capsys.readouterr().out


def test_the_call_tells_and_scores_item_0(files):
    truth, _ = files
    dataset = read_dataset(truth)
    found = detect(dataset, 1).to_coco()
    scored = rpc.evaluate(dataset, found, threshold=0.5)
    from_1 = tuple(replace(item, id=item.id + 1) for item in dataset.annotations)
    expected = rpc.evaluate(replace(dataset, annotations=from_1), found, threshold=0.5)
    assert [one["kind"] for one in scored.report["suspicions"]] == ["annotation_id_0"]
    assert expected.report["suspicions"] == []
    assert scored.averaged == expected.averaged


def test_the_check_tells_of_the_truth(files):
    page = check_page(check_store(files[0].parent))
    assert "annotation id 0, which pycocotools" in page
    assert "number annotations from 1 on" in page


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        (lambda s: 100 * s, "as percent: divide by 100"),
        (lambda s: 20 * s - 10, "as logits do"),
        (lambda s: 255 * s, "as a byte: divide by 255"),
    ],
)
def test_scores_of_another_scale_are_refused_with_what_they_may_be(tmp_path, scale, said):
    dataset = trays(1)
    entries = detect(dataset, 1).to_coco()
    entries = [entry | {"score": scale(entry["score"])} for entry in entries]
    path = write_json(tmp_path / "results.json", entries)
    with pytest.raises(DataError, match=f"score: expected a number 0 to 1 .*{said}"):
        read_results(path, dataset)


@pytest.mark.parametrize("entries", [None, 3, ["x"], [{}], {"what": "x"}])
def test_a_report_with_other_suspicions_raises_nothing(entries):
    assert len(suspicion_lines({"suspicions": entries})) <= 1


@pytest.mark.parametrize(
    ("field", "change", "said"),
    [
        ("category_id", -1, "category ids here go from 0 to 11, .* from 1 to 12: .* if 1 is added"),
        ("image_id", 1, "they fit if 1 is taken away"),
        ("image_id", -100, "image ids here go from 0 to 39, .*: they fit if 100 is added"),
    ],
)
def test_unknown_ids_are_refused_with_the_shift_that_fits(field, change, said):
    dataset = trays(1)
    entries = [e | {field: e[field] + change} for e in detect(dataset, 1).to_coco()]
    with pytest.raises(DataError, match=said):
        rpc.evaluate(dataset, entries, threshold=0.5)


def test_results_and_lists_of_another_split_are_refused_with_its_name(tmp_path):
    truth = write_dataset(tmp_path / "instances_test.json", trays(1))
    val = trays(2, image_first=5000)
    write_dataset(tmp_path / "instances_val.json", val)
    entries = detect(val, 2).to_coco()
    of = len({entry["image_id"] for entry in entries})
    with pytest.raises(DataError, match=f"{of} of {of} ids here are images of instances_val"):
        rpc.evaluate(truth, entries, threshold=0.5)
    carts = [{"image_id": image.id, "counts": []} for image in val.images]
    with pytest.raises(DataError, match="40 of 40 ids here are images of instances_val"):
        rpc.evaluate(truth, carts)
