import os
import unicodedata

import pytest

from rpc.data.files import DataError, read_json
from rpc.data.import_layout import find_sku_photos
from rpc.data.import_told import told_of_import
from rpc.data.importer import import_folder
from tests.data.heic_photo import PLAIN


@pytest.fixture
def make(tmp_path, make_photo):
    """A folder of photos with these files."""
    photo = make_photo(tmp_path / "one.jpg", 60, 80).read_bytes()

    def _make(*names):
        for name in names:
            path = tmp_path / "photos" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(photo if path.suffix != ".txt" else b"text")
        return tmp_path / "photos"

    return _make


def skus(root, **options):
    return {sku.name: len(sku.photos) for sku in find_sku_photos(root, **options).skus}


ONE = ("cola/1.jpg", "cola/2.jpg", "tea/1.jpg")


@pytest.mark.parametrize("around", ["", "shop/", "shop/images/", "train/"])
def test_folders_around_the_skus_are_looked_through(make, around):
    assert skus(make(*(around + name for name in ONE))) == {"cola": 2, "tea": 1}


@pytest.mark.parametrize("splits", [("train", "valid", "test"), ("Training", "Testing")])
@pytest.mark.parametrize("around", ["", "shop/"])
@pytest.mark.parametrize("inside", ["", "images/"])
def test_splits_are_no_skus_and_their_photos_are_joined(make, splits, around, inside):
    root = make(*(f"{around}{split}/{inside}{name}" for split in splits for name in ONE))
    assert skus(root) == {"cola": 2 * len(splits), "tea": len(splits)}
    told = find_sku_photos(root).notes[-1]
    assert all(split in told for split in splits)
    assert told.endswith("are joined by SKU")


def test_a_sku_may_be_called_test(make):
    assert skus(make("test/1.jpg", "cola/1.jpg")) == {"cola": 1, "test": 1}


def test_photos_in_folders_inside_a_sku_are_its_own_and_told(make):
    root = make("cola/1.jpg", "cola/front/1.jpg", "tea/1.jpg")
    assert skus(root) == {"cola": 2, "tea": 1}
    assert (
        "1 SKU: photos of the folders inside, such as cola/front" in find_sku_photos(root).notes[0]
    )


def test_views_are_told_from_groups_of_skus(make):
    root = make("cola/front/1.jpg", "cola/back/1.jpg", "tea/front/1.jpg", "tea/back/2.jpg")
    assert skus(root) == {"cola": 2, "tea": 2}
    with pytest.raises(DataError, match="has a name that looks the same"):
        find_sku_photos(root, "inner")


