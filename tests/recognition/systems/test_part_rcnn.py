import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.features.parts import part_detector
from rpc.features.parts.part_geometry import Candidates
from rpc.metrics.parts import part_rates
from rpc.recognition.systems import part_rcnn
from rpc.recognition.systems.part_rcnn import PartRcnn
from rpc.recognition.systems.registry import SystemSettings
from rpc.recognition.training.loop import LAST, accuracy, learn, predict
from rpc.recognition.training.model_file import read_model, write_model
from rpc.recognition.training.photo_batches import Augmentation, PhotoBatches
from rpc.recognition.training.schedule import LearningSettings
from rpc.structures.boxes import box_iou

GROUPS = {"head": (0, 1), "body": (2, 3)}


def small(**changes):
    torch.manual_seed(0)
    return PartRcnn(2, 64, groups=GROUPS, view_side=32, pretrained=False, **changes).eval()


@pytest.fixture(scope="module")
def fresh():
    return small()


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("geometry", ["none", "box", "mixture", "neighbours"])
def test_batches_of_any_size_get_scores_and_boxes(fresh, count, geometry):
    fresh.geometry = geometry
    images = torch.randint(0, 255, (count, 3, 64, 64), dtype=torch.uint8)
    assert fresh(images).shape == (count, 2)
    assert fresh.find(images).shape == (count, 3, 4)
    looks = fresh.look(images)
    assert len(looks) == count
    for look in looks:
        assert look.names[0] == "object"
        assert look.boxes.shape == (len(look.names), 4)


def test_a_file_from_before_parts_had_a_threshold_is_read_as_it_was_written(tmp_path):
    old = small(recall=None)
    assert "least" not in old.state_dict()
    options = {"groups": GROUPS, "view_side": 32}  # as given: nothing was known of `recall`
    settings = SystemSettings("part_rcnn", 64, options)
    path = write_model(tmp_path / "old.pth", old, settings, ["a", "b"], {})
    again = read_model(path).build()
    assert again.recall is None
    images = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    assert torch.equal(again(images), old(images))


def photo(seed, label, side=96):
    """A thing whose head tells the class; badge and clutter make up for the amount of colour."""
    rng = np.random.default_rng(seed)
    colours = np.array([[60, 220, 40], [230, 60, 40]])
    rgb = rng.integers(90, 110, (side, side, 3))
    x, y = rng.integers(4, side - 44, 2)
    others = rng.permutation(np.arange(4) < rng.integers(2, 4) - label).astype(int)
    clutter = []
    while len(clutter) < 3:
        a, b = rng.integers(0, side - 20, 2)
        near = [(x + 6, y + 10), *clutter]
        if all(abs(a - c) > 26 or abs(b - d) > 32 for c, d in near):
            clutter.append((a, b))
            rgb[b : b + 20, a : a + 20] = colours[others[len(clutter)]]
    rgb[y : y + 40, x : x + 32] = [40, 40, 200]
    rgb[y + 2 : y + 22, x + 6 : x + 26] = colours[label]
    rgb[y + 24 : y + 38, x + 2 : x + 30] = colours[others[0]]
    points = [(9, 5), (23, 19), (4, 26), (28, 36)]  # corners of the head, then of the body
    places = tuple((float(x + a), float(y + b), 1.0) for a, b in points)
    return rgb.astype(np.uint8), (x, y, x + 32, y + 40), places


def injected(folder, first, count):
    made = []
    for n in range(count):
        rgb, box, points = photo(first + n, n % 2)
        path = write_image(folder / f"{first + n}.png", rgb)
        made.append(LabelledPhoto(path, n % 2, box=tuple(map(float, box)), points=points))
    return made


