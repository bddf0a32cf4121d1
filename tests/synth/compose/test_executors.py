"""Whoever composes, the files are the same, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpc.data.files import DataError
from synth.compose import SceneConfig, compose_dataset

CONFIG = SceneConfig(width=96, height=96, level_mix=(1, 0, 0))
COUNT = 70  # three chunks, the last one short


def content(out: Path) -> dict[str, bytes]:
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def serial(cutout_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("serial")
    compose_dataset(cutout_dir, out, COUNT, config=CONFIG, executor="serial")
    return content(out)


def test_two_processes_make_the_same_set(cutout_dir: Path, tmp_path: Path, serial) -> None:
    compose_dataset(cutout_dir, tmp_path, COUNT, config=CONFIG, workers=2)
    assert content(tmp_path) == serial


@pytest.mark.slow
def test_three_processes_make_the_same_set(cutout_dir: Path, tmp_path: Path, serial) -> None:
    compose_dataset(cutout_dir, tmp_path, COUNT, config=CONFIG, workers=3)
    assert content(tmp_path) == serial


@pytest.mark.slow
def test_an_error_in_a_process_arrives_as_one_line(cutout_dir: Path, tmp_path: Path) -> None:
    tiny = SceneConfig(width=16, height=16, scene_scale=(0.001, 0.001))
    with pytest.raises(DataError, match="make scenes larger"):
        compose_dataset(cutout_dir, tmp_path, COUNT, config=tiny, workers=2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_ray_makes_the_same_set(cutout_dir: Path, tmp_path: Path, serial) -> None:
    ray = pytest.importorskip("ray")
    try:
        compose_dataset(cutout_dir, tmp_path, COUNT, config=CONFIG, executor="ray")
    finally:
        ray.shutdown()
    assert content(tmp_path) == serial
