import json

import pytest

from rpc.data import DataError
from rpc.reporting.evaluation.report_folder import read_folder_counts, read_report_folder
from rpc.reporting.provenance import sha256
from tests.reporting.scored import report_of, spoil, write_folder, write_truth


@pytest.fixture
def shop(tmp_path):
    return write_truth(tmp_path / "gt.json")


def test_a_folder_is_read_with_its_counts(shop, tmp_path):
    counts = spoil(shop, 0.3, 1)
    folder = read_report_folder(write_folder(tmp_path / "run", shop, counts, "Syn"))
    assert (folder.method, folder.truth) == ("Syn", sha256(tmp_path / "gt.json"))
    assert list(folder.levels) == ["easy", "medium", "hard", "averaged"]
    assert (read_folder_counts(folder, shop) == counts).all()


def test_without_a_name_the_method_is_called_like_its_folder(shop, tmp_path):
    folder = write_folder(tmp_path / "run 7", shop, spoil(shop, 0.3, 1))
    assert read_report_folder(folder).method == "run 7"


@pytest.mark.parametrize("split", ["test", "test2019"])
def test_the_ground_truth_of_the_main_job_is_the_split_of_its_store(shop, tmp_path, split):
    splits = {"train": {"sha256": "1"}, split: {"sha256": "2"}}
    manifest = {"split": "test", "data": {"name": "store", "splits": splits}}
    folder = write_folder(tmp_path / "run", shop, spoil(shop, 0.3, 1), manifest=manifest)
    assert read_report_folder(folder).truth == "2"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol": "mine"}, "protocol: expected one of honest, rpctool, got 'mine'"),
        ({"protocol": ["honest"]}, "protocol: expected one of"),
        ({"supervision": None}, "supervision: expected one of E, T, V, got None"),
        ({"levels": {}}, "levels: expected rows for some of easy, medium, hard, averaged"),
        ({"levels": []}, "levels: expected rows"),
        ({"levels": {"heavy": {}}}, "levels: expected rows"),
        ({"levels": {"easy": 5}}, "levels: easy: expected cAcc, a number or null"),
        ({"levels": {"easy": {"cAcc": "1"}}}, "levels: easy: expected cAcc, a number or null"),
        ({"levels": {"easy": {"cAcc": 1}}}, "levels: easy: expected ACD, a number or null"),
        ({"manifest": {}}, "its manifest does not say which ground truth was scored"),
        ({"manifest": None}, "its manifest does not say"),
        ({"manifest": {"files": {"gt": "x"}, "split": ["test"]}}, "its manifest does not say"),
        ({"manifest": {"split": "val", "data": {"splits": {"test": {}}}}}, "its manifest does not"),
    ],
)
def test_a_file_that_is_no_report_is_named_with_what_is_wrong(shop, tmp_path, change, message):
    report = report_of(shop, spoil(shop, 0.3, 1)) | change
    (tmp_path / "report.json").write_text(json.dumps(report))
    with pytest.raises(DataError, match=rf"report\.json: {message}"):
        read_report_folder(tmp_path)


def test_a_folder_without_a_report_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"report.json: cannot be read: No such file"):
        read_report_folder(tmp_path)


def test_a_row_for_a_level_that_the_truth_does_not_have_is_refused(tmp_path):
    shop = write_truth(tmp_path / "gt.json", images=2)  # easy and medium
    counts = spoil(shop, 0.3, 1)
    report = report_of(shop, counts)
    levels = report["levels"] | {"hard": report["levels"]["easy"]}
    folder = read_report_folder(write_folder(tmp_path / "run", shop, counts, levels=levels))
    with pytest.raises(DataError, match="gives cAcc None for hard"):
        read_folder_counts(folder, shop)
