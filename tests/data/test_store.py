import pickle
import shutil

import pytest

from rpc.data.files import DataError
from rpc.data.images import read_image
from rpc.data.store import Store


def test_the_embedded_store_opens_and_all_its_parts_agree(ministore):
    store = Store.open(ministore)
    assert len(store.taxonomy) == 12
    assert len(store.exemplars()) == 288
    assert {e.camera for e in store.exemplars()} == {0, 1, 2, 3}
    assert store.split("val").taxonomy == store.taxonomy
    assert store.split("test").counts().sum() == 417
    image = store.split("val").images[0]
    assert read_image(store.image_path("val", image)).shape == (image.height, image.width, 3)


def test_the_names_of_the_original_data_set_are_understood(store_root):
    for old, new in [
        ("exemplars", "train2019"),
        ("val", "val2019"),
        ("instances_train.json", "instances_train2019.json"),
        ("instances_val.json", "instances_val2019.json"),
    ]:
        (store_root / old).rename(store_root / new)
    store = Store.open(store_root)
    assert store.exemplars()[0].path == store_root / "train2019" / "tea_camera1-1.jpg"
    assert store.image_path("val", store.split("val").images[0]).is_file()


def test_val_and_test_may_be_missing(store_root):
    store = Store.open(store_root)
    assert store.has_split("val")
    assert not store.has_split("test")
    with pytest.raises(DataError, match=r"has no instances_test\.json"):
        store.split("test")
    with pytest.raises(DataError, match="'dev': expected one of train, val, test"):
        store.split("dev")


def test_a_folder_that_is_no_store_is_refused(tmp_path, store_root):
    with pytest.raises(DataError, match="no such folder"):
        Store.open(tmp_path / "gone")
    with pytest.raises(DataError, match="has no folder 'exemplars'"):
        Store.open(tmp_path)
    (store_root / "instances_train.json").unlink()
    with pytest.raises(DataError, match=r"has no instances_train\.json"):
        Store.open(store_root)


def test_an_empty_exemplar_folder_is_refused(store_root):
    shutil.rmtree(store_root / "exemplars")
    (store_root / "exemplars").mkdir()
    with pytest.raises(DataError, match="exemplars: is empty"):
        Store.open(store_root)


def test_a_train_file_without_exemplars_is_refused(store_root, edit):
    edit(store_root / "instances_train.json", lambda c: c.update(annotations=[]))
    with pytest.raises(DataError, match="lists no exemplar at all"):
        Store.open(store_root)


def test_splits_of_different_products_are_refused(store_root, edit):
    edit(store_root / "instances_val.json", lambda c: c["categories"][1].update(name="salt"))
    with pytest.raises(
        DataError, match="differ from those of train: SKU 2 'rice' against 2 'salt'"
    ):
        Store.open(store_root).split("val")


def test_a_file_name_never_leads_out_of_the_store(store_root, tmp_path, make_photo, edit):
    secret = make_photo(tmp_path / "secret.jpg")
    (store_root / "val" / "link.jpg").symlink_to(secret)
    edit(store_root / "instances_val.json", lambda c: c["images"][0].update(file_name="link.jpg"))
    store = Store.open(store_root)
    with pytest.raises(DataError, match="through a link"):
        store.image_path("val", store.split("val").images[0])
    edit(store_root / "instances_val.json", lambda c: c["images"][0].update(file_name="../x.jpg"))
    store = Store.open(store_root)
    with pytest.raises(DataError, match=r"val: image 1: '\.\./x\.jpg' leads out"):
        store.image_path("val", store.split("val").images[0])


def test_an_image_folder_on_another_disk_is_read_where_the_user_wants_it(store_root, tmp_path):
    (store_root / "val").rename(tmp_path / "elsewhere")
    (store_root / "val").symlink_to(tmp_path / "elsewhere")
    store = Store.open(store_root)
    with pytest.raises(DataError, match=r"through a link.*--follow-links"):
        store.image_path("val", store.split("val").images[0])
    store = pickle.loads(pickle.dumps(Store.open(store_root, follow_links=True)))
    assert store.image_path("val", store.split("val").images[0]).is_file()


def test_what_is_understood_of_a_store_is_logged_once_a_kind(store_root, edit, caplog):
    accented = "caf\u00e9_{}.jpg"
    for number, image in enumerate(sorted((store_root / "exemplars").iterdir())[:2]):
        image.rename(image.with_name(f"cafe\u0301_{number}.jpg"))

    def change(content):
        content["annotations"][0]["id"] = "1"
        images = sorted(content["images"], key=lambda image: image["file_name"])
        for number, image in enumerate(images[:2]):
            image["file_name"] = accented.format(number)

    edit(store_root / "instances_train.json", change)
    store = Store.open(store_root)
    assert all(one.path.is_file() for one in store.exemplars())
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert "id of 1 annotations is written in another form, such as '1'" in lines[0]
    assert "exemplars: 2 file names differ from the files' only in how an accent" in lines[1]
