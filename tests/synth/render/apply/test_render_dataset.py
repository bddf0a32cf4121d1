"""A renderer on a folder of scenes: labels stay, pixels change, a kill costs a chunk."""

import errno
import json
import multiprocessing
import os
import signal
import time
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

from rpc.data.dataset import read_dataset
from rpc.data.files import DataError, read_json
from rpc.data.images import read_image
from synth.render.apply import chunks
from synth.render.apply import render_dataset as apply
from synth.render.apply.render_dataset import finished, render_dataset
from synth.render.apply.renderer import write_renderer
from synth.render.apply.threads import share_cores
from synth.render.classical.camera_statistics import measure_camera
from synth.render.classical.classical_renderer import ClassicalRenderer
from synth.render.gate.background import background_statistics
from tests.synth.render.drawn_trays import scene_folder, tray

SIDE, ITEMS, COUNT = 192, 3, 5


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return scene_folder(tmp_path_factory.mktemp("scenes"), COUNT, side=SIDE, items=ITEMS)


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    photos = [tray(seed, 3, (150, 148, 146), SIDE)[0] for seed in (90, 91)]
    rows = np.stack([measure_camera(photo)[0].to_row() for photo in photos])
    path = tmp_path_factory.mktemp("renderer") / "renderer.pth"
    origin = {"supervision": "E", "split": "val", "photos": 2}
    return write_renderer(path, "classical", ClassicalRenderer(rows).to_state(), origin)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    for module in (apply, chunks):
        monkeypatch.setattr(module, "CHUNK", 2)


@dataclass
class Faulty:
    """Paints noise over some items of some scenes: `hurt` says how many by the call."""

    hurt: list

    def render(self, rgb, rng):
        apart = [np.abs(scene.astype(int) - rgb).mean() for scene, _, _ in _trays()]
        number = int(np.argmin(apart))
        out = rgb.copy()
        for mask in _trays()[number][1][: self.hurt[number]]:
            out[mask] = np.random.default_rng(0).integers(0, 255, (int(mask.sum()), 3))
        return out


@cache
def _trays():
    return [tray(n, ITEMS, side=SIDE) for n in range(COUNT)]


def use(monkeypatch, renderer):
    """Let chunks take this renderer in place of the file's."""
    loaded = chunks.read_renderer
    monkeypatch.setattr(
        chunks, "read_renderer", lambda path, device: type(loaded(path))(renderer, "classical", {})
    )


def pictures(out):
    return {path.name: path.read_bytes() for path in sorted((out / "images").iterdir())}


def test_pixels_change_and_annotations_stay_byte_for_byte(scenes, renderer, tmp_path):
    told, warned = [], []
    path = render_dataset(
        scenes, tmp_path / "out", renderer, workers=1,
        progress=lambda done, count: told.append((done, count)), warn=warned.append,
    )  # fmt: skip
    assert path == tmp_path / "out" / "instances.json"
    assert path.read_bytes() == (scenes / "instances.json").read_bytes()
    before, after = pictures(scenes), pictures(tmp_path / "out")
    assert before.keys() == after.keys()
    assert all(before[name] != after[name] for name in before)
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]
    assert warned == []
    report = read_json(tmp_path / "out" / "render.json")
    assert report["supervision"] == "E"
    assert report["origin"]["photos"] == 2
    assert report["images"] == {"all": 5, "kept": 5, "repaired": 0, "dropped": 0}
    assert report["items"]["judged"] == COUNT * ITEMS
    assert report["seconds"] > 0


@pytest.mark.slow  # each process imports torch
def test_an_image_does_not_depend_on_the_workers(scenes, renderer, tmp_path):
    render_dataset(scenes, tmp_path / "one", renderer, workers=1, seed=4)
    render_dataset(scenes, tmp_path / "two", renderer, workers=2, seed=4)
    assert pictures(tmp_path / "one") == pictures(tmp_path / "two")


def test_an_image_is_of_the_seed_and_its_id_and_not_of_its_neighbours(scenes, renderer, tmp_path):
    few = scene_folder(tmp_path / "few", 2, side=SIDE, items=ITEMS)
    for name, folder, seed in (("all", scenes, 4), ("less", few, 4), ("other", few, 5)):
        render_dataset(folder, tmp_path / name, renderer, workers=1, seed=seed, gate=False)
    assert pictures(tmp_path / "less").items() <= pictures(tmp_path / "all").items()
    assert pictures(tmp_path / "other").items().isdisjoint(pictures(tmp_path / "all").items())


