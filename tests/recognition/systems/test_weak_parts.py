import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.features.encodings.linear_svm import fit_linear_svm
from rpc.recognition.systems import weak_parts
from rpc.recognition.systems.weak_parts import WeakParts
from rpc.recognition.training.loop import accuracy, learn, predict
from rpc.recognition.training.photo_batches import PhotoBatches
from rpc.recognition.training.schedule import LearningSettings


@pytest.fixture(scope="module")
def fresh():
    torch.manual_seed(0)
    return WeakParts(
        3, 64, view_side=64, windows=(1, 2), values=8, clusters=4, pretrained=False
    ).eval()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_batches_of_any_size_get_scores_and_boxes(fresh, count):
    images = torch.randint(0, 255, (count, 3, 64, 64), dtype=torch.uint8)
    assert fresh(images).shape == (count, 3)
    assert fresh.proposals(images).shape == (count, 4, 4)
    assert len(fresh.look(images)) == count


PATCHES = 255 * np.array(
    [[0.9, 0.1, 0.1], [0.1, 0.1, 0.9], [0.5, 0.5, 0.1], [0.1, 0.5, 0.5], [0.7, 0.7, 0.7]]
)
TELLING = 255 * np.array([[0.1, 0.9, 0.1], [0.9, 0.1, 0.9]])


def photo(seed, label):
    """Clutter of 64 patches of five colours; two patches beside each other have the class's."""
    rng = np.random.default_rng(seed)
    kinds = PATCHES[rng.integers(0, 5, (8, 8))]
    row, column = rng.integers(0, 8), rng.integers(0, 7)
    kinds[row, column : column + 2] = TELLING[label]
    rgb = np.repeat(np.repeat(kinds, 8, axis=0), 8, axis=1) + rng.normal(0, 8, (64, 64, 3))
    return rgb.clip(0, 255).astype(np.uint8), (8 * column, 8 * row, 8 * column + 16, 8 * row + 8)


