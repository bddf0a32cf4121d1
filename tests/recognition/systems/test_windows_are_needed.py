"""A problem that needs ST-CNN's windows to move: where the locating network rests, it is failed."""

import numpy as np
import pytest
import torch

from rpc.recognition.systems import baseline, st_cnn
from tests.recognition.systems.injected import Drawn, Near, framed_things, right

DATA = Drawn(framed_things)
MOVES = st_cnn.StCnn.__init__.__kwdefaults__["locator_lr_mult"]  # what users get


def followed(system, batch):
    """How closely the window's centre follows the framed thing: the lesser correlation of x, y."""
    with torch.no_grad():
        centres = system.transforms(batch.images.float())[:, 0, :, 2].numpy()
    wanted = batch.points[:, :, :2].mean(dim=1).numpy() / 48 - 1
    if (centres.std(axis=0) < 1e-6).any():
        return 0.0
    return min(float(np.corrcoef(centres[:, n], wanted[:, n])[0, 1]) for n in (0, 1))


@pytest.mark.slow
@pytest.mark.parametrize(("locator_lr_mult", "moves"), [(MOVES, True), (0.0, False)])
def test_a_window_follows_the_framed_thing_where_its_locating_network_learns(
    monkeypatch, tmp_path, locator_lr_mult, moves
):
    monkeypatch.setattr(st_cnn, "Backbone", Near)
    torch.manual_seed(0)
    system = st_cnn.StCnn(
        2, 96, windows=1, window_side=48, look_side=32, backbone_lr_mult=1.0,
        locator_lr_mult=locator_lr_mult, dropout=0.0,
    )  # fmt: skip
    share, batch = right(system, DATA, tmp_path, 200)
    if moves:
        assert share >= 0.95
        assert followed(system, batch) >= 0.9
    else:
        assert share <= 0.85
        assert followed(system, batch) < 0.5


@pytest.mark.slow
def test_a_mean_over_the_photo_counts_the_clutter_too(monkeypatch, tmp_path):
    monkeypatch.setattr(baseline, "Backbone", Near)
    torch.manual_seed(0)
    plain = baseline.Baseline(2, 96, backbone_lr_mult=1.0, dropout=0.0)
    share, _ = right(plain, DATA, tmp_path, 200)
    assert share <= 0.85  # one of three stripes decides, the two others vote: 3 of 4 are right
