from __future__ import annotations

import doctest
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import synth
from rpc.data.dataset import read_dataset
from rpc.data.images import write_image
from rpc.data.taxonomy import Category, Taxonomy
from rpc.structures.masks import mask_to_box
from synth.compose import Backgrounds, CutoutLibrary, SceneConfig, compose_dataset
from synth.compose.writer import scene_entry

CONFIG = SceneConfig(width=96, height=80, level_mix=(1, 0, 0))


def test_a_scene_is_bit_for_bit_the_one_of_the_set(cutout_dir: Path, tmp_path: Path) -> None:
    trays = tmp_path / "trays"
    photo = np.random.default_rng(0).integers(0, 255, (60, 70, 3), dtype=np.uint8)
    write_image(trays / "empty.png", photo)
    names = Taxonomy(Category(sku, f"name {sku}") for sku in (1, 2, 3, 5, 8))
    path = compose_dataset(
        cutout_dir,
        tmp_path / "set",
        4,
        config=CONFIG,
        seed=5,
        executor="serial",
        background_dir=trays,
        taxonomy=names,
    )
    found = read_dataset(path)
    library = CutoutLibrary.open(cutout_dir, taxonomy=names)
    for index in (3, 0):
        scene = synth.compose_scene(library, seed=5, index=index, config=CONFIG, background=trays)
        alone = write_image(tmp_path / "alone.jpg", scene.image, CONFIG.jpeg_quality)
        of_set = path.parent / "images" / found.images[index].file_name
        assert alone.read_bytes() == of_set.read_bytes()
        written = [a for a in found.annotations if a.image_id == index]
        entries = scene_entry(scene)["annotations"]
        assert [e["segmentation"] for e in entries] == [a.segmentation for a in written]
        assert scene.labels.tolist() == [names.label(a.category_id) for a in written]
        assert sum(scene.counts.values()) == len(written)


def test_boxes_labels_masks_and_counts_tell_the_same(cutout_dir: Path) -> None:
    scene = synth.compose_scene(str(cutout_dir), seed=1, index=2, config=CONFIG)
    assert scene.image.shape == (80, 96, 3)
    assert scene.image.dtype == np.uint8
    assert scene.masks.shape == (len(scene.items), 80, 96)
    assert [mask_to_box(mask) for mask in scene.masks] == [tuple(box) for box in scene.boxes]
    assert scene.masks.sum(axis=0).max() == 1  # what is in sight has one owner
    named = Counter(scene.taxonomy.names[label] for label in scene.labels)
    assert scene.counts == named
    assert set(scene.counts) <= {f"product_{sku}" for sku in (1, 2, 3, 5, 8)}


def test_a_photo_is_the_tray_that_items_lie_on(cutout_dir: Path) -> None:
    photo = np.zeros((40, 48, 3), np.uint8)
    photo[:, :, 1] = 200
    before = photo.copy()
    plain = SceneConfig(width=96, height=80, level_mix=(1, 0, 0), shadow=0, photometric=0)
    scene = synth.compose_scene(cutout_dir, seed=0, index=0, config=plain, background=photo)
    near = np.stack([mask[2:, 2:] | mask[:-2, :-2] for mask in scene.masks]).any(axis=0)
    assert (scene.image[1:-1, 1:-1][~near].reshape(-1, 3) == (0, 200, 0)).all(axis=1).mean() > 0.9
    np.testing.assert_array_equal(photo, before)
    same = synth.compose_scene(cutout_dir, seed=0, index=0, config=plain, background=Backgrounds())
    np.testing.assert_array_equal(same.boxes, scene.boxes)  # the tray moves no item


@pytest.mark.parametrize(
    "wrong",
    [{"seed": -1}, {"index": -1}, {"background": np.zeros((8, 8), np.uint8)}],
)
def test_wrong_arguments_are_refused(cutout_dir: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        synth.compose_scene(cutout_dir, **{"seed": 0, "index": 0, "config": CONFIG, **wrong})


def test_the_example_of_its_docstring_runs(
    cutout_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "cutouts").symlink_to(cutout_dir)
    examples = doctest.DocTestFinder().find(synth.compose_scene, "compose_scene", globs={})
    assert doctest.DocTestRunner().run(examples[0]) == (0, 5)


def test_importing_synth_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, synth; print(sorted({'numpy', 'cv2', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert "compose_scene" in dir(synth)
    with pytest.raises(AttributeError, match="no attribute 'compose'"):
        synth.__getattr__("compose")
