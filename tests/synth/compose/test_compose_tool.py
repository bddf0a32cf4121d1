from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rpc.data.dataset import read_dataset

TOOL = Path(__file__).parents[3] / "tools" / "compose_scenes.py"


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_tool_composes_and_says_where(cutout_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    done = call(cutout_dir, out, "--count", 3, "--size", "96x80", "--rule", "easy:1-2:2-3",
                "--mix", "1,0,0")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(out / "instances.json")
    found = read_dataset(out / "instances.json")
    assert {(image.width, image.height) for image in found.images} == {(96, 80)}
    assert all(2 <= count <= 3 for count in found.counts().sum(axis=1))


@pytest.mark.slow
def test_bad_input_is_one_line_and_exit_code_two(cutout_dir: Path, tmp_path: Path) -> None:
    wrong = (["--min-visible", 7], ["--backgrounds", tmp_path / "gone"], ["--size", "no"])
    for options in wrong:
        done = call(cutout_dir, tmp_path / "set", "--count", 2, *options)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert done.stderr.count("error:") == 1


@pytest.mark.slow
def test_a_preview_is_one_picture(cutout_dir: Path, tmp_path: Path) -> None:
    done = call(cutout_dir, tmp_path, "--preview", 2, "--size", 64)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "preview.png").is_file()
