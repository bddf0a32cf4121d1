from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.data.store import Store
from synth.compose import Backgrounds, exemplar_backgrounds
from synth.compose.exemplar_backgrounds import remove_boxes

MINISTORE = Path(__file__).parents[3] / "examples" / "ministore"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, colour in (("a.jpg", (200, 40, 40)), ("b.png", (40, 40, 200))):
        image = np.full((60, 90, 3), colour, dtype=np.uint8) + rng.integers(0, 9, (60, 90, 1))
        write_image(tmp_path / name, image.astype(np.uint8))
    return tmp_path


def test_trays_have_the_size_and_come_again(photos: Path) -> None:
    for trays in (Backgrounds(), Backgrounds.from_folder(photos, plain=0.5)):
        for index in range(8):
            one, other = (trays.draw(np.random.default_rng([0, index]), 75, 130) for _ in range(2))
            assert one.shape == (130, 75, 3)
            np.testing.assert_array_equal(one, other)


def test_photos_are_used_as_often_as_plain_says(photos: Path) -> None:
    trays = Backgrounds.from_folder(photos, plain=0.0)
    means = [trays.draw(np.random.default_rng(i), 50, 50).mean(axis=(0, 1)) for i in range(20)]
    red = sum(mean[0] > 150 and mean[2] < 80 for mean in means)
    blue = sum(mean[2] > 150 and mean[0] < 80 for mean in means)
    assert red + blue == 20
    assert red > 3
    assert blue > 3


def test_a_drawn_tray_may_be_painted_on(photos: Path) -> None:
    trays = Backgrounds.from_folder(photos, plain=0.0)
    before = trays.draw(np.random.default_rng(0), 90, 60)
    before[:] = 0
    assert trays.draw(np.random.default_rng(0), 90, 60).mean() > 20


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no photo"):
        Backgrounds.from_folder(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        Backgrounds.from_folder(tmp_path / "missing")
    with pytest.raises(DataError, match="plain"):
        Backgrounds(plain=2)


def test_a_product_is_painted_over_and_the_rest_stays() -> None:
    photo = np.full((120, 160, 3), 150, dtype=np.uint8)
    photo[40:80, 50:100] = (255, 0, 0)
    ground = remove_boxes(photo, [(50, 40, 100, 80)])
    assert np.abs(ground.astype(int) - 150).max() <= 6


def test_a_photo_full_of_product_gives_no_background() -> None:
    assert remove_boxes(np.zeros((50, 50, 3), dtype=np.uint8), [(2, 2, 48, 48)]) is None


def test_backgrounds_are_made_from_exemplars(tmp_path: Path) -> None:
    store = Store.open(MINISTORE)
    folder = exemplar_backgrounds(store, tmp_path / "ground", 3, np.random.default_rng(0))
    assert len(list(folder.glob("*.jpg"))) == 3
    assert Backgrounds.from_folder(folder, 0.0).draw(np.random.default_rng(0), 64, 64).std() < 60


def test_a_damaged_exemplar_is_passed_over(tmp_path: Path) -> None:
    root = tmp_path / "store"
    shutil.copytree(MINISTORE / "exemplars", root / "exemplars")
    shutil.copy(MINISTORE / "instances_train.json", root)
    photos = sorted((root / "exemplars").iterdir())
    for path in photos[1:]:
        path.write_bytes(path.read_bytes()[:100])
    store = Store.open(root)
    folder = exemplar_backgrounds(store, tmp_path / "ground", 3, np.random.default_rng(0))
    assert [path.stem for path in folder.iterdir()] == [photos[0].stem]


def test_all_photos_are_looked_at_before_chance_draws_one(photos: Path) -> None:
    Backgrounds.from_folder(photos).check()
    good = sorted(photos.iterdir())[0]
    for name in ("x.jpg", "y.jpg"):
        (photos / name).write_bytes(good.read_bytes()[:200])
    number = len(list(photos.iterdir()))
    with pytest.raises(DataError, match=rf"^2 of {number} backgrounds cannot be used: .*x\.jpg"):
        Backgrounds.from_folder(photos).check()
