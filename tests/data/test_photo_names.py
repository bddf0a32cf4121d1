"""Photos by the names of a JSON: as written, or as another system writes them."""

from __future__ import annotations

import pytest

from rpc.data.files import DataError
from rpc.data.photo_names import PhotoFolder

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "store" / "exemplars"
    for name in ("a.jpg", "B.JPG", f"{DECOMPOSED}.jpg", f"{COMPOSED} x/1.jpg", "deep/er/c.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return PhotoFolder(root, root.parent)


@pytest.mark.parametrize(
    ("name", "file", "how"),
    [
        ("a.jpg", "a.jpg", ""),
        ("gone.jpg", "gone.jpg", ""),
        (f"{COMPOSED}.jpg", f"{DECOMPOSED}.jpg", "accent"),
        (f"{DECOMPOSED} x/1.jpg", f"{COMPOSED} x/1.jpg", "accent"),
        ("b.jpg", "B.JPG", "case"),
        (f"{DECOMPOSED.upper()} X/1.JPG", f"{COMPOSED} x/1.jpg", "case"),
        ("deep\\er\\c.jpg", "deep/er/c.jpg", "backslash"),
        ("Deep\\er\\c.jpg", "deep/er/c.jpg", "backslash"),
        ("exemplars/a.jpg", "a.jpg", "folder"),
        ("exemplars\\a.jpg", "a.jpg", "backslash"),
    ],
)
def test_a_name_is_found_as_any_system_writes_it(folder, name, file, how):
    assert folder.find(name) == (folder.folder / file, how)
    told = folder.notes([name])
    assert [note.what.endswith(f"read as {file}") for note in told] == ([True] if how else [])


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("gone\\a.jpg", "holds a backslash or a NUL.*exemplars/ has a file 'a.jpg': write this"),
        ("../../media/upload/1/a.jpg", "leads out of the data folder.*has a file 'a.jpg'"),
        ("..\\..\\media\\a.jpg", "has a file 'a.jpg'"),
        ("/data/local-files/?d=shop/zz.jpg", "leads out of the data folder"),
        ("deep/../../../x.jpg", "leads out of the data folder"),
        ("", "expected a file name, got ''"),
        ("a\0.jpg", "NUL"),
    ],
)
def test_a_name_that_leads_out_is_refused_where_it_is_opened(folder, name, what):
    with pytest.raises(DataError, match=what):
        folder.path(name)
    assert folder.notes([name]) == []


def test_two_files_that_may_be_meant_are_none(folder):
    (folder.folder / "b.Jpg").write_bytes(b"y")
    assert folder.find("b.jpg") == (folder.folder / "b.jpg", "")


def test_a_link_that_leads_out_is_followed_only_where_it_may_be(folder, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "d.jpg").write_bytes(b"x")
    (folder.folder / "far").symlink_to(tmp_path / "disk")
    with pytest.raises(DataError, match="through a link"):
        folder.path("far/d.jpg")
    following = PhotoFolder(folder.folder, folder.root, follow_links=True)
    assert following.path("far/d.jpg").read_bytes() == b"x"
    with pytest.raises(DataError, match="leads out of the data folder"):
        following.path("../../disk/d.jpg")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("https://shop/x/a.jpg", "a.jpg"),
        ("a.png", "a.jpg"),
        ("a.jpg ", "a.jpg"),
        ("b%2EJPG", "B.JPG"),
        ("zz.jpg", ""),
        ("", ""),
    ],
)
def test_a_file_that_may_be_meant_is_named_and_not_taken(folder, name, near):
    assert folder.near(name) == near
    if name and near:
        assert folder.find(name)[1] == ""


def test_a_name_that_is_no_text_is_refused(folder):
    with pytest.raises(DataError, match="cannot be followed"):
        folder.path("\ud800.jpg")
