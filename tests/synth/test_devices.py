"""Everything in synth that runs a network runs it where it is told to.

Torch's device "meta" holds shapes without values: a network that is there can be told from one on
the CPU without a GPU.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

from rpc.data.files import DataError
from rpc.runs.processes import Processes
from synth.exemplar.methods import common_object, saliency
from synth.exemplar.methods.registry import make_segmenter
from synth.quality.features import PhotoEncoder
from synth.render.apply import chunks
from synth.render.apply.learned import LearnedRenderer
from synth.render.apply.renderer import RendererFile, read_renderer, write_renderer
from synth.render.apply.scenes import SceneFolder
from synth.render.training.crops import Batch
from synth.render.training.networks import Generator
from synth.render.training.settings import GeneratorSettings
from synth.render.training.trainee import Trainee
from tests.synth.render.drawn_trays import scene_folder
from tests.synth.render.tiny_translation import tiny_settings

META = torch.device("meta")
RGB = np.zeros((32, 32, 3), np.uint8)


class ReachedError(Exception):
    """A network was called."""


def stop_at(network: torch.nn.Module, seen: list[torch.device]) -> None:
    """Note the devices of the network and its input, and go no further."""

    def hook(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        seen.extend([next(module.parameters()).device, inputs[0].device])
        raise ReachedError

    network.register_forward_pre_hook(hook)


@pytest.fixture
def renderer_file(tmp_path):
    generator = Generator(GeneratorSettings(width=4, blocks=1))
    state = LearnedRenderer(generator.eval()).to_state()
    return write_renderer(tmp_path / "renderer.pth", "learned", state, {})


@pytest.mark.parametrize("device", [META, torch.device("cpu")])
def test_a_learned_renderer_renders_on_its_device(renderer_file, device, monkeypatch):
    with monkeypatch.context() as without_data:  # on "meta" the trial at loading cannot be seen
        without_data.setattr(LearnedRenderer, "render", lambda self, rgb, rng: rgb)
        renderer = read_renderer(renderer_file, device).renderer
    seen = []
    stop_at(renderer.generator, seen)
    with pytest.raises(ReachedError):
        renderer.render(RGB, np.random.default_rng(0))
    assert seen == [device, device]


@pytest.mark.parametrize("device", [META, torch.device("cpu")])
def test_features_of_photos_are_computed_on_their_device(device):
    encoder = PhotoEncoder(1, 64, device=device)
    seen = []
    stop_at(encoder.network, seen)
    with pytest.raises(ReachedError):
        encoder(RGB, np.random.default_rng(0))
    assert seen == [device, device]


def test_translations_are_trained_on_the_device_of_their_process(monkeypatch):
    monkeypatch.setattr(Trainee, "_autocast", nullcontext)  # "meta" has no mixed precision
    trainee = Trainee(tiny_settings(), 0, Processes(device=META), fast_bfloat16=False)
    learned = [*trainee.objective.parameters(), *trainee.discriminators.parameters()]
    assert {weights.device for weights in learned} == {META}
    seen = []
    stop_at(trainee.objective, seen)
    with pytest.raises(ReachedError):
        trainee.learn(Batch(*torch.zeros(2, 2, 3, 32, 32)), 1.0, "")
    assert seen == [META, META]


def test_rendering_scenes_hands_its_device_to_renderer_and_gate(monkeypatch, tmp_path):
    asked = []

    def read(path, device):
        asked.append(device)
        return RendererFile(None, "learned", {})

    def embedder(side, device):
        asked.append(device)
        raise ReachedError

    monkeypatch.setattr(chunks, "read_renderer", read)
    monkeypatch.setattr(chunks, "Embedder", embedder)
    chunks.forget_sources()
    chunks._encoder.cache_clear()
    scenes = SceneFolder.open(scene_folder(tmp_path, 1, side=96, items=1))
    job = chunks.Job(tmp_path, tmp_path / "renderer.pth", 0, True, 1, "cuda:1")
    with pytest.raises(ReachedError):
        chunks.render_one(job, scenes, scenes.dataset.images[0].id)
    chunks.forget_sources()
    assert asked == ["cuda:1", "cuda:1"]


def test_what_photos_share_is_found_on_the_device_of_the_segmenter(monkeypatch, tmp_path):
    asked = []

    def record(**settings):
        asked.append(settings["device"])
        raise ReachedError

    monkeypatch.setattr(common_object, "FeatureMaps", record)
    monkeypatch.setattr(common_object, "_colocaliser", lambda path, digest: None)
    way = make_segmenter("ddt", "cuda:1")
    segmenter = common_object.CommonObjectSegmenter(tmp_path, "", way.least_side, device=way.device)
    with pytest.raises(ReachedError):
        segmenter(RGB, (4, 4, 28, 28))
    assert asked == ["cuda:1"]
    assert repr(segmenter) == repr(replace(segmenter, device="cpu"))  # masks stay good


@pytest.mark.parametrize("method", ["saliency", "combined"])
def test_the_saliency_network_asks_for_its_device(monkeypatch, method):
    asked = []

    def record(model, options, providers):
        asked.append(providers[0])
        raise ReachedError

    monkeypatch.setattr(onnxruntime, "InferenceSession", record)
    monkeypatch.setattr(
        onnxruntime,
        "get_available_providers",
        lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
    )
    saliency._session.cache_clear()
    segmenter = make_segmenter(method, "cuda:1")
    with pytest.raises(ReachedError):
        segmenter(RGB, (4, 4, 28, 28))
    assert asked == [("CUDAExecutionProvider", {"device_id": 1})]
    assert repr(segmenter) == repr(make_segmenter(method))


def test_onnxruntime_without_a_gpu_takes_the_cpu_or_says_so(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert saliency.providers("auto") == saliency.providers("cpu") == ["CPUExecutionProvider"]
    with pytest.raises(DataError, match=r"cuda:1.*onnxruntime-gpu"):
        saliency.providers("cuda:1")
    for unknown in ("gpu", "cuda:", "cpu:0", "cuda:x"):
        with pytest.raises(DataError, match="expected auto, cpu, cuda"):
            saliency.providers(unknown)
