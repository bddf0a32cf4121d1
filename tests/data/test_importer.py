import pytest

from rpc.data.check import check_store
from rpc.data.files import DataError, read_json
from rpc.data.importer import import_folder
from rpc.data.store import Store
from rpc.structures import box_iou


@pytest.fixture
def photos(tmp_path, make_photo):
    root = tmp_path / "photos"
    for name in ("green tea", "绿茶", "green_tea"):
        for number in range(2):
            make_photo(root / name / f"IMG {number}.jpg", 120, 160)
    make_photo(root / "green tea" / "tea_camera2-7.jpg", 120, 160)
    (root / "green tea" / ".DS_Store").write_text("x")
    return root


def test_a_folder_of_photos_becomes_a_sound_store(photos, tmp_path, make_photo):
    make_photo(tmp_path / "empty" / "tray.jpg")
    seen = []
    root = import_folder(
        photos,
        tmp_path / "out",
        tmp_path / "empty",
        progress=lambda done, total: seen.append((done, total)),
    )
    store = Store.open(root)
    assert store.taxonomy.names == ("green tea", "green_tea", "绿茶")
    assert len(store.exemplars()) == 7
    assert [e.camera for e in store.exemplars()] == [None, None, 2, None, None, None, None]
    assert check_store(root).usable
    assert (root / "backgrounds" / "background_1.jpg").is_file()
    assert seen[-1] == (8, 8)
    for exemplar in store.exemplars():
        assert box_iou([exemplar.box], [[40, 30, 120, 90]])[0, 0] > 0.8
    assert all(a.extra["box_quality"] > 0.4 for a in store.split("train").annotations)
    assert read_json(root / "import.json")["skipped"] == []


def test_unreadable_photos_are_skipped_and_listed(photos, tmp_path, make_photo):
    (photos / "绿茶" / "broken.jpg").write_bytes((photos / "绿茶" / "IMG 0.jpg").read_bytes()[:500])
    (photos / "绿茶" / "notes.txt").write_text("not a photo")
    (photos / "绿茶" / "link.jpg").symlink_to(make_photo(tmp_path / "elsewhere.jpg"))
    root = import_folder(photos, tmp_path / "out")
    report = read_json(root / "import.json")
    assert [entry["file"] for entry in report["skipped"]] == ["绿茶/broken.jpg"]
    passed = {entry["file"]: entry["kind"] for entry in report["passed_over"]}
    assert passed == {
        "green tea/.DS_Store": "hidden and system file",
        "绿茶/link.jpg": "link out of the folder",
        "绿茶/notes.txt": ".txt file",
    }
    assert all(str(photos) not in entry["why"] for entry in report["skipped"][:1])
    assert len(Store.open(root).exemplars()) == report["exemplars"] == 7


def test_an_interrupted_import_leaves_nothing_and_can_be_run_again(photos, tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_folder(photos, tmp_path / "out", progress=stop)
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    with pytest.raises(KeyboardInterrupt):
        import_folder(photos, tmp_path / "out", progress=stop)
    assert list((tmp_path / "out").iterdir()) == []
    assert len(Store.open(import_folder(photos, tmp_path / "out")).exemplars()) == 7


def test_a_sku_without_a_photo_is_refused(photos, tmp_path):
    (photos / "salt").mkdir()
    with pytest.raises(DataError, match="salt: the SKU has no readable photo at all"):
        import_folder(photos, tmp_path / "out")
    (photos / "salt" / "x.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"no readable photo: salt/x\.jpg: the file is empty"):
        import_folder(photos, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_wrong_places_are_refused(photos, tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        import_folder(tmp_path / "gone", tmp_path / "out")
    with pytest.raises(DataError, match="lies inside the photos"):
        import_folder(photos, photos / "out")
    (tmp_path / "flat").mkdir()
    with pytest.raises(DataError, match="expected one folder of photos for each SKU"):
        import_folder(tmp_path / "flat", tmp_path / "out")
    with pytest.raises(DataError, match="photos of the empty tray, found none"):
        import_folder(photos, tmp_path / "out", tmp_path / "flat")
    import_folder(photos, tmp_path / "out")
    with pytest.raises(DataError, match="holds a store already"):
        import_folder(photos, tmp_path / "out")


def test_unreadable_backgrounds_are_refused(photos, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "x.jpg").write_text("no image")
    with pytest.raises(DataError, match="no photo of an empty tray can be read: not an image"):
        import_folder(photos, tmp_path / "out", tmp_path / "empty")
