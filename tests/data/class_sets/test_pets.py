"""Oxford-IIIT Pets on a tree as its two archives make it."""

import numpy as np
import pytest
from PIL import Image

from rpc.data.class_sets.class_layouts import read_class_set
from rpc.data.class_sets.pets import trimap_box
from rpc.data.files import DataError
from rpc.data.images import write_image

LINES = {
    "trainval.txt": ("Abyssinian_100 1 1 1", "american_bulldog_10 2 2 1", "Abyssinian_2 1 1 1"),
    "test.txt": ("Abyssinian_201 1 1 1", "american_bulldog_203 2 2 1"),
}
HEAD = (
    "<annotation><folder>OXIIIT</folder><filename>{0}.jpg</filename><object><name>cat</name>"
    "<bndbox><xmin>11</xmin><ymin>6</ymin><xmax>30</xmax><ymax>24</ymax></bndbox></object>"
    "</annotation>"
)


@pytest.fixture
def pets(tmp_path):
    notes = tmp_path / "annotations"
    (notes / "xmls").mkdir(parents=True)
    (notes / "trimaps").mkdir()
    for file, lines in LINES.items():
        (notes / file).write_text("\n".join(lines) + "\n")
        for line in lines:
            name = line.split()[0]
            write_image(tmp_path / "images" / f"{name}.jpg", np.zeros((40, 60, 3), np.uint8))
            trimap = np.full((40, 60), 2, np.uint8)
            trimap[4:32, 9:51], trimap[5:31, 10:50] = 3, 1
            Image.fromarray(trimap).save(notes / "trimaps" / f"{name}.png")
            if file == "trainval.txt":
                (notes / "xmls" / f"{name}.xml").write_text(HEAD.format(name))
    comments = "#Image CLASS-ID SPECIES BREED ID\n#ID: 1:37 Class ids\n"
    every = [line for lines in LINES.values() for line in lines]
    (notes / "list.txt").write_text(comments + "\n".join(every))
    (tmp_path / "images" / "Abyssinian_100.mat").write_bytes(b"of the authors' own")
    (notes / "trimaps" / "._Abyssinian_100.png").write_bytes(b"left by another system")
    return tmp_path


def test_breeds_are_classes_and_species_are_families(pets):
    found = read_class_set(pets)
    assert found.name == "Oxford-IIIT Pets"
    assert found.classes == ("Abyssinian", "american_bulldog")
    assert found.families == ("cat", "dog")
    assert [(p.name, p.label) for p in found.train] == [
        ("images/Abyssinian_100.jpg", 0),
        ("images/american_bulldog_10.jpg", 1),
        ("images/Abyssinian_2.jpg", 0),
    ]
    assert [p.label for p in found.test] == [0, 1]
    assert found.mirrored
    assert not found.val


def test_heads_are_read_where_they_are_and_are_no_boxes_of_the_animal(pets):
    (pets / "annotations/xmls/Abyssinian_2.xml").unlink()
    found = read_class_set(pets)
    assert [p.head for p in found.train] == [(10, 5, 30, 24), (10, 5, 30, 24), None]
    assert {p.head for p in found.test} == {None}
    assert "boxes" not in found.known


def test_the_animal_is_tight_on_its_trimap(pets):
    photo = read_class_set(pets).test[0].path
    assert trimap_box(photo) == (10, 5, 50, 31)
    trimap = pets / "annotations/trimaps/Abyssinian_201.png"
    Image.fromarray(np.full((40, 60), 2, np.uint8)).save(trimap)
    with pytest.raises(DataError, match="a trimap without an object"):
        trimap_box(photo)
    trimap.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"Abyssinian_201\.png: not an image"):
        trimap_box(photo)
    trimap.unlink()
    assert trimap_box(photo) is None


def test_the_folder_of_torchvision_is_found_inside(pets, tmp_path_factory):
    outer = tmp_path_factory.mktemp("outer")
    pets.rename(outer / "oxford-iiit-pet")
    assert len(read_class_set(outer).train) == 3


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("trainval.txt", "Abyssinian_100 1 1\n", "line 1: expected a photo <Breed>_<number>"),
        ("trainval.txt", "Abyssinian_100 1 3 1\n", r"species \(1 or 2\)"),
        ("trainval.txt", "Abyssinian_1 1 1 1\nAbyssinian_1 1 1 1\n", "line 2: .* there once"),
        ("trainval.txt", "Abyssinian_201 1 1 1\n", "Abyssinian_201 is in both"),
        ("trainval.txt", "Beagle_1 1 2 1\n", "class 1 is 'Abyssinian' .cat. here and 'Beagle'"),
        ("xmls/Abyssinian_2.xml", "<annotation/>", r"Abyssinian_2\.xml: holds no box"),
        ("xmls/Abyssinian_2.xml", "<annotation>", r"Abyssinian_2\.xml: not valid XML"),
    ],
)
def test_what_is_wrong_is_one_line(pets, file, text, told):
    (pets / "annotations" / file).write_text(text)
    with pytest.raises(DataError, match=told) as error:
        read_class_set(pets)
    assert "\n" not in str(error.value)


def test_a_missing_list_and_a_missing_photo_are_told(pets):
    (pets / "images/Abyssinian_2.jpg").unlink()
    with pytest.raises(DataError, match=r"Abyssinian_2\.jpg: missing, as 1 of 5"):
        read_class_set(pets)
    (pets / "annotations/test.txt").unlink()
    with pytest.raises(DataError, match=r"test\.txt: cannot be read; Oxford-IIIT Pets needs"):
        read_class_set(pets)
