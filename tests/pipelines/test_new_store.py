"""A store of an export: what goes where, and that a refused or stopped one leaves nothing."""

import json

import pytest

from rpc.cli import check, new
from rpc.data.check import check_store
from rpc.data.dataset import read_dataset
from rpc.data.exports.placing import Placing, parse_rules
from rpc.data.exports.reading import ReadOptions
from rpc.data.files import FOLLOW_LINKS, DataError
from rpc.data.store import Store
from rpc.pipelines.new_store import new_store
from tests.data.exports.layouts import coco, labelme, plain_coco, roboflow_coco, rpc_renamed, yolo
from tests.data.exports.truth import COLA, SPLIT_TRUTH, TEA, Truth, write_json, write_photo

TRAY = (("cola", COLA), ("grüner tee", TEA))
TRAYS = [Truth("train", "1.jpg", TRAY), Truth("val", "2.jpg", TRAY), Truth("test", "3.jpg", TRAY)]


def placed(**rules):
    return ReadOptions(placing=Placing(rules))


@pytest.mark.parametrize("writer", [roboflow_coco, labelme, yolo, rpc_renamed])
def test_the_store_of_an_export_is_sound(writer, tmp_path):
    truth = [*SPLIT_TRUTH[:2], *SPLIT_TRUTH[3:]] if writer is labelme else SPLIT_TRUTH
    writer(tmp_path / "export", truth)
    store = Store.open(new_store(tmp_path / "export", tmp_path / "out").root)
    assert store.taxonomy.names == ("cola", "grüner tee")
    assert [e.box for e in store.exemplars()] == [tuple(map(float, b)) for b in (COLA, TEA)]
    assert check_store(store.root).usable
    assert not (tmp_path / "out" / ".new_store").exists()


def test_trays_of_train_are_kept_apart_from_val(tmp_path):
    roboflow_coco(tmp_path / "e", [*SPLIT_TRUTH, *TRAYS])
    made = new_store(tmp_path / "e", tmp_path / "out")
    scenes = read_dataset(made.root / "labelled_trays" / "instances.json")
    assert [image.file_name for image in scenes.images] == ["1.jpg"]
    assert (made.root / "labelled_trays" / "images" / "1.jpg").is_file()
    store = Store.open(made.root)
    assert len(store.split("val")) == 2
    assert store.split("val").images[1].extra["source"] == "valid/2.jpg"


def test_rules_say_where_splits_go(tmp_path):
    roboflow_coco(tmp_path / "e", [*SPLIT_TRUTH, *TRAYS])
    plan = new_store(tmp_path / "e", tmp_path / "1", options=placed(train="val", val="test")).plan
    assert {place: len(found) for place, found in plan.placed.items() if found} == {
        "val": 3,
        "test": 4,
    }
    plan = new_store(tmp_path / "e", tmp_path / "2", options=placed(test="none")).plan
    assert not plan.placed["test"]
    assert "photos are left out, as --split says" in {p.kind for p in plan.left_out}
    with pytest.raises(DataError, match=r"--split shelf=\.\.\.: the export has no such photos"):
        new_store(tmp_path / "e", tmp_path / "3", options=placed(shelf="val"))
    assert not (tmp_path / "3").exists()
    assert parse_rules(["valid=exemplars", "train=trays"]) == {
        "val": "exemplars",
        "train": "labelled_trays",
    }
    with pytest.raises(DataError, match="expected SPLIT=PLACE"):
        parse_rules(["train=shelf"])


def test_empty_trays_are_kept_where_that_is_said(tmp_path):
    yolo(tmp_path / "e", [*SPLIT_TRUTH, Truth("train", "x.jpg"), Truth("val", "y.jpg")])
    options = ReadOptions(placing=Placing(keep_empty=True))
    made = new_store(tmp_path / "e", tmp_path / "out", options=options)
    assert (made.root / "backgrounds" / "x.jpg").is_file()
    assert len(read_dataset(made.root / "instances_val.json")) == 2


def test_product_photos_make_an_export_of_trays_whole(tmp_path, capsys):
    plain_coco(tmp_path / "e", TRAYS)
    for name in ("Cola", "gru\u0308ner tee", "soap"):
        write_photo(tmp_path / "photos" / name / "1.jpg")
    write_photo(tmp_path / "empty" / "tray.jpg")
    arguments = [str(tmp_path / "e"), str(tmp_path / "out")]
    assert new.main([*arguments, "--exemplars", str(tmp_path / "photos")]) == 0
    told = capsys.readouterr().out
    assert "exemplars added: 3 photos of 3 SKUs" in told
    assert "measured on, not trained on" not in told
    store = Store.open(tmp_path / "out")
    assert store.taxonomy.names == ("cola", "grüner tee", "soap")
    assert [e.category_id for e in store.exemplars()] == [1, 2, 3]
    assert check_store(store.root).usable
    assert new.main([str(tmp_path / "e"), str(tmp_path / "only_trays")]) == 0
    assert "measured on, not trained on" in capsys.readouterr().out