class ColourBackbone(nn.Module):
    """Colours of squares of 8 px, in place of a network."""

    def __init__(self, name, stages=(-1,), *, pretrained=True):
        super().__init__()
        self.channels, self.strides = (8,) * len(stages), (8, 16)[: len(stages)]
        mixing = torch.randn(8, 3, 1, 1, generator=torch.Generator().manual_seed(0))
        self.register_buffer("mixing", 3 * mixing)

    def forward(self, photos):
        colours = F.avg_pool2d(photos.float() / 255 - 0.4, 8)
        maps = torch.relu(F.conv2d(colours, self.mixing))
        return tuple(maps if stride == 8 else F.avg_pool2d(maps, 2) for stride in self.strides)

    def learnable(self):
        return iter(())


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Training photos with injected heads, and a batch that training does not see."""
    folder = tmp_path_factory.mktemp("injected")
    data = PhotoBatches(injected(folder, 0, 60), 96, Augmentation(least_area=1.0, light=0.02))
    return data, next(PhotoBatches(injected(folder, 1000, 40), 96).plain(batch_size=64))


@pytest.fixture
def colours(monkeypatch):
    """A system that sees colours alone."""
    monkeypatch.setattr(part_detector, "Backbone", ColourBackbone)
    monkeypatch.setattr(part_rcnn, "Backbone", ColourBackbone)
    torch.manual_seed(0)
    return PartRcnn(2, 96, groups=GROUPS, view_side=32, stages=(3,), cost=10.0).eval()


def scripted(system, photos, monkeypatch):
    """Candidates: the object, its true parts, and surer heads: one outside, one on the body."""
    found = []
    for whole, head, body in system.true_boxes(photos).double().numpy():
        away = 0.0 if whole[0] > 48 else 70.0
        outside = np.array([away, 30.0, away + 20, 50.0])
        heads = Candidates(np.stack([outside, body, head]), np.array([0.9, 0.8, 0.6]))
        found.append(
            (Candidates(whole[None], np.ones(1)), heads, Candidates(body[None], np.ones(1)))
        )
    monkeypatch.setattr(system.detector, "candidates", lambda maps: found[: len(maps)])


@pytest.mark.parametrize(
    ("geometry", "chosen"), [("none", 0), ("box", 1), ("mixture", 2), ("neighbours", 2)]
)
def test_geometry_finds_the_injected_head_among_surer_candidates(
    toy, colours, monkeypatch, geometry, chosen
):
    (data, batch), system = toy, colours
    for fit in (system._fit_layouts, system._fit_looks):
        fit(data.passes(0, 0))
    system.geometry = geometry
    scripted(system, batch, monkeypatch)
    true = system.true_boxes(batch)
    found = system.find(batch.images)
    assert torch.allclose(found[:, [0, 2]], true[:, [0, 2]], atol=1e-3)
    assert torch.isclose(found[:, 1], true[:, 1], atol=1e-3).all() == (chosen == 2)
    assert torch.isclose(found[:, 1], true[:, 2], atol=1e-3).all() == (chosen == 1)
    rates = part_rates(system.found_parts(batch.images), system.true_parts(batch))
    assert rates.rates.tolist() == [float(chosen == 2), 1]


def test_the_right_parts_name_the_class_and_wrong_ones_do_not(toy, colours, monkeypatch):
    (data, batch), system = toy, colours
    for fit in (system._fit_layouts, system._fit_looks, system._fit_svm):
        fit(data.passes(0, 0))
    scripted(system, batch, monkeypatch)
    rate = {}
    for system.geometry in ("none", "box", "mixture", "neighbours"):
        rate[system.geometry] = accuracy(system(batch.images), batch.labels)
    true = system.describe(batch.images, system.true_boxes(batch))
    oracle = accuracy(F.linear(true, system.svm_weights, system.svm_bias), batch.labels)
    assert oracle == rate["mixture"] == rate["neighbours"] == 1
    assert max(rate["none"], rate["box"]) < 0.8


def hidden_heads(folder, first, count):
    """Photos whose class is the head's colour, or, where the head is out of sight, the body's."""
    made = []
    for example in injected(folder, first, count):
        rgb, points = photo(first + len(made), example.label)[0], example.points
        if len(made) % 4 >= 2:  # of both classes
            x, y = (int(n) for n in example.box[:2])
            rgb[y + 2 : y + 22, x + 6 : x + 26] = [40, 40, 200]
            rgb[y + 24 : y + 38, x + 2 : x + 30] = [[60, 220, 40], [230, 60, 40]][example.label]
            points = (*((a, b, 0.0) for a, b, _ in points[:2]), *points[2:])
        path = write_image(folder / f"hidden{first + len(made)}.png", rgb)
        made.append(LabelledPhoto(path, example.label, box=example.box, points=points))
    return made


def unsure_heads(system, photos, monkeypatch):
    """A right head is sure; where there is none, a corner of the other colour looks like one."""
    found = {}
    for image, label, (whole, head, body) in zip(
        photos.images, photos.labels, system.true_boxes(photos).double().numpy(), strict=True
    ):
        score = 0.8 if np.isfinite(head).all() else 0.1
        own = np.nan_to_num(head)
        if score == 0.1:  # inside the object: no geometry speaks against it
            x, y = whole[:2]
            own = np.array([x + 6, y + 2, x + 26, y + 22])
            image[:, int(y) + 2 : int(y) + 22, int(x) + 6 : int(x) + 26] = torch.tensor(
                [[230, 60, 40], [60, 220, 40]][int(label)], dtype=torch.uint8
            )[:, None, None]
        heads = Candidates(own[None], np.array([score]))
        one = (Candidates(whole[None], np.ones(1)), heads, Candidates(body[None], np.ones(1)))
        found[image.numpy().tobytes()] = one
    monkeypatch.setattr(
        system.detector, "maps", lambda images: setattr(system, "seen", images) or images.float()
    )
    monkeypatch.setattr(
        system.detector,
        "candidates",
        lambda maps: [found[image.numpy().tobytes()] for image in system.seen],
    )


@pytest.mark.parametrize("recall", [0.95, None])
def test_a_hidden_part_is_left_out_by_its_cost_and_misleads_without_it(
    tmp_path, monkeypatch, recall
):
    monkeypatch.setattr(part_detector, "Backbone", ColourBackbone)
    monkeypatch.setattr(part_rcnn, "Backbone", ColourBackbone)
    torch.manual_seed(0)
    settings = {"groups": GROUPS, "view_side": 32, "stages": (3,), "cost": 10.0}
    system = PartRcnn(2, 96, geometry="box", recall=recall, **settings).eval()
    data = PhotoBatches(hidden_heads(tmp_path, 0, 48), 96)
    system._fit_layouts(data.passes(0, 0))
    system._fit_svm(data.passes(0, 0))
    learned = next(PhotoBatches(data.examples, 96).plain(batch_size=64))
    unsure_heads(system, learned, monkeypatch)
    one = Batches([learned])
    system._fit_least(one)
    if recall is not None:
        assert 0.79 < float(system.least[0]) < 0.8
    batch = next(PhotoBatches(hidden_heads(tmp_path, 1000, 40), 96).plain(batch_size=64))
    hidden = ~torch.isfinite(system.true_boxes(batch)[:, 1]).all(dim=1)
    unsure_heads(system, batch, monkeypatch)
    found = torch.isfinite(system.find(batch.images)[:, 1]).all(dim=1)
    share = accuracy(system(batch.images), batch.labels)
    if recall is None:
        assert found.all()  # a box is forced on every photo
        assert share <= 0.8
    else:
        assert torch.equal(found, ~hidden)
        assert share >= 0.95


class Batches:
    """Passes over batches that were changed by hand."""

    mirrored = False

    def __init__(self, batches):
        self.batches = batches

    def once(self):
        return iter(self.batches)


def test_a_part_that_is_not_found_gives_zeros_and_is_not_shown(toy, colours, monkeypatch):
    batch, system = toy[1], colours
    boxes = system.true_boxes(batch)
    vectors = system.describe(batch.images, boxes)
    boxes[0, 1] = torch.nan
    fewer = system.describe(batch.images, boxes)
    assert (fewer[0, system.width : 2 * system.width] == 0).all()
    vectors[0, system.width : 2 * system.width] = 0
    assert torch.equal(fewer, vectors)
    monkeypatch.setattr(system, "find", lambda images: boxes[: len(images)])
    first, second = system.look(batch.images[:2])
    assert first.names == ("object", "body")
    assert second.names == ("object", "head", "body")
    assert np.allclose(second.boxes, boxes[1])


def test_another_system_with_the_same_state_gives_the_same_scores(toy, colours):
    (data, batch), system = toy, colours
    for fit in (system._fit_layouts, system._fit_looks, system._fit_svm):
        fit(data.passes(0, 0))
    other = PartRcnn(2, 96, groups=GROUPS, view_side=32, stages=(3,)).eval()
    other.load_state_dict(system.state_dict())
    assert torch.equal(other.find(batch.images), system.find(batch.images))
    assert torch.equal(other(batch.images), system(batch.images))


@pytest.mark.slow
def test_detectors_learn_the_injected_parts_and_parts_beat_the_whole_photo(toy, colours, tmp_path):
    (data, photos), system = toy, colours
    learn(system, data, LearningSettings(iterations=320, batch_size=8), tmp_path)
    true = system.true_boxes(photos)
    found = accuracy(predict(system, list(photos.images)), photos.labels)
    scores = F.linear(system.describe(photos.images, true), system.svm_weights, system.svm_bias)
    assert 0.95 <= found <= accuracy(scores, photos.labels)
    pairs = zip(system.find(photos.images).numpy(), true.numpy(), strict=True)
    overlaps = np.array([np.diag(box_iou(np.nan_to_num(a), b)) for a, b in pairs])
    assert (overlaps > 0.5).mean() > 0.9
    whole = torch.full_like(true, torch.nan)
    whole[:, 0] = torch.tensor([0.0, 0, 96, 96])
    system.true_boxes = lambda batch: whole[:1].expand(len(batch), -1, -1)
    system._fit_svm(data.passes(0, 0))
    plain = F.linear(system.describe(photos.images, whole), system.svm_weights, system.svm_bias)
    assert accuracy(plain, photos.labels) < 0.85


def test_photos_without_key_points_are_refused_in_one_line(toy, tmp_path):
    bare = [LabelledPhoto(e.path, e.label, box=e.box) for e in toy[0].examples]
    with pytest.raises(DataError, match="have no key points") as error:
        learn(small(), PhotoBatches(bare, 64), LearningSettings(iterations=2), tmp_path)
    assert "\n" not in str(error.value)
    assert not (tmp_path / LAST).exists()
    assert PartRcnn.needs == ("points",)


def test_photos_with_too_few_key_points_are_refused_in_one_line(toy, tmp_path):
    few = [LabelledPhoto(e.path, e.label, box=e.box, points=e.points[:2]) for e in toy[0].examples]
    with pytest.raises(DataError, match=r"have 2 key points; its parts \(head, body\)") as error:
        learn(small(), PhotoBatches(few, 64), LearningSettings(iterations=2), tmp_path)
    assert "\n" not in str(error.value)


def test_a_part_that_is_never_in_sight_is_refused(toy, tmp_path):
    hidden = [
        LabelledPhoto(e.path, e.label, points=(*e.points[:2], (0.0, 0, 0), (0.0, 0, 0)))
        for e in toy[0].examples
    ]
    with pytest.raises(DataError, match="part 'body' is in sight on any"):
        learn(small(), PhotoBatches(hidden, 64), LearningSettings(iterations=2), tmp_path)
