"""The tool that learns to render: every config, both kinds, stop and resume, bad input."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from rpc.data import read_image, write_image
from rpc.detection import runtime
from rpc.structures import encode_rle
from synth.render.apply.renderer import read_renderer
from tests.cli.small_shop import ROOT, make_store, photo

CONFIGS = ROOT / "configs" / "render"
LEARNED = ("cyclegan", "cut", "fastcut", "cyclegan_cpu", "cut_cpu", "fastcut_cpu")
TINY = (
    "--cfg-options", "generator.width=4", "generator.blocks=1", "discriminator.width=4",
    "discriminator.layers=1", "crops.side=32", "crops.load_scale=1.0", "training.workers=0",
)  # fmt: skip
SHORT = (*TINY, "training.minutes=None", "training.iterations=2")


@pytest.fixture
def place(tmp_path):
    """A store, and two composed scenes with one item each."""
    store = make_store(tmp_path / "store")
    scenes = tmp_path / "scenes"
    images, annotations = [], []
    for n in (1, 2):
        write_image(scenes / "images" / f"{n}.png", photo(n) // 2)
        images.append({"id": n, "file_name": f"{n}.png", "width": 120, "height": 90})
        mask = np.zeros((90, 120), bool)
        mask[30:60, 40:80] = True
        rle = encode_rle(mask)
        annotations.append(
            {
                "id": n, "image_id": n, "category_id": n, "bbox": [40, 30, 40, 30], "area": 1200,
                "segmentation": rle, "iscrowd": 0,
            }
        )  # fmt: skip
    categories = [{"id": n, "name": name} for n, name in enumerate(("tea", "rice"), start=1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (scenes / "instances.json").write_text(json.dumps(content))
    return store, scenes, tmp_path / "out"


@pytest.fixture
def call(place, monkeypatch, capsys):
    """Call the tool by its entry point; exit code, stdout, stderr."""
    runtime.setup()  # pytest restores the warning filters for every test
    monkeypatch.delenv("RPC_TRACEBACK", raising=False)
    store, scenes, out = place

    def run(config, *more):
        path = config if isinstance(config, Path) else CONFIGS / f"{config}.py"
        line = (path, "--data", store, "--scenes", scenes, "--out", out, *more)
        monkeypatch.setattr(sys, "argv", ["train_render.py", *map(str, line)])
        main = importlib.import_module("rpc.cli.train_render").main
        with pytest.raises(SystemExit) as left:
            importlib.import_module("rpc.cli.leave").run(main)
        return left.value.code, *capsys.readouterr()

    return run


def refused(told):
    code, stdout, stderr = told
    assert (code, stdout) == (2, "")
    assert len(stderr.splitlines()) == 1, stderr
    return stderr


def test_every_config_is_tried_here():
    assert {path.stem for path in CONFIGS.glob("*.py")} == {*LEARNED, "classical"}


@pytest.mark.parametrize("config", LEARNED)
def test_every_learned_config_makes_a_renderer_that_says_where_it_comes_from(config, call, place):
    code, stdout, stderr = call(config, *SHORT)
    assert code == 0, stderr
    out = place[2]
    assert stdout.strip() == str(out / "renderer.pth")
    found = read_renderer(out / "renderer.pth")
    assert found.kind == "learned"
    origin = found.origin
    assert (origin["supervision"], origin["split"], origin["photos"]) == ("E", "val", 1)
    assert (origin["seed"], origin["config"]) == (0, config)
    assert origin["settings"]["iterations"] == 2
    assert origin["background"]["images"] == 2
    scene = read_image(place[1] / "images" / "1.png")
    rendered = found.renderer.render(scene, np.random.default_rng(0))
    assert rendered.shape == scene.shape
    assert (out / "samples" / "0000002.jpg").is_file()


def test_a_run_without_a_budget_of_its_own_takes_the_configs(call, place):
    assert call("fastcut_cpu", *SHORT, "--iterations", 3)[0] == 0
    assert read_renderer(place[2] / "renderer.pth").origin["settings"]["iterations"] == 3


def test_a_finished_run_with_resume_writes_the_same_renderer(call, place):
    assert call("cut_cpu", *SHORT)[0] == 0
    path = place[2] / "renderer.pth"
    before = path.read_bytes()
    path.unlink()
    assert call("cut_cpu", *SHORT, "--resume")[0] == 0
    assert path.read_bytes() == before


def test_ctrl_c_keeps_the_state_and_says_how_to_go_on(call, place, monkeypatch):
    import os
    import signal

    from synth.render.training.trainee import Trainee

    whole = Trainee.learn

    def interrupted(self, *args):
        if self.iteration == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return whole(self, *args)

    with monkeypatch.context() as patched:
        patched.setattr(Trainee, "learn", interrupted)
        code, stdout, stderr = call("cut_cpu", *TINY, "--iterations", 5)
    assert (code, stdout) == (130, "")
    assert stderr.splitlines()[-1] == ("stopped; the same command with --resume goes on from here")
    assert not (place[2] / "renderer.pth").exists()
    assert call("cut_cpu", *TINY, "--iterations", 5, "--resume")[0] == 0
    parts = read_renderer(place[2] / "renderer.pth").renderer.to_state()["generator"]
    for path in place[2].rglob("*.pth"):
        path.unlink()
    assert call("cut_cpu", *TINY, "--iterations", 5)[0] == 0
    whole_run = read_renderer(place[2] / "renderer.pth").renderer.to_state()["generator"]
    assert all(parts[name].equal(whole_run[name]) for name in whole_run)


def test_the_classical_config_makes_a_renderer_of_its_kind(call, place):
    code, _, stderr = call("classical")
    assert code == 0, stderr
    found = read_renderer(place[2] / "renderer.pth")
    assert found.kind == "classical"
    assert found.origin["photos"] == 1


def test_test_photos_are_looked_at_only_when_told_and_marked(call, place):
    store = place[0]
    assert "refused; --allow-test" in refused(call("cut_cpu", *SHORT, "--target", store / "test"))
    assert not place[2].exists()
    assert call("cut_cpu", *SHORT, "--target", store / "test", "--allow-test")[0] == 0
    assert read_renderer(place[2] / "renderer.pth").origin["supervision"] == "T"


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (("--target", "{root}/nowhere"), "nowhere: no such folder"),
        (("--target", "{root}/empty"), "empty: holds no photo"),
        (("--target", "{root}/text", *SHORT), "text/1.png: not an image"),
        (("--scenes", "{root}/empty"), "images: no such folder; expected composed scenes"),
        (("--data", "{root}/empty"), "empty"),
        (("--iterations", "0"), "--iterations 0: expected 1 or more"),
        (("--cfg-options", "training.workers=0", "crops.side=128"), "is smaller than a crop"),
        (("--cfg-options", "generator.widht=4"), "unknown setting widht"),
        (("--cfg-options", "kind=magic"), "expected kind 'classical' or 'learned', got 'magic'"),
    ],
)
def test_bad_input_is_one_line(more, line, call, place):
    root = place[2].parent
    (root / "empty").mkdir()
    (root / "text").mkdir()
    (root / "text" / "1.png").write_text("no picture")
    assert line in refused(call("fastcut_cpu", *(part.format(root=root) for part in more)))
    assert not (place[2] / "renderer.pth").exists()


def test_a_training_in_the_folder_is_not_overwritten(call, place):
    assert call("cut_cpu", *SHORT)[0] == 0
    before = (place[2] / "renderer.pth").read_bytes()
    assert "holds a training; --resume goes on with it" in refused(call("cut_cpu", *SHORT))
    assert (place[2] / "renderer.pth").read_bytes() == before


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.py")), ids=lambda path: path.stem)
def test_a_leaf_says_only_what_differs_and_why(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 20
    assert lines[0].startswith("# ")