def test_what_is_refused_or_stopped_leaves_nothing(tmp_path):
    roboflow_coco(tmp_path / "e", SPLIT_TRUTH)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        new_store(tmp_path / "e", tmp_path / "out", progress=stop)
    assert not (tmp_path / "out").exists()
    with pytest.raises(DataError, match="lies inside the export"):
        new_store(tmp_path / "e", tmp_path / "e" / "out")
    write_photo(tmp_path / "full" / "mine.jpg")
    with pytest.raises(DataError, match="is not empty"):
        new_store(tmp_path / "e", tmp_path / "full")
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["mine.jpg"]
    (tmp_path / "e2").mkdir()
    with pytest.raises(DataError, match=r"no photo and no label file|no folder"):
        new_store(tmp_path / "e2", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_a_kill_left_is_removed_by_the_next_run(tmp_path):
    roboflow_coco(tmp_path / "e", SPLIT_TRUTH)
    out = tmp_path / "out"
    write_photo(out / ".new_store" / "val" / "old.jpg")
    write_photo(out / "exemplars" / "old.jpg")
    (out / ".new_store" / "moving.txt").write_text("exemplars\nval")
    root = new_store(tmp_path / "e", out).root
    assert not list(root.rglob("old.jpg"))
    assert len(Store.open(root).exemplars()) == 2


def test_a_store_is_no_export_and_few_labels_among_photos_by_sku_are_asked_about(tmp_path):
    roboflow_coco(tmp_path / "e", SPLIT_TRUTH)
    new_store(tmp_path / "e", tmp_path / "out")
    with pytest.raises(DataError, match="is a store in RPC's shape already"):
        new_store(tmp_path / "out", tmp_path / "again")
    for sku in ("cola", "tea"):
        for number in range(3):
            write_photo(tmp_path / "photos" / sku / f"{number}.jpg")
    labelme(tmp_path / "photos" / "cola", [Truth("", "0.jpg", (("cola", COLA),))])
    with pytest.raises(DataError, match=r"--layout labelme .* or --layout photos"):
        new_store(tmp_path / "photos", tmp_path / "store")
    made = new_store(tmp_path / "photos", tmp_path / "1", options=ReadOptions("photos"))
    assert len(Store.open(made.root).exemplars()) == 6
    made = new_store(tmp_path / "photos", tmp_path / "2", options=ReadOptions("labelme"))
    assert len(Store.open(made.root).exemplars()) == 1


def test_check_names_the_export_and_the_way_to_a_store(tmp_path, capsys):
    roboflow_coco(tmp_path, SPLIT_TRUTH)
    assert check.main([str(tmp_path), "--json", str(tmp_path.parent / "found.json")]) == 1
    told = capsys.readouterr().out
    assert "a Roboflow COCO export: 3 label files, 4 photos, 3 classes" in told
    assert f"rpc-checkout new {tmp_path} --out STORE" in told
    found = json.loads((tmp_path.parent / "found.json").read_text())
    assert found["usable"] is False
    assert found["exemplars"] == 2


def test_check_and_new_name_what_they_cannot_read(tmp_path, capsys):
    write_photo(tmp_path / "a.jpg")
    write_json(tmp_path / "p.json", {"project": {}, "attribute": {}, "metadata": {}})
    write_json(tmp_path / "r.json", [{"image_id": 1, "category_id": 1, "score": 0.5}])
    assert check.main([str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "p.json (VIA 3 project: export it as COCO" in told
    assert "r.json (COCO results: these are predictions" in told
    with pytest.raises(DataError, match=r"found 1 photos: p\.json \(VIA 3 project"):
        new_store(tmp_path, tmp_path.parent / "out")


def test_photos_that_the_labels_do_not_name_are_counted(tmp_path, capsys):
    write_photo(tmp_path / "e" / "a.jpg")
    for number in range(3):
        write_photo(tmp_path / "e" / f"extra{number}.jpg")
    write_json(tmp_path / "e" / "x.json", coco([Truth("", "a.jpg", (("cola", COLA),))]))
    assert new.main([str(tmp_path / "e"), str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "3 photos are named by no label file, such as extra0.jpg" in told
    report = json.loads((tmp_path / "out" / "import.json").read_text())
    extra = next(kind for kind in report["left_out"] if "no label file" in kind["kind"])
    assert extra["count"] == 3
    assert [e["where"] for e in extra["entries"]] == ["extra0.jpg", "extra1.jpg", "extra2.jpg"]


def test_links_to_another_disk_are_told_and_followed_where_that_is_said(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv(FOLLOW_LINKS, "")
    write_photo(tmp_path / "disk" / "a.jpg")
    write_json(tmp_path / "e" / "x.json", coco([Truth("", "a.jpg", (("cola", COLA),))]))
    (tmp_path / "e" / "a.jpg").symlink_to(tmp_path / "disk" / "a.jpg")
    assert check.main([str(tmp_path / "e")]) == 1
    assert "a.jpg: a link that leads out of the folder" in capsys.readouterr().out
    with pytest.raises(DataError, match="no photo of the export can be taken"):
        new_store(tmp_path / "e", tmp_path / "out")
    assert new.main([str(tmp_path / "e"), str(tmp_path / "out"), "--follow-links"]) == 0
    assert not (tmp_path / "out" / "exemplars" / "a.jpg").is_symlink()


def test_an_export_whose_json_is_called_as_a_stores_is_still_one(tmp_path, capsys):
    write_photo(tmp_path / "images" / "train" / "a.jpg")
    write_photo(tmp_path / "images" / "val" / "b.jpg")
    photos = [Truth("", "train/a.jpg", (("cola", COLA),)), Truth("", "val/b.jpg", TRAY)]
    write_json(tmp_path / "instances_all.json", coco(photos))
    assert check.main([str(tmp_path)]) == 1
    assert "1 exemplar (1 item, 1 SKU), 1 val tray" in capsys.readouterr().out
    (tmp_path / "instances_all.json").rename(tmp_path / "instances_train.json")
    assert check.main([str(tmp_path)]) == 1
    assert "becomes one, as said above" in capsys.readouterr().out
