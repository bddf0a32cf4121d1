import os
import unicodedata

import numpy as np
import pytest
from scipy.io import savemat

from rpc.data.class_sets.class_folders import labels_of
from rpc.data.class_sets.class_layouts import read_class_set
from rpc.data.class_sets.cub import CUB
from rpc.data.class_sets.dogs import DOGS
from rpc.data.files import DataError


def _touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"photo")


@pytest.fixture
def folders(tmp_path):
    for name in ("train/oat/b.jpg", "train/oat/a.JPG", "train/soy/c.png", "test/soy/d.jpg"):
        _touch(tmp_path / name)
    _touch(tmp_path / "train/oat/notes.txt")
    return tmp_path


CUB_LISTS = {
    "images.txt": "1 001.Gull/a.jpg\n2 001.Gull/b.jpg\n3 002.Tern/c d.jpg\n4 002.Tern/e.jpg\n",
    "image_class_labels.txt": "1 1\n2 1\n3 2\n4 2\n",
    "train_test_split.txt": "1 1\n2 0\n3 1\n4 0\n",
    "classes.txt": "1 001.Gull\n2 002.Tern\n",
}


@pytest.fixture
def cub(tmp_path):
    root = tmp_path / "CUB_200_2011"
    for line in CUB_LISTS["images.txt"].splitlines():
        _touch(root / "images" / line.partition(" ")[2])
    for name, text in CUB_LISTS.items():
        (root / name).write_text(text)
    return root


def _cells(names):
    """A column of MATLAB strings, as the published lists hold them."""
    cells = np.empty((len(names), 1), dtype=object)
    cells[:, 0] = names
    return cells


@pytest.fixture
def dogs(tmp_path):
    splits = {
        "train": ["n01-Pug/a.jpg", "n02-basset_hound/b.jpg"],
        "test": ["n02-basset_hound/c.jpg"],
    }
    for split, names in splits.items():
        for name in names:
            _touch(tmp_path / "Images" / name)
        labels = np.array([[int(name[2])] for name in names])
        savemat(tmp_path / f"{split}_list.mat", {"file_list": _cells(names), "labels": labels})
    return tmp_path


def test_folders_by_class_give_photos_to_learn_from_and_to_test(folders):
    data = read_class_set(folders)
    assert data.name == folders.name
    assert data.classes == ("oat", "soy")
    assert [photo.name for photo in data.train] == [
        "train/oat/a.JPG",
        "train/oat/b.jpg",
        "train/soy/c.png",
    ]
    assert labels_of(data.train).tolist() == [0, 0, 1]
    assert [(photo.name, photo.label) for photo in data.test] == [("test/soy/d.jpg", 1)]


def test_hidden_files_and_folders_named_like_photos_are_no_photos(folders):
    before = read_class_set(folders)
    some = folders / before.train[0].name
    (some.parent / f"._{some.name}").write_bytes(b"left by another system")
    (some.parent / "album.jpg").mkdir()
    assert read_class_set(folders) == before


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("train/oat/more/x.jpg", "1 folder of photos passed over: more .move them up into oat"),
        ("train/x.jpg", "a photo that lies in no class's folder"),
        ("test/soy/x.mov", "1 video passed over: x.mov .take stills"),
    ],
)
def test_photos_are_not_left_out_in_silence(folders, name, told):
    _touch(folders / name)
    with pytest.raises(DataError, match=told):
        read_class_set(folders)


def test_a_class_spelt_with_combined_and_with_single_letters_is_one(tmp_path):
    for split, form in (("train", "NFD"), ("test", "NFC")):
        _touch(tmp_path / split / unicodedata.normalize(form, "Käse") / "a.jpg")
        _touch(tmp_path / split / "oats" / "b.jpg")
    found = read_class_set(tmp_path)
    assert found.classes == tuple(sorted(("oats", unicodedata.normalize("NFC", "Käse"))))
    assert [photo.label for photo in found.train] == [photo.label for photo in found.test]
    assert all(photo.path.is_file() for photo in found.train)
    _touch(tmp_path / "train" / unicodedata.normalize("NFC", "Käse") / "a.jpg")
    with pytest.raises(DataError, match=r"another folder, .* has a name that looks the same"):
        read_class_set(tmp_path)


@pytest.mark.parametrize("place", [b"train/k\xe9se/a.jpg", b"train/oats/\xe9.jpg"])
def test_a_name_that_is_no_text_is_told(tmp_path, place):
    for split in ("train", "test"):
        _touch(tmp_path / split / "oats" / "b.jpg")
    try:
        _touch(tmp_path / os.fsdecode(place))
    except OSError:
        pytest.skip("this file system has no such names")
    with pytest.raises(DataError, match=r"\\xe9.*not UTF-8; rename it"):
        read_class_set(tmp_path)


def test_a_photo_of_cub_that_is_listed_twice_is_told(cub):
    path = next(cub.rglob("images.txt"))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], lines[-1].split()[0] + " " + lines[0].split()[1]]))
    with pytest.raises(DataError, match="more than once"):
        read_class_set(cub)