def test_faulty_images_are_repaired_or_dropped_and_the_rest_keep_their_entries(
    scenes, renderer, tmp_path, monkeypatch
):
    use(monkeypatch, Faulty([0, 1, 3, 0, 0]))
    render_dataset(scenes, tmp_path, renderer, workers=1)
    before, after = (read_json(root / "instances.json") for root in (scenes, tmp_path))
    gone = before["images"][2]["id"]
    assert after["images"] == [i for i in before["images"] if i["id"] != gone]
    assert after["annotations"] == [a for a in before["annotations"] if a["image_id"] != gone]
    assert after["categories"] == before["categories"]
    assert len(read_dataset(tmp_path / "instances.json")) == 4
    assert before["images"][2]["file_name"] not in pictures(tmp_path)
    report = read_json(tmp_path / "render.json")
    assert report["images"] == {"all": 5, "kept": 3, "repaired": 1, "dropped": 1}
    assert report["items"] == {"judged": 15, "faulty": 4, "repaired": 1, "dropped": 3}
    assert sum(report["faults"].values()) == 4
    assert sum(report["faults_of_dropped"].values()) == 3
    assert [one.outcome for one in finished(tmp_path, COUNT)][1:3] == ["repaired", "dropped"]


def test_without_the_gate_whatever_comes_is_kept(scenes, renderer, tmp_path, monkeypatch):
    use(monkeypatch, Faulty([0, 1, 3, 0, 0]))
    path = render_dataset(scenes, tmp_path, renderer, workers=1, gate=False)
    assert path.read_bytes() == (scenes / "instances.json").read_bytes()
    report = read_json(tmp_path / "render.json")
    assert report["images"]["kept"] == 5
    assert report["items"]["judged"] == 0


def test_a_set_of_which_nothing_is_left_is_refused(scenes, renderer, tmp_path, monkeypatch):
    use(monkeypatch, Faulty([3] * COUNT))
    with pytest.raises(DataError, match="the gate dropped all 5 images"):
        render_dataset(scenes, tmp_path, renderer, workers=1)
    assert not (tmp_path / "instances.json").exists()


def test_another_background_than_the_renderers_is_told(scenes, renderer, tmp_path):
    red = scene_folder(tmp_path / "red", 2, (200, 90, 60), SIDE, ITEMS)
    state = chunks.read_renderer(renderer).renderer.to_state()
    made = write_renderer(
        tmp_path / "r.pth", "classical", state, {"background": background_statistics(scenes)}
    )
    warned = []
    render_dataset(red, tmp_path / "out", made, workers=1, gate=False, warn=warned.append)
    assert len(warned) == 1
    assert "redness" in warned[0]
    assert read_json(tmp_path / "out" / "render.json")["background"]["warning"] == warned[0]


def test_what_is_there_is_not_rendered_again(scenes, renderer, tmp_path, monkeypatch):
    render_dataset(scenes, tmp_path, renderer, workers=1)
    whole = pictures(tmp_path)
    (tmp_path / "shards" / "000001.json").unlink()
    (tmp_path / "images" / ".0123456789abcdef.part.jpg").write_bytes(b"half")
    made = []
    written = chunks.write_image
    monkeypatch.setattr(
        chunks, "write_image", lambda path, *rest: made.append(path.name) or written(path, *rest)
    )
    (tmp_path / "instances.json").unlink()
    render_dataset(scenes, tmp_path, renderer, workers=1)
    assert made == ["00000002.jpg", "00000003.jpg"]
    assert pictures(tmp_path) == whole


def _run(scenes, out, renderer):
    for module in (apply, chunks):
        module.CHUNK = 2
    render_dataset(scenes, out, renderer, workers=1)


@pytest.mark.slow  # likewise
def test_after_a_kill_the_same_command_gives_the_same_files(scenes, renderer, tmp_path):
    render_dataset(scenes, tmp_path / "whole", renderer, workers=1)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=partial(_run, scenes, tmp_path / "killed", renderer))
    process.start()
    while not list((tmp_path / "killed").glob("shards/*.json")):
        time.sleep(0.01)
        assert process.is_alive()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    render_dataset(scenes, tmp_path / "killed", renderer, workers=1)
    assert pictures(tmp_path / "killed") == pictures(tmp_path / "whole")


