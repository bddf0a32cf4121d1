"""Every door to photos gives the same answer to the same kind of file."""

import io
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from rpc.data.class_sets.class_layouts import read_class_set
from rpc.data.files import DataError
from rpc.data.images import read_image, read_photo
from rpc.data.importer import import_folder
from rpc.data.photo_files import find_photos
from rpc.data.store import Store
from rpc.retrieval.colocalisation.photo_sets import folder_set
from synth.compose.backgrounds import Backgrounds
from synth.quality.photo_set import scenes_of
from synth.render.apply.target import target_of_folder
from tests.data.heic_photo import PLAIN

COLOUR = np.zeros((40, 60, 3), np.uint8)
COLOUR[:, :30], COLOUR[:, 30:] = (200, 40, 60), (40, 200, 90)


def coded(kind, image=None):
    file = io.BytesIO()
    (image or Image.fromarray(COLOUR)).save(file, kind)
    return file.getvalue()


def deep():
    done, data = cv2.imencode(".png", COLOUR[..., ::-1].astype(np.uint16) * 16)
    assert done
    return data.tobytes()


def unit():
    done, data = cv2.imencode(".tif", COLOUR[..., ::-1].astype(np.float32) / 255)
    assert done
    return data.tobytes()


PHOTOS = {
    "JPEG called HEIC": ("a.heic", coded("JPEG")),
    "JPEG called JFIF": ("a.jfif", coded("JPEG")),
    "JPEG of a download": ("a.JPG.download", coded("JPEG")),
    "JPEG without suffix": ("a", coded("JPEG")),
    "HEIC": ("IMG_1.HEIC", PLAIN),
    "HEIC called JPEG": ("a.jpg", PLAIN),
    "AVIF": ("a.avif", coded("AVIF")),
    "12 bits in 16": ("a.png", deep()),
    "float 0 to 1": ("a.tif", unit()),
}


def by_import(folder, tmp_path):
    store = Store.open(import_folder(folder.parent, tmp_path / "store"))
    return [read_image(exemplar.path) for exemplar in store.exemplars()]


def by_class_folders(folder, tmp_path):
    root = tmp_path / "classes"
    for split in ("train", "test"):
        shutil.copytree(folder.parent, root / split)
        (root / split / "other").mkdir()
        (root / split / "other" / "x.jpg").write_bytes(coded("JPEG"))
    return [photo.read() for photo in read_class_set(root).train if photo.label == 0]


def by_background(folder, tmp_path):
    backgrounds = Backgrounds.from_folder(folder, plain=0)
    backgrounds.check()
    return [backgrounds._read(path) for path in backgrounds.photos]


DOORS = {
    "count, detect, gallery": lambda folder, _: [
        read_photo(path) for path in find_photos(folder, "photos of trays").photos
    ],
    "bytes": lambda folder, _: [
        read_photo(path.read_bytes()) for path in find_photos(folder, "photos").photos
    ],
    "import": by_import,
    "classes": by_class_folders,
    "backgrounds": by_background,
    "quality": lambda folder, _: [read_image(path) for path in scenes_of(folder).paths],
    "render target": lambda folder, _: [read_image(p) for p in target_of_folder(folder).paths],
    "photo sets": lambda folder, _: [photo.read() for photo in folder_set(folder).photos],
}


@pytest.fixture
def folder(tmp_path):
    """A SKU's folder with two plain photos and system files around."""
    folder = tmp_path / "photos" / "cola"
    folder.mkdir(parents=True)
    for name in ("x.jpg", "y.jpg"):
        (folder / name).write_bytes(coded("JPEG"))
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini", "._x.jpg"):
        (folder / name).write_bytes(b"x")
    for name in ("@eaDir", "__MACOSX", "#recycle"):
        for place in (folder, folder.parent):
            (place / name).mkdir()
            (place / name / "x.jpg").write_bytes(coded("JPEG"))
    return folder


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", PHOTOS)
def test_every_door_reads_every_kind_of_photo(folder, tmp_path, door, kind):
    if "HEIC" in kind:
        pytest.importorskip("pi_heif")
    name, data = PHOTOS[kind]
    (folder / name).write_bytes(data)
    found = DOORS[door](folder, tmp_path)
    assert len(found) == 3
    assert all(rgb.mean() > 60 for rgb in found)  # none is black
    if data is not PLAIN:
        for rgb in found:
            assert np.abs(rgb[5::20, 5::40].astype(int) - COLOUR[5::20, 5::40]).max() < 20


BAD = {
    "empty": (b"", "the file is empty"),
    "truncated": (coded("JPEG")[:400], "truncated or damaged"),
    "header that claims more": (
        coded("JPEG").replace(b"\x08\x00\x28\x00\x3c\x03", b"\x08\x01\x28\x01\x3c\x03"),
        "its data ends before its last pixels",
    ),
    "web page": (b"<!DOCTYPE html>", "fetch the photo again"),
    "video": (b"\0\0\0\x18ftypisom", "take stills from it"),
    "RAW": (b"\0\0\0\x18ftypcrx ", "develop it to JPEG or PNG"),
}


@pytest.mark.parametrize("door", [door for door in DOORS if door not in ("import", "bytes")])
@pytest.mark.parametrize("kind", BAD)
def test_every_door_names_what_is_called_a_photo_and_is_none(folder, tmp_path, door, kind):
    data, message = BAD[kind]
    (folder / "z.jpg").write_bytes(data)
    with pytest.raises(DataError, match=message) as caught:
        DOORS[door](folder, tmp_path)
    assert "z.jpg" in str(caught.value)