def test_cub_as_published_in_its_folder_or_above_it(cub):
    for root in (cub, cub.parent):
        data = read_class_set(root)
        assert data.name == CUB
        assert data.classes == ("001.Gull", "002.Tern")
        assert [(p.name, p.label) for p in data.train] == [
            ("images/001.Gull/a.jpg", 0),
            ("images/002.Tern/c d.jpg", 1),
        ]
        assert [p.path.name for p in data.test] == ["b.jpg", "e.jpg"]


def test_dogs_as_published_with_lists_beside_or_in_their_folder(dogs):
    data = read_class_set(dogs)
    assert data.name == DOGS
    assert data.classes == ("Pug", "basset_hound")
    assert labels_of(data.train).tolist() == [0, 1]
    assert data.test[0].name == "Images/n02-basset_hound/c.jpg"
    (dogs / "lists").mkdir()
    for name in ("train_list.mat", "test_list.mat"):
        (dogs / name).rename(dogs / "lists" / name)
    assert read_class_set(dogs) == data


@pytest.mark.parametrize("file", list(CUB_LISTS)[1:])
def test_a_missing_list_of_cub_is_named(cub, file):
    (cub / file).unlink()
    with pytest.raises(DataError, match=rf"{file}: missing; CUB-200-2011 needs"):
        read_class_set(cub)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("images.txt", "1 ../../../etc/passwd\n2 b\n3 c\n4 d\n", "leads out of the data folder"),
        ("images.txt", "one a.jpg\n", "line 1: expected a number"),
        ("images.txt", "1 a.jpg\n1 b.jpg\n", "line 2: expected a number that is there once"),
        ("image_class_labels.txt", "1 1\n2 1\n3 2\n", "image 4 is in one of the two only"),
        ("image_class_labels.txt", "1 1\n2 1\n3 2\n4 9\n", "image 4 has class '9'"),
        ("train_test_split.txt", "1 1\n2 0\n3 1\n4 5\n", "image 4: expected 1 .* got '5'"),
        ("train_test_split.txt", "1 1\n2 1\n3 1\n4 1\n", "the test split holds no photo"),
        ("train_test_split.txt", "1 0\n2 0\n3 1\n4 0\n", "training photos of 1 classes"),
    ],
)
def test_lists_of_cub_that_are_wrong_are_told(cub, file, text, told):
    (cub / file).write_text(text)
    with pytest.raises(DataError, match=told):
        read_class_set(cub)


def test_a_list_that_is_no_text_is_told(cub):
    (cub / "classes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"classes.txt: cannot be read as text"):
        read_class_set(cub)


def test_listed_photos_that_are_missing_are_counted(cub):
    (cub / "images/001.Gull/a.jpg").unlink()
    with pytest.raises(DataError, match=r"a.jpg: missing, as 1 of 4 listed photos"):
        read_class_set(cub)


def test_lists_of_dogs_that_are_missing_damaged_or_lead_out_are_told(dogs):
    (dogs / "test_list.mat").write_bytes(b"MATLAB 5.0, but not really" * 9)
    with pytest.raises(DataError, match=r"test_list.mat: not a list of Stanford Dogs"):
        read_class_set(dogs)
    names = {"file_list": _cells(["../../x.jpg"]), "labels": np.array([[1]])}
    savemat(dogs / "test_list.mat", names)
    with pytest.raises(DataError, match="leads out"):
        read_class_set(dogs)
    (dogs / "test_list.mat").unlink()
    with pytest.raises(DataError, match=r"test_list.mat: missing; unpack lists.tar"):
        read_class_set(dogs)


def test_dogs_without_images_are_told(dogs):
    (dogs / "Images").rename(dogs / "elsewhere")
    with pytest.raises(DataError, match=r"without its folder Images/"):
        read_class_set(dogs)


def test_a_class_without_a_photo_or_only_in_test_is_told(folders):
    _touch(folders / "test/rice/e.jpg")
    with pytest.raises(DataError, match="class rice has test photos and no training photo"):
        read_class_set(folders)
    (folders / "train/rice").mkdir()
    with pytest.raises(DataError, match=r"train/rice: a class without a photo"):
        read_class_set(folders)


def test_what_is_no_data_set_is_told(tmp_path):
    with pytest.raises(DataError, match="not a data set that is known: expected one of CUB"):
        read_class_set(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        read_class_set(tmp_path / "missing")
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match=r"train: holds no folder"):
        read_class_set(tmp_path)
    _touch(tmp_path / "train/a/x.jpg")
    with pytest.raises(DataError, match=r"test: missing"):
        read_class_set(tmp_path)


def test_a_link_out_of_the_data_is_not_followed(folders, tmp_path_factory):
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.jpg"
    _touch(secret)
    (folders / "test/soy/link.jpg").symlink_to(secret)
    with pytest.raises(DataError, match=r"1 link out of the folder passed over: link\.jpg"):
        read_class_set(folders)
