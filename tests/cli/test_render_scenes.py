"""The tool that renders a folder of scenes: what it writes, says and refuses."""

import importlib
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from rpc.data import Annotation, Category, Dataset, ImageInfo, Taxonomy
from rpc.data.dataset import write_dataset
from rpc.data.files import read_json
from rpc.data.images import read_image, write_image
from rpc.structures.masks import encode_rle
from synth.render.apply.renderer import write_renderer
from synth.render.classical.camera_statistics import measure_camera
from synth.render.classical.classical_renderer import ClassicalRenderer
from synth.render.gate.background import background_statistics

TOOLS = Path(__file__).parents[2] / "tools"
SIDE = 160


def picture(seed, board):
    """A printed square on a board, and its mask."""
    rng = np.random.default_rng(seed)
    rgb = np.full((SIDE, SIDE, 3), board) + rng.normal(0, 2, (SIDE, SIDE, 3))
    print_ = cv2.resize(rng.uniform(0, 255, (6, 6, 3)), (60, 60), interpolation=cv2.INTER_NEAREST)
    rgb[50:110, 40:100] = print_
    mask = np.zeros((SIDE, SIDE), bool)
    mask[50:110, 40:100] = True
    return rgb.clip(0, 255).astype(np.uint8), mask


@pytest.fixture
def folder(tmp_path):
    """Scenes, photos of a dimmer camera, and a renderer that knows them."""
    images, items = [], []
    for number in range(3):
        rgb, mask = picture(number, (190, 188, 184))
        images.append(ImageInfo(number, f"{number:08d}.jpg", SIDE, SIDE))
        write_image(tmp_path / "scenes" / "images" / images[-1].file_name, rgb)
        box = (40, 50, 100, 110)
        items.append(Annotation(number + 1, number, 1, box, 3600, 1.0, encode_rle(mask)))
    names = Taxonomy((Category(1, "tea"),))
    write_dataset(
        tmp_path / "scenes" / "instances.json", Dataset(tuple(images), tuple(items), names)
    )
    photos = [picture(10 + n, (140, 135, 120))[0] for n in range(2)]
    for number, photo in enumerate(photos):
        write_image(tmp_path / "photos" / f"{number}.jpg", photo)
    rows = np.stack([measure_camera(photo)[0].to_row() for photo in photos])
    origin = {"supervision": "E", "background": background_statistics(tmp_path / "scenes")}
    write_renderer(
        tmp_path / "renderer.pth", "classical", ClassicalRenderer(rows).to_state(), origin
    )
    return tmp_path


@pytest.fixture
def leave(folder, monkeypatch, capsys):
    """Call the tool by its entry point; exit code, stdout, stderr."""
    monkeypatch.delenv("RPC_TRACEBACK", raising=False)

    def run(*more):
        line = ["render_scenes.py", *map(str, more), "--workers", "1"]
        monkeypatch.setattr(sys, "argv", line)
        tool = importlib.import_module("rpc.cli.render")
        with pytest.raises(SystemExit) as left:
            importlib.import_module("rpc.cli.leave").run(tool.main)
        return left.value.code, *capsys.readouterr()

    return run


def test_scenes_are_rendered_with_a_preview_beside_photos(leave, folder):
    code, stdout, stderr = leave(
        folder / "scenes", folder / "out", "--renderer", folder / "renderer.pth",
        "--preview", 2, "--beside", folder / "photos",
    )  # fmt: skip
    assert (code, stderr) == (0, "")
    assert "instances.json: 3 of 3 images, 0 of them repaired (0 items), 0 dropped" in stdout
    sheet = read_image(folder / "out" / "preview.png")
    assert sheet.shape[1] > 2 * sheet.shape[0]
    before, after = (
        read_image(folder / name / "images" / "00000000.jpg")[:30].mean(axis=(0, 1))
        for name in ("scenes", "out")
    )
    assert before - after == pytest.approx((50, 53, 64), abs=8)
    assert read_json(folder / "out" / "render.json")["images"]["kept"] == 3


def test_without_the_gate_nothing_is_judged(leave, folder):
    code, stdout, _ = leave(
        folder / "scenes", folder / "out", "--renderer", folder / "renderer.pth", "--no-gate"
    )
    assert code == 0
    assert "3 of 3 images (without a gate)" in stdout


def test_another_background_is_warned_of_in_one_line(leave, folder):
    for number in range(3):
        rgb = picture(number, (40, 60, 130))[0]
        write_image(folder / "scenes" / "images" / f"{number:08d}.jpg", rgb)
    code, _, stderr = leave(
        folder / "scenes", folder / "out", "--renderer", folder / "renderer.pth", "--no-gate"
    )
    assert code == 0
    assert stderr.startswith("warning: scenes are not like those the renderer was made for: ")
    assert stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("renderer.pth", "renderer.pth: not a checkpoint"),
        ("scenes/instances.json", "instances.json: not valid JSON"),
        ("scenes/images/00000001.jpg", "00000001.jpg: not an image"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(leave, folder, spoil, told):
    (folder / spoil).write_bytes(b"spoiled")
    code, _, stderr = leave(
        folder / "scenes", folder / "out", "--renderer", folder / "renderer.pth"
    )
    assert code == 2
    assert stderr.count("\n") == 1
    assert stderr.startswith("error: ")
    assert told in stderr
    assert not (folder / "out" / "instances.json").exists()


def test_what_is_missing_is_told_before_any_work(leave, folder):
    scenes, out = folder / "scenes", folder / "out"
    code, _, stderr = leave(scenes, out, "--renderer", folder / "none.pth")
    assert (code, stderr.count("\n")) == (2, 1)
    assert "none.pth: no such checkpoint" in stderr
    code, _, stderr = leave(
        scenes, out, "--renderer", folder / "renderer.pth", "--beside", folder / "none"
    )
    assert (code, stderr.count("\n")) == (2, 1)
    assert "no such folder; expected photos of real trays" in stderr
    assert not out.exists()


def test_the_benchmark_of_the_gate_counts_what_it_plants(folder, monkeypatch):
    monkeypatch.syspath_prepend(TOOLS / "benchmark")
    benchmark = importlib.import_module("render_gate")
    from synth.render.apply.scenes import SceneFolder

    found = benchmark.measure(SceneFolder.open(folder / "scenes"), 2, 0, None)
    assert found["alarms"]["items"] == 2
    assert found["faults"]["shift 10%"] == {"injected": 2, "caught": 2, "repaired": 0}
    assert (
        found["faults"]["swapped"]["injected"] == 0
    )  # with one item there is none to swap it with
    assert "shift 10%    caught    2 of    2" in benchmark._text(found)