@pytest.mark.parametrize(("change", "named"), [({"seed": 1}, "seed"), ({"gate": False}, "gate")])
def test_a_folder_made_with_other_settings_is_refused(scenes, renderer, tmp_path, change, named):
    render_dataset(scenes, tmp_path, renderer, workers=1)
    with pytest.raises(DataError, match=rf"made with other settings \({named}: "):
        render_dataset(scenes, tmp_path, renderer, workers=1, **change)


def test_scenes_are_never_rendered_onto_themselves_or_into_another_set(scenes, renderer, tmp_path):
    with pytest.raises(DataError, match="holds the scenes themselves"):
        render_dataset(scenes, scenes, renderer)
    other = scene_folder(tmp_path, 1, side=SIDE, items=ITEMS)
    with pytest.raises(DataError, match="holds another data set"):
        render_dataset(scenes, other, renderer)


def test_damage_is_told_in_one_line(scenes, renderer, tmp_path):
    with pytest.raises(DataError, match=r"none\.pth: no such checkpoint"):
        render_dataset(scenes, tmp_path / "a", tmp_path / "none.pth")
    with pytest.raises(DataError, match="no such folder; expected scenes"):
        render_dataset(tmp_path / "none", tmp_path / "a", renderer)
    with pytest.raises(DataError, match="expected seed >= 0 and workers >= 1"):
        render_dataset(scenes, tmp_path / "a", renderer, seed=-1)
    assert not (tmp_path / "a").exists()
    broken = scene_folder(tmp_path / "broken", 2, side=SIDE, items=ITEMS)
    (broken / "images" / "00000001.jpg").write_bytes(b"no photo")
    with pytest.raises(DataError, match=r"00000001\.jpg: not an image"):
        render_dataset(broken, tmp_path / "b", renderer, workers=1)
    (broken / "images" / "00000001.jpg").unlink()
    with pytest.raises(DataError, match=r"00000001\.jpg: cannot be read: .*incomplete"):
        render_dataset(broken, tmp_path / "c", renderer, workers=1)
    content = read_json(broken / "instances.json")
    content["images"][0]["file_name"] = "../secret.jpg"
    (broken / "instances.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="leads out of the data folder"):
        render_dataset(broken, tmp_path / "d", renderer, workers=1)


def test_a_damaged_shard_is_told_and_not_believed(scenes, renderer, tmp_path):
    render_dataset(scenes, tmp_path, renderer, workers=1)
    (tmp_path / "shards" / "000000.json").write_text("{}")
    with pytest.raises(DataError, match=r"000000\.json: damaged .* delete it"):
        render_dataset(scenes, tmp_path, renderer, workers=1)


def test_a_renderer_of_another_size_is_refused(scenes, renderer, tmp_path, monkeypatch):
    class Half:
        def render(self, rgb, rng):
            return rgb[::2]

    use(monkeypatch, Half())
    with pytest.raises(DataError, match="expected the same size"):
        render_dataset(scenes, tmp_path, renderer, workers=1)


def test_cores_are_used_once(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    assert share_cores("classical", None) == (16, 1)
    assert share_cores("classical", 4) == (4, 4)
    assert share_cores("learned", None) == (4, 4)
    assert share_cores("learned", None, gpu=True) == (1, 16)
    assert share_cores("classical", 99) == (99, 1)


def test_images_of_the_rendered_set_are_of_the_scenes_size(scenes, renderer, tmp_path):
    render_dataset(scenes, tmp_path, renderer, workers=1, gate=False)
    for path in sorted((tmp_path / "images").iterdir()):
        assert read_image(path).shape == (SIDE, SIDE, 3)


def test_a_full_disk_is_one_line_and_the_same_call_goes_on(scenes, renderer, tmp_path, monkeypatch):
    written = Path.write_bytes
    left = [4]  # files that still fit

    def nearly_full(path, data):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(path, data)

    whole = tmp_path / "whole"
    render_dataset(scenes, whole, renderer, workers=1)
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", nearly_full)
        with pytest.raises(DataError, match="No space left on device; make room"):
            render_dataset(scenes, out, renderer, workers=1)
    assert not list(out.rglob(".*.part.*"))
    assert not (out / "instances.json").exists()
    render_dataset(scenes, out, renderer, workers=1)
    assert pictures(out) == pictures(whole)