def test_groups_of_skus_are_refused_until_the_user_says_which_are_the_skus(make):
    root = make("drinks/cola/1.jpg", "drinks/tea/1.jpg", "snacks/chips/1.jpg")
    with pytest.raises(DataError, match=r"--sku-folders inner where cola is a SKU, or .* drinks"):
        find_sku_photos(root)
    assert skus(root, sku_folders="inner") == {"chips": 1, "cola": 1, "tea": 1}
    assert skus(root, sku_folders="outer") == {"drinks": 2, "snacks": 1}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("1.jpg", "2.jpg"), "holds 2 photos without a folder; expected one folder of photos"),
        (("images/1.jpg", "labels/1.txt"), "images holds photos and no folder for each SKU"),
        (("train/1.jpg", "val/2.jpg"), "train, val hold photos and no folder for each SKU"),
        (("train/images/1.jpg", "val/images/2.jpg"), "images holds photos and no folder for each"),
        (("train/cola/1.jpg", "tea/1.jpg"), "train hold folders of photos, as the parts of a data"),
        (("a.txt",), "holds no folder and no photo"),
        (("Cola/1.jpg", "cola /2.jpg"), "looks the same or differs in case alone"),
        (("\x1b/1.jpg", "tea/1.jpg"), "a name without a letter"),
    ],
)
def test_what_is_no_folder_of_skus_is_refused_and_leaves_nothing(make, tmp_path, names, message):
    root = make(*names)
    with pytest.raises(DataError, match=message):
        import_folder(root, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_spellings_of_an_accent_are_one_name(make, tmp_path):
    one, other = (unicodedata.normalize(form, "caf\xe9") for form in ("NFC", "NFD"))
    root = make(f"{other}/1.jpg", "tea/1.jpg")
    assert skus(root) == {one: 1, "tea": 1}
    make(f"{one}/1.jpg")
    with pytest.raises(DataError, match="has a name that looks the same"):
        import_folder(root, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_no_text_is_refused_by_its_folder(make, tmp_path):
    root = make("tea/1.jpg")
    os.rename(root / "tea", os.fsencode(root) + b"/caf\xe9")  # noqa: PTH104
    with pytest.raises(DataError, match=r"caf\\xe9: a name that is not UTF-8; rename the folder"):
        import_folder(root, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_photo_whose_name_is_no_text_is_taken(make, tmp_path):
    root = make("tea/1.jpg")
    os.rename(root / "tea/1.jpg", os.fsencode(root) + b"/tea/caf\xe9.jpg")  # noqa: PTH104
    assert skus(root) == {"tea": 1}
    import_folder(root, tmp_path / "out")
    (image,) = read_json(tmp_path / "out/instances_train.json")["images"]
    assert (image["file_name"], image["source"]) == ("1_tea_1.jpg", r"tea/caf\xe9.jpg")


def test_control_characters_of_a_name_are_left_out_and_told(make):
    root = make("te\x1b[2Ja/1.jpg", "cola/1.jpg")
    layout = find_sku_photos(root)
    assert [sku.name for sku in layout.skus] == ["cola", "te [2Ja"]
    assert "without control characters" in layout.notes[0]


def test_the_lines_begin_with_damage_and_end_with_system_files(make, tmp_path):
    names = ("a/Thumbs.db", "a/desktop.ini", "a/.DS_Store", "__MACOSX/a/._1.jpg", "a/x.mov")
    root = make("a/1.jpg", "b/1.jpg", "b/2.jpg", "loose.jpg", *names)
    (root / "a/x.mov").write_bytes(b"\0\0\0\x14ftypqt  ")
    (root / "b/zero.jpg").write_bytes(b"")
    (root / "b/cut.jpg").write_bytes((root / "b/1.jpg").read_bytes()[:700])
    import_folder(root, tmp_path / "out")
    report = read_json(tmp_path / "out/import.json")
    lines = [line for line in told_of_import(report) if "doubtful" not in line]
    assert lines[0].startswith("left out: b/cut.jpg: the image is truncated or damaged: ")
    assert lines[1] == "left out: b/zero.jpg: the file is empty; replace it"
    assert lines[-1] == "4 hidden and system files passed over"
    assert "1 photo outside of the SKU folders passed over: loose.jpg (move it into" in lines[2]
    assert "1 video passed over: a/x.mov (take stills from it, as JPEG)" in lines
    assert len(lines) == 5


def test_many_damaged_photos_are_one_line(make, tmp_path):
    root = make("a/1.jpg", *(f"a/bad{n}.jpg" for n in range(9)))
    for path in root.glob("a/bad*"):
        path.write_bytes(b"")
    import_folder(root, tmp_path / "out")
    report = read_json(tmp_path / "out/import.json")
    (line,) = (line for line in told_of_import(report) if "doubtful" not in line)
    assert line.startswith("9 photos left out: the file is empty, such as a/bad0.jpg")
    assert line.endswith("; replace it")


def test_copies_are_called_what_they_are(make, tmp_path):
    pytest.importorskip("pi_heif")
    root = make("tea/a.heic", "tea/b", "tea/c.JPEG.download", "tea/d.jpeg")
    (root / "tea/e.jpg").write_bytes(PLAIN)
    import_folder(root, tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out/exemplars").iterdir())
    assert names == [
        f"1_tea_{n}.{s}" for n, s in enumerate(("jpg", "jpg", "jpg", "jpeg", "heic"), 1)
    ]


@pytest.mark.parametrize("kind", ["empty", "videos"])
def test_a_sku_without_a_photo_is_told_before_anything_is_read(make, tmp_path, kind):
    root = make("tea/1.jpg")
    (root / "salt").mkdir()
    if kind == "videos":
        (root / "salt/1.mov").write_bytes(b"\0\0\0\x14ftypqt  ")
    with pytest.raises(DataError, match="salt: the SKU has no readable photo at all"):
        import_folder(root, tmp_path / "out", progress=lambda done, total: 1 / 0)
