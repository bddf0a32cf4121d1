from dataclasses import replace

import numpy as np
import pytest
import torch

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.images import write_image
from rpc.recognition.systems.ma_cnn import MaCnn
from rpc.recognition.systems.registry import SystemSettings
from rpc.recognition.training.loop import learn, predict
from rpc.recognition.training.model_file import read_model, write_model
from rpc.recognition.training.photo_batches import PhotoBatches
from rpc.recognition.training.schedule import LearningSettings


def small(**changes):
    torch.manual_seed(0)
    return MaCnn(2, 64, parts=3, part_side=48, pretrained=False, **changes)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_batches_of_any_size_get_scores_and_attention(count):
    system = small().eval()
    images = torch.randint(0, 255, (count, 3, 64, 64), dtype=torch.uint8)
    assert system(images).shape == (count, 2)
    attention = system.attention(images)
    assert attention.shape == (count, 3, 4, 4)
    assert torch.allclose(attention.sum(dim=(2, 3)), torch.ones(count, 3), atol=1e-5)
    looks = system.look(images)
    assert len(looks) == count
    for look in looks:
        assert look.boxes.shape == (3, 4)
        assert look.boxes.min() >= -1e-3
        assert look.boxes.max() <= 64 + 1e-3


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    folder = tmp_path_factory.mktemp("squares")
    rng = np.random.default_rng(0)
    made = []
    for n in range(12):
        rgb = rng.integers(0, 80, (64, 64, 3)).astype(np.uint8)
        rgb[8:24, 8:24, n % 2] = 250
        rgb[40:56, 40:56, 2] = 250
        made.append(LabelledPhoto(write_image(folder / f"{n}.png", rgb), n % 2))
    return made


def test_it_goes_through_all_phases_and_every_channel_has_one_part(squares, tmp_path):
    system = small(rounds=1)
    settings = LearningSettings(iterations=40, batch_size=6, lr=3e-3)
    facts = learn(system, PhotoBatches(squares, 64), settings, tmp_path)
    assert [name[2:] for name in facts.seconds] == [
        "channel groups", "classify 1", "grouping 1", "part networks",
        "parts",
    ]  # fmt: skip
    assert system.groups.sum(dim=0).tolist() == [1.0] * 112
    batch = next(iter(PhotoBatches(squares, 64).plain()))
    assert torch.isfinite(predict(system, list(batch.images))).all()


@torch.no_grad()
def test_the_grouping_networks_start_at_the_groups_whatever_a_photo_shows(squares):
    system = small()
    system._fit_groups(PhotoBatches(squares, 64).passes(0, 0))
    batch = next(iter(PhotoBatches(squares, 64).plain()))
    weights = system._weights(system.backbone(batch.images)[0])
    assert weights[:, system.groups > 0].min() > 0.8
    assert weights[:, system.groups == 0].max() < 0.2


@torch.no_grad()
def test_parts_begin_as_the_photo_is_seen_and_say_the_mean_of_what_each_says(squares):
    system = small().eval()
    system._start_parts(PhotoBatches(squares, 64).passes(0, 0))
    photos = next(iter(PhotoBatches(squares, 64).plain())).images
    pixels = torch.rand(2, 3, 48, 48) * 255
    for backbone in system.part_backbones:
        assert torch.equal(backbone(pixels)[-1], system.backbone(pixels)[-1])
    each = torch.stack([system.photo_head(vectors) for vectors in system.vectors(photos)])
    mean = each.mean(dim=0)
    assert torch.allclose(system(photos), mean, rtol=0.1, atol=0.1 * float(mean.abs().max()))


def test_a_file_from_before_maps_had_a_form_is_read_as_it_was_written(tmp_path):
    old = small(attention="sum").eval()
    options = {"parts": 3, "part_side": 48}  # as given: nothing was known of `attention`
    path = write_model(tmp_path / "old.pth", old, SystemSettings("ma_cnn", 64, options), "ab", {})
    model = read_model(path)
    state = {n: v for n, v in model.state.items() if not n.endswith((".mean", ".std"))}
    again = replace(model, state=state).build()
    assert again.form == "sum"
    images = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        assert torch.equal(again(images), old(images))
    assert read_model(path).build().form == "centred"  # of today's files, what their options say


def test_one_part_is_refused():
    with pytest.raises(ValueError, match="2 parts or more"):
        MaCnn(2, 64, parts=1, pretrained=False)
