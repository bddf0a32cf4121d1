import io
import os

import numpy as np
import pytest
from PIL import Image

from rpc.data.files import DataError
from rpc.data.photo_files import find_photos, number_of, scan_photos
from rpc.data.shown_names import is_text, same_name_key, shown_name, title_of
from tests.data.heic_photo import PLAIN

SYSTEM = [
    "Thumbs.db", "THUMBS.DB", "desktop.ini", ".DS_Store", "._a.jpg", "__MACOSX/a/._a.jpg",
    "__MACOSX/a.jpg", "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "#recycle/a.jpg", "@Recycle/a.jpg",
    ".@__thumb/a.jpg", ".stfolder/a.jpg", ".dropbox", ".dropbox.cache/a.jpg", ".git/a.jpg",
    ".ipynb_checkpoints/a-checkpoint.jpg", ".picasa.ini", "Picasa.ini", "ZbThumbnail.info",
    "a.jpg.tmp", "a.jpg~", "lost+found/a.jpg", "System Volume Information/a.jpg",
    "$RECYCLE.BIN/a.jpg", ".Trashes/a.jpg", ".Spotlight-V100/a.jpg", ".idea/a.jpg",
    ".vscode/a.jpg", "__pycache__/a.jpg", "~$a.jpg", "Icon\r", ".a.jpg.swp", "#snapshot/a.jpg",
]  # fmt: skip


def jpeg():
    file = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, "JPEG")
    return file.getvalue()


def put(path, data=b""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize("name", SYSTEM)
@pytest.mark.parametrize("inside", ["", "cola/"])
def test_system_files_are_no_photos_wherever_they_lie(tmp_path, name, inside):
    put(tmp_path / inside / name, jpeg())
    put(tmp_path / "tea.jpg", jpeg())
    found = find_photos(tmp_path, "photos", recursive=True)
    assert [path.name for path in found.photos] == ["tea.jpg"]
    assert found.told() == ["1 hidden and system file passed over"]


@pytest.mark.parametrize(
    "name", ["a", "a.heic", "a.jfif", "a.jpe", "a.mpo", "a.JPG.download", "a.txt", "0"]
)
def test_content_decides_before_the_suffix(tmp_path, name):
    put(tmp_path / name, jpeg())
    assert find_photos(tmp_path, "photos").photos == (tmp_path / name,)


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        ("a.dng", b"II*\0", "1 camera RAW photo passed over: a.dng (develop it to JPEG or PNG)"),
        ("a.pdf", b"%PDF-1", "1 PDF document passed over: a.pdf (export its pages as JPEG or PNG)"),
        (
            "a.mov",
            b"\0\0\0\x14ftypqt",
            "1 video passed over: a.mov (take stills from it, as JPEG)",
        ),
        ("a.svg", b"<svg/>", "1 SVG drawing passed over: a.svg (export it as JPEG or PNG)"),
        ("a.zip", b"PK\x03\x04", "1 archive passed over: a.zip (unpack it)"),
        ("a.csv", b"x,y", "1 .csv file passed over: a.csv"),
        (
            "b/x.jpg",
            jpeg(),
            "1 folder of photos passed over: b (move them up into {}",
        ),
    ],
)
def test_what_is_left_out_is_told_with_what_to_do(tmp_path, name, data, line):
    put(tmp_path / name, data)
    line = line.format(tmp_path.name)
    (told,) = scan_photos(tmp_path, "photos").told()
    assert told.startswith(line)
    with pytest.raises(DataError, match="holds no photo; expected photos of trays") as caught:
        find_photos(tmp_path, "photos of trays")
    assert line in str(caught.value)


def test_what_is_named_a_photo_and_is_damaged_stays_for_its_reader_to_tell(tmp_path):
    put(tmp_path / "a.jpg")
    put(tmp_path / "b.png", b"no image")
    put(tmp_path / "c.heic", PLAIN)
    assert len(find_photos(tmp_path, "photos").photos) == 3


def test_rare_kinds_come_first_and_system_files_last(tmp_path):
    for name in ("a.mov", "b.mov", "c.mov", "d.mov", "e.pdf", "Thumbs.db"):
        put(tmp_path / name, b"%PDF" if name == "e.pdf" else b"x")
    assert scan_photos(tmp_path, "photos").told() == [
        "1 PDF document passed over: e.pdf (export its pages as JPEG or PNG)",
        "4 videos passed over: a.mov, b.mov, c.mov, ... (take stills from it, as JPEG)",
        "1 hidden and system file passed over",
    ]


def test_links_stay_inside_unless_they_may_lead_out(tmp_path):
    put(tmp_path / "elsewhere/far.jpg", jpeg())
    put(tmp_path / "root/near.jpg", jpeg())
    (tmp_path / "root/link.jpg").symlink_to(tmp_path / "elsewhere/far.jpg")
    (tmp_path / "root/folder").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root/ring").symlink_to(tmp_path / "root")
    (tmp_path / "root/gone.jpg").symlink_to(tmp_path / "gone")
    (tmp_path / "root/same.jpg").symlink_to("near.jpg")
    found = find_photos(tmp_path / "root", "photos", recursive=True)
    assert [path.name for path in found.photos] == ["near.jpg", "same.jpg"]
    kinds = sorted(one.kind for one in found.left_out)
    assert kinds == [
        "link out of the folder",
        "link out of the folder",
        "link that leads nowhere",
        "link to a folder",
    ]
    out = find_photos(tmp_path / "root", "photos", recursive=True, follow_links=True)
    names = [path.relative_to(tmp_path / "root").as_posix() for path in out.photos]
    assert names == ["folder/far.jpg", "link.jpg", "near.jpg", "same.jpg"]


def test_pipes_do_not_hang_and_what_cannot_be_entered_is_told(tmp_path):
    put(tmp_path / "a.jpg", jpeg())
    os.mkfifo(tmp_path / "b.jpg")
    (line,) = find_photos(tmp_path, "photos").told()
    assert line == "1 special file passed over: b.jpg (pipes, sockets and devices are not read)"


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such folder; expected photos of trays"):
        find_photos(tmp_path / "gone", "photos of trays")


def test_names_are_shown_in_one_form_and_steer_no_terminal():
    assert shown_name("cafe\u0301") == "caf\xe9"
    assert shown_name("a\x1b[2Jb\nc\u202ed") == r"a\u001b[2Jb\nc\u202ed"
    assert shown_name(os.fsdecode(b"caf\xe9")) == r"caf\xe9"
    assert is_text("caf\xe9")
    assert not is_text(os.fsdecode(b"caf\xe9"))
    assert same_name_key(" Cafe\u0301") == same_name_key("CAF\xc9 ")
    assert title_of(" te\x1ba\n ") == "te a"


@pytest.mark.parametrize(
    ("thing", "plural"),
    [
        ("video", "2 videos"),
        ("file of an unknown kind", "2 files of an unknown kind"),
        ("link out of the folder", "2 links out of the folder"),
        ("link to a folder", "2 links to a folder"),
        ("folder that cannot be read", "2 folders that cannot be read"),
        ("hidden and system file", "2 hidden and system files"),
    ],
)
def test_things_are_counted_in_plain_english(thing, plural):
    assert number_of(1, thing) == f"1 {thing}"
    assert number_of(2, thing) == plural
