"""A problem that needs RA-CNN's closer looks."""

import numpy as np
import pytest
import torch

from rpc.recognition.systems import baseline, ra_cnn
from rpc.recognition.training.loop import accuracy
from tests.recognition.systems.injected import NO_POINTS, Drawn, Retina, right


def stripes(size, upright):
    """A pattern of period 4, of which a retina of 4 px sees the mean alone."""
    wave = np.where(np.arange(size) % 4 < 2, 255, 60).astype(np.uint8)
    pattern = wave[None].repeat(size, 0)
    return pattern if upright else pattern.T


def striped_thing(rng, label):
    rgb = np.full((96, 96, 3), 20, np.uint8)
    x, y = 4 * rng.integers(1, 17, 2)  # at whole cells of the retina: no edge tells the class
    rgb[y : y + 24, x : x + 24] = stripes(24, label == 1)[..., None]
    return rgb, NO_POINTS


@pytest.mark.slow
def test_what_is_readable_close_up_alone_is_read_by_recurrent_attention_alone(
    monkeypatch, tmp_path
):
    for module in (ra_cnn, baseline):
        monkeypatch.setattr(module, "Backbone", Retina)
    data = Drawn(striped_thing)
    torch.manual_seed(0)
    plain = baseline.Baseline(2, 96, backbone_lr_mult=1.0, dropout=0.0)
    assert right(plain, data, tmp_path / "plain", 220)[0] <= 0.6
    closer = ra_cnn.RaCnn(2, 96, close_side=96, backbone_lr_mult=1.0, rounds=1)
    share, batch = right(closer, data, tmp_path / "closer", 300)
    with torch.no_grad():
        first, *closer_up = (accuracy(s, batch.labels) for s in closer.scores(batch.images))
    assert share >= 0.95
    assert first <= 0.6
    assert min(closer_up) >= 0.95