class ColourBackbone(nn.Module):
    """How near squares of 8 px are to some colours, in place of a network."""

    def __init__(self, name, stages=(-1,), *, pretrained=True):
        super().__init__()
        self.channels, self.strides = (16,) * len(stages), (8,) * len(stages)
        chance = torch.Generator().manual_seed(0)
        self.register_buffer("seen", 2 * torch.randn(16, 3, 1, 1, generator=chance))
        self.register_buffer("bias", 0.5 * torch.randn(16, generator=chance))

    def forward(self, photos):
        colours = F.avg_pool2d(photos.float() / 255 - 0.4, 8)
        return (torch.relu(F.conv2d(colours, self.seen, self.bias)),) * len(self.channels)

    def learnable(self):
        return iter(())


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A system that learned from injected patches; photos that it has not seen, their patches."""
    folder = tmp_path_factory.mktemp("patches")
    sets, places = [], []
    for first, count in ((0, 60), (1000, 40)):
        made = []
        for n in range(first, first + count):
            rgb, box = photo(n, n % 2)
            made.append(LabelledPhoto(write_image(folder / f"{n}.png", rgb), n % 2))
            places.append(box)
        sets.append(PhotoBatches(made, 64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weak_parts, "Backbone", ColourBackbone)
        system = WeakParts(
            2, 64, objects=1, view_side=64, windows=(1,), values=6, clusters=10, cost=10.0,
            kept=0.3, tuned=False,
        )  # fmt: skip
        learn(system, sets[0], LearningSettings(iterations=1), folder / "work")
    return system, sets[0], next(sets[1].plain(batch_size=64)), np.array(places[60:])


def test_clusters_of_the_injected_patches_rank_first(toy):
    system = toy[0]
    first = system.importance.argsort(descending=True)
    assert set(first[:2].tolist()) <= set(system.chosen.tolist())
    assert system.importance[first[1]] > 5 * system.importance[first[2]]
    assert system.importance.max() <= np.log(2) + 1e-6


def test_selected_parts_name_the_class_where_the_pooled_photo_does_not(toy):
    system, data, photos, _ = toy
    assert accuracy(predict(system, list(photos.images)), photos.labels) == 1

    def pooled(batch):
        return F.normalize(system.backbone(batch.images)[0].mean(dim=(2, 3)), dim=1).numpy()

    train = next(data.plain(batch_size=64))
    weights, bias = fit_linear_svm(pooled(train), train.labels.numpy(), 2, cost=system.cost)
    plain = torch.from_numpy(pooled(photos) @ weights.T + bias)
    assert accuracy(plain, photos.labels) < 0.85


def test_the_first_part_shown_is_the_injected_one(toy):
    system, _, batch, places = toy
    looks = system.look(batch.images)
    first = np.stack([look.boxes[0] for look in looks])
    middles = (first[:, :2] + first[:, 2:]) / 2
    held = (middles > places[:, :2] - 2) & (middles < places[:, 2:] + 2)
    assert held.all(axis=1).mean() > 0.95
    assert looks[0].names[0] == "part 1"


def test_what_parts_add_sums_to_the_score(toy):
    system, _, batch, _ = toy
    parts = next(system.describe(batch.images[:1]))
    scores = system(batch.images[:1])[0]
    bias = system.svm_bias[scores.argmax()]
    assert system._added(parts).sum() + float(bias) == pytest.approx(float(scores.max()), abs=1e-4)


def test_parts_lie_where_their_windows_are(toy):
    system = toy[0]
    places = torch.tensor([[-1.0, -1, 1, 1], [0.0, 0, 1, 1]])
    boxes = system._boxes(places, [128])
    assert boxes.shape == (128, 4)
    assert boxes[1].tolist() == [8, 0, 16, 8]
    assert boxes[63].tolist() == [56, 56, 64, 64]
    assert boxes[64].tolist() == [32, 32, 36, 36]


def test_another_system_with_the_same_state_gives_the_same_scores(toy, monkeypatch):
    monkeypatch.setattr(weak_parts, "Backbone", ColourBackbone)
    system, batch = toy[0], toy[2]
    other = WeakParts(2, 64, objects=1, view_side=64, windows=(1,), values=6, clusters=10, kept=0.3)
    other.load_state_dict(system.state_dict())
    assert torch.equal(other.eval()(batch.images), system(batch.images))


def test_it_tunes_first_where_it_is_told_to(fresh, toy, tmp_path):
    names = [phase.name for phase in fresh.phases()]
    assert names == ["backbone", "part clusters", "support vectors"]
    assert [phase.name for phase in toy[0].phases()] == names[1:]
    loss = fresh.phases()[0].loss(
        next(toy[1].plain(batch_size=4)), torch.Generator().manual_seed(0)
    )
    assert set(loss) == {"whole", "window"}
    assert all(torch.isfinite(term) for term in loss.values())


def test_what_cannot_be_clustered_is_told(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(weak_parts, "Backbone", ColourBackbone)
    few = PhotoBatches(toy[1].examples[:2], 64)
    settings = LearningSettings(iterations=1)
    with pytest.raises(DataError, match=r"windows of 1 cells: .* clusters"):
        learn(
            WeakParts(2, 64, values=4, clusters=99, windows=(1,), tuned=False),
            few,
            settings,
            tmp_path,
        )
    with pytest.raises(DataError, match="make view_side larger"):
        WeakParts(2, 64, view_side=32, windows=(1, 9))(toy[2].images)
    with pytest.raises(ValueError, match="kept"):
        WeakParts(2, 64, kept=0.0)


def test_clusters_are_found_on_so_many_photos_drawn_by_chance_and_no_more(toy, monkeypatch):
    monkeypatch.setattr(weak_parts, "Backbone", ColourBackbone)
    monkeypatch.setattr(weak_parts, "_SEEN", 12)
    system = WeakParts(2, 64, objects=1, view_side=64, windows=(1,), values=4, clusters=3)
    seen = []

    def proposals(images):
        seen.extend(images)
        return WeakParts.proposals(system, images)

    monkeypatch.setattr(system, "proposals", proposals)
    system._fit_clusters(toy[1].passes(seed=0, phase=0))
    every = torch.cat([batch.images for batch in toy[1].plain()])
    rows = [int((every == image).flatten(1).all(dim=1).nonzero()[0]) for image in seen]
    assert len(set(rows)) == 12
    assert rows != list(range(12))
