from __future__ import annotations

import errno
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from rpc.data.cutouts import read_cutouts, write_cutouts
from rpc.data.dataset import read_dataset
from rpc.data.files import DataError
from rpc.data.taxonomy import Category, Taxonomy
from synth.compose import SceneConfig, chunks, compose_dataset, dataset, writer

CONFIG = SceneConfig(width=96, height=80, level_mix=(1, 0, 0))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "CHUNK", 4)
    monkeypatch.setattr(dataset, "CHUNK", 4)


def compose(cutouts: Path, out: Path, count: int = 10, **options) -> Path:
    options = {"config": CONFIG, "executor": "serial", **options}
    return compose_dataset(cutouts, out, count, **options)


def content(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def test_a_set_can_be_read_and_says_what_the_scenes_say(cutout_dir: Path, tmp_path: Path) -> None:
    path = compose(cutout_dir, tmp_path / "set", 6)
    found = read_dataset(path)
    assert [image.id for image in found.images] == list(range(6))
    assert [a.id for a in found.annotations] == list(range(1, len(found.annotations) + 1))
    assert found.taxonomy.names == tuple(f"product_{sku}" for sku in (1, 2, 3, 5, 8))
    for image in found.images:
        pixels = cv2.imread(str(path.parent / "images" / image.file_name))
        assert pixels.shape == (80, 96, 3)
    assert {"full_bbox", "full_segmentation", "point_xy", "cutout"} <= set(
        found.annotations[0].extra
    )


def test_a_killed_run_goes_on_to_the_same_set(
    cutout_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    compose(cutout_dir, whole)
    real = chunks.write_scene

    def die(out, scene, quality):
        if scene.index == 6:
            raise KeyboardInterrupt
        return real(out, scene, quality)

    monkeypatch.setattr(chunks, "write_scene", die)
    with pytest.raises(KeyboardInterrupt):
        compose(cutout_dir, broken)
    assert not (broken / "instances.json").exists()
    assert not writer.is_finished(broken, 1, 10)
    (broken / "images" / ".0123456789abcdef.part.jpg").write_bytes(b"half")
    monkeypatch.setattr(chunks, "write_scene", real)
    finished = (broken / "images" / "00000001.jpg").stat().st_mtime_ns
    compose(cutout_dir, broken)
    assert content(broken) == content(whole)
    assert (broken / "images" / "00000001.jpg").stat().st_mtime_ns == finished


def test_a_set_grows_to_what_it_would_have_been(cutout_dir: Path, tmp_path: Path) -> None:
    compose(cutout_dir, tmp_path / "grown", 3)
    compose(cutout_dir, tmp_path / "grown", 10)
    compose(cutout_dir, tmp_path / "whole", 10)
    assert content(tmp_path / "grown") == content(tmp_path / "whole")


def test_a_smaller_count_lists_the_first_scenes(cutout_dir: Path, tmp_path: Path) -> None:
    compose(cutout_dir, tmp_path / "set", 10)
    found = read_dataset(compose(cutout_dir, tmp_path / "set", 5))
    assert [image.id for image in found.images] == list(range(5))


def test_other_settings_are_not_mixed(cutout_dir: Path, tmp_path: Path) -> None:
    compose(cutout_dir, tmp_path, 2)
    before = content(tmp_path)
    with pytest.raises(DataError, match=r"other settings \(seed: "):
        compose(cutout_dir, tmp_path, 2, seed=1)
    with pytest.raises(DataError, match=r"other settings \(config\."):
        compose(cutout_dir, tmp_path, 2, config=replace(CONFIG, width=97))
    assert content(tmp_path) == before


def test_a_full_disk_is_one_line_and_the_run_goes_on_later(
    cutout_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if "00000005" in str(path) or (".part" in path.name and full.count > 7):
            raise OSError(errno.ENOSPC, "No space left on device")
        full.count += 1
        return real(path, data)

    full.count = 0
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match="No space left on device") as told:
        compose(cutout_dir, tmp_path / "set")
    assert "\n" not in str(told.value)
    monkeypatch.setattr(Path, "write_bytes", real)
    compose(cutout_dir, tmp_path / "set")
    compose(cutout_dir, tmp_path / "whole")
    assert content(tmp_path / "set") == content(tmp_path / "whole")


def test_a_damaged_shard_is_named(cutout_dir: Path, tmp_path: Path) -> None:
    compose(cutout_dir, tmp_path, 8)
    shard = writer.shard_path(tmp_path, 1)
    shard.write_text(shard.read_text()[:200] + "\n\n\n\n")
    with pytest.raises(DataError, match=r"000001\.jsonl: damaged .* delete it"):
        compose(cutout_dir, tmp_path, 8)


def test_names_come_from_the_store_and_every_sku_needs_a_cutout(
    cutout_dir: Path, tmp_path: Path
) -> None:
    skus = [Category(sku, f"name {sku}", title=f"Name {sku}") for sku in (1, 2, 3, 5, 8)]
    path = compose(cutout_dir, tmp_path / "a", 1, taxonomy=Taxonomy(skus))
    assert json.loads(path.read_text())["categories"][0]["title"] == "Name 1"
    more = Taxonomy([*skus, Category(9, "nine")])
    with pytest.raises(DataError, match="category_id 9"):
        compose(cutout_dir, tmp_path / "b", 1, taxonomy=more)
    assert not (tmp_path / "b").exists()


def test_a_sku_that_lost_its_cutouts_is_told_before_any_work(
    cutout_dir: Path, tmp_path: Path
) -> None:
    found = read_cutouts(cutout_dir)
    kept = tuple(replace(c, keep=c.category_id != 2) for c in found.cutouts)
    write_cutouts(tmp_path / "cutouts", replace(found, cutouts=kept))
    with pytest.raises(DataError, match="no kept cut-out for category_id 2"):
        compose(tmp_path / "cutouts", tmp_path / "set")


def test_impossible_numbers_are_refused(cutout_dir: Path, tmp_path: Path) -> None:
    for wrong in ({"count": 0}, {"seed": -1}, {"workers": 0}):
        with pytest.raises(DataError, match="expected count >= 1"):
            compose(cutout_dir, tmp_path, **{"count": 2, **wrong})
    with pytest.raises(DataError, match="executor 'slurm'"):
        compose(cutout_dir, tmp_path, executor="slurm")


def test_the_number_of_opencv_threads_is_left_as_it_was(cutout_dir: Path, tmp_path: Path) -> None:
    before = cv2.getNumThreads()
    compose(cutout_dir, tmp_path, 1)
    assert cv2.getNumThreads() == before


def test_progress_counts_up_to_all_scenes(cutout_dir: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    compose(cutout_dir, tmp_path, 10, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 10), (4, 10), (8, 10), (10, 10)]
    seen.clear()
    compose(cutout_dir, tmp_path, 10, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(10, 10)]


def test_without_ray_one_line_says_so(
    cutout_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DataError, match="Ray is not installed"):
        compose(cutout_dir, tmp_path, executor="ray")


def test_a_damaged_background_is_told_before_a_scene_is_made(
    cutout_dir: Path, tmp_path: Path
) -> None:
    grounds = tmp_path / "grounds"
    grounds.mkdir()
    cv2.imwrite(str(grounds / "good.jpg"), cv2.imread(str(next(cutout_dir.rglob("*.png")))))
    (grounds / "bad.jpg").write_bytes((grounds / "good.jpg").read_bytes()[:120])
    with pytest.raises(DataError, match=r"1 of 2 backgrounds cannot be used.*bad\.jpg"):
        compose(cutout_dir, tmp_path / "set", 1, background_dir=grounds, plain=0.99)
    assert not (tmp_path / "set").exists()


def test_cutouts_that_change_while_scenes_are_composed_are_told(
    cutout_dir: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "cutouts"
    shutil.copytree(cutout_dir, mine)

    def change(done: int, count: int) -> None:
        if done == count:
            (mine / "cutouts.json").write_text((mine / "cutouts.json").read_text() + " ")

    with pytest.raises(DataError, match=r"cutouts: was changed while .*set was made .*remove"):
        compose(mine, tmp_path / "set", progress=change)
    assert not (tmp_path / "set" / "instances.json").exists()
