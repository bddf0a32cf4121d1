import numpy as np
import pytest
import torch
from torch import nn

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.images import write_image
from rpc.recognition.systems.constellations import Constellations
from rpc.recognition.training.loop import accuracy, learn, predict
from rpc.recognition.training.photo_batches import PhotoBatches
from rpc.recognition.training.schedule import LearningSettings


def small(classes=2, pretrained=False, **changes):
    torch.manual_seed(0)
    settings = {"parts": 3, "part_side": 32, "photos": 4, "views": 2, "view_parts": 6, "used": 4}
    return Constellations(classes, 64, pretrained=pretrained, **(settings | changes))


def noise(count):
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 255, (count, 3, 64, 64), dtype=torch.uint8, generator=chance)


@pytest.mark.parametrize("ground", ["map", "pixels"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_batches_of_any_size_get_vectors_scores_and_places(count, ground):
    system = small(ground=ground).eval()
    vectors = system.vectors(noise(count))
    assert vectors.shape == (count, 432 * (1 + 3 * 2))
    assert torch.isfinite(vectors).all()
    assert predict(system, list(noise(count))).shape == (count, 2)  # where no gradient is recorded
    looks = system.look(noise(count))
    assert len(looks) == count
    for look in looks:
        assert len(look.names) == len(look.boxes) <= 3
        assert np.allclose(look.boxes[:, 2:] - look.boxes[:, :2], 64 * 0.24**0.5, atol=1e-3)
        assert look.boxes.min() >= -1e-3
        assert look.boxes.max() <= 64 + 1e-3


def test_a_photo_is_described_alike_alone_and_among_others():
    system = small(pretrained=True).eval()
    with torch.no_grad():
        together = system.vectors(noise(3))
        alone = torch.cat([system.vectors(image[None]) for image in noise(3)])
    assert torch.allclose(together, alone, atol=1e-5)


COLOURS = np.array([[r, g, b] for r in (0, 120, 240) for g in (30, 200) for b in (10, 230)])


class Colours(nn.Module):
    """A locating network of which every channel is sure of one colour."""

    channels = (len(COLOURS), 3)

    def unrectified(self, photos):
        early = photos / 255
        wanted = torch.from_numpy(COLOURS).float()[None, :, :, None, None] / 255
        return 0.2 - (early[:, None] - wanted).abs().sum(dim=2), early


SHAPE = np.array([[-12, -12], [0, -14], [13, 2], [4, 13]])  # px, of channels 2, 5, 7, 10
INJECTED = (2, 5, 7, 10)


@pytest.fixture(scope="module")
def marks(tmp_path_factory):
    """Marks of twelve colours anywhere; four keep their distances. Two of those are hidden once."""
    folder, rng, made, where = tmp_path_factory.mktemp("marks"), np.random.default_rng(0), [], []
    for n in range(24):
        rgb = np.full((64, 64, 3), 60, np.uint8)
        places = rng.integers(2, 62, (12, 2))
        places[list(INJECTED)] = rng.integers(18, 46, 2) + SHAPE
        order = [c for c in range(12) if c not in INJECTED] + list(INJECTED)
        for channel in order[:-2] if n == 0 else order:
            x, y = places[channel]
            rgb[y - 1 : y + 2, x - 1 : x + 2] = COLOURS[channel] + rng.integers(0, 9, 3)
        made.append(LabelledPhoto(write_image(folder / f"{n}.png", rgb), n % 2))
        where.append(places)
    return made, np.stack(where)


def test_injected_parts_are_found_among_channels_that_fire_anywhere(marks):
    examples, where = marks
    system = small(parts=4, views=1, view_parts=4, used=4, photos=24)
    system.locator = Colours()
    system._fit_parts(PhotoBatches(examples, 64).passes(0, 0))
    assert set(system.channels.tolist()) == set(INJECTED)
    batch = next(iter(PhotoBatches(examples, 64).plain()))
    places, seen = system.located(batch.images, system.channels.tolist())
    assert seen.sum(dim=1).tolist() == [2] + [4] * 23
    wanted = torch.from_numpy(where[:, system.channels.tolist()])
    assert ((places + 1) * 32 - (wanted + 0.5)).abs()[seen].max() <= 1.5
    looks = system.look(batch.images)
    assert len(looks[0].boxes) == 2  # those in sight
    x1, y1, x2, y2 = looks[1].boxes.T
    middles = wanted[1].numpy() + 0.5
    assert (x1 <= middles[:, 0]).all() and (middles[:, 0] <= x2).all()  # noqa: PT018
    assert (y1 <= middles[:, 1]).all() and (middles[:, 1] <= y2).all()  # noqa: PT018


def test_a_part_out_of_sight_says_nothing(marks):
    system = small(parts=4).eval()
    system.locator = Colours()
    system.channels.copy_(torch.tensor(INJECTED))
    batch = next(iter(PhotoBatches(marks[0], 64).plain(batch_size=1)))
    with torch.no_grad():
        blocks = system.vectors(batch.images).view(9, 432).norm(dim=1)
    assert (blocks > 0).tolist() == [True] * 5 + [False] * 4


def test_it_goes_through_all_phases_and_is_the_same_when_it_was_saved(marks, tmp_path):
    examples = marks[0][:8]
    system = small(locating=(1, 0), pretrained=True)
    settings = LearningSettings(iterations=3, batch_size=4, lr=1e-3)
    facts = learn(system, PhotoBatches(examples, 64), settings, tmp_path)
    assert [name[2:] for name in facts.seconds] == ["constellation", "cuts", "support vectors"]
    batch = next(iter(PhotoBatches(examples, 64).plain()))
    scores = predict(system, list(batch.images))
    assert accuracy(scores, batch.labels) == 1.0  # eight photos in 3024 dimensions
    other = small(locating=(1, 0))
    other.load_state_dict(system.state_dict())
    assert torch.equal(predict(other, list(batch.images)), scores)


@pytest.mark.parametrize("changes", [{"parts": 0}, {"areas": (1.2,)}, {"areas": ()}, {"photos": 1}])
def test_settings_that_make_no_sense_are_told(changes):
    with pytest.raises(ValueError, match="expected a part or more"):
        small(**changes)


def test_more_parts_than_channels_are_refused():
    with pytest.raises(ValueError, match="no more parts than the 112 channels"):
        small(parts=113)
