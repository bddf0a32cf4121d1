"""A renderer's file with anything wrong in it is refused in one line, or renders."""

import numpy as np
import pytest
import torch

from rpc.data import DataError
from rpc.runs.tensor_files import read_tensors
from synth.render.apply.learned import LearnedRenderer
from synth.render.apply.renderer import read_renderer, write_renderer
from synth.render.classical.classical_renderer import ClassicalRenderer
from synth.render.training.networks import Generator
from synth.render.training.settings import GeneratorSettings
from tests.runs.mutations import COUNT, mutated, nothing_foreign

SCENE = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)


@pytest.fixture(scope="module", params=["classical", "learned"])
def content(request, tmp_path_factory):
    if request.param == "learned":
        made = LearnedRenderer(Generator(GeneratorSettings(width=2, blocks=1)).eval(), 0.5)
    else:
        made = ClassicalRenderer.fit([SCENE], [SCENE])
    path = tmp_path_factory.mktemp("renderer") / "renderer.pth"
    return read_tensors(write_renderer(path, request.param, made.to_state(), {"supervision": "E"}))


def answer(path):
    try:
        read_renderer(path).renderer.render(SCENE, np.random.default_rng(0))
    except DataError as error:
        told = str(error)
    else:
        return None
    assert "\n" not in told
    assert len(told) < 600
    return told


def test_any_change_is_refused_in_one_line_or_harmless(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(content, "a.pth")
    assert answer("a.pth") is None
    refused = 0
    with nothing_foreign(tmp_path):
        for number in range(COUNT // 2):
            torch.save(mutated(content, np.random.default_rng([31, number]), "none"), "a.pth")
            refused += answer("a.pth") is not None
    assert refused > COUNT // 5


def test_a_renderer_is_no_larger_than_its_weights(content, tmp_path):
    if content["kind"] != "learned":
        pytest.skip("a classical renderer has no network")
    for changes in ({"blocks": 10**9}, {"width": 10**6}, {"width": 4096, "blocks": 400}):
        state = {**content["state"], "settings": {**content["state"]["settings"], **changes}}
        torch.save({**content, "state": state}, tmp_path / "a.pth")
        assert "larger than the file's" in answer(tmp_path / "a.pth")
