import time
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.recognition.systems.baseline import Baseline
from rpc.recognition.systems.system import FitPhase, GradientPhase, ParameterGroup, System
from rpc.recognition.training.loop import LAST, accuracy, learn, predict
from rpc.recognition.training.photo_batches import PhotoBatches
from rpc.recognition.training.schedule import LearningSettings, rate


class Two(System):
    """A linear layer on mean colours, learned in two phases with a fit between them."""

    def __init__(self, poison=None):
        super().__init__(2, 32)
        self.first, self.head = nn.Linear(3, 4), nn.Linear(4, 2)
        self.register_buffer("middle", torch.zeros(3))
        self.poison, self.calls = poison, 0

    def forward(self, images):
        colours = images.float().mean(dim=(2, 3)) / 255 - self.middle
        return self.head(torch.tanh(self.first(colours)))

    def phases(self):
        return (
            GradientPhase("first", (ParameterGroup(list(self.first.parameters())),), self._loss, 1),
            FitPhase("middle", self._fit),
            GradientPhase(
                "head", (ParameterGroup(list(self.head.parameters()), 3.0),), self._loss, 3
            ),
        )

    def _fit(self, passes):
        colours = torch.cat([batch.images.float().mean(dim=(2, 3)) for batch in passes.once()])
        self.middle.copy_(colours.mean(dim=0) / 255)

    def _loss(self, batch, chance):
        self.calls += 1
        loss = nn.functional.cross_entropy(self(batch.images), batch.labels)
        return {"class": loss * (np.nan if self.calls == self.poison else 1.0)}


@pytest.fixture(scope="module")
def colours(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colours")
    rng = np.random.default_rng(0)
    made = []
    for n in range(24):
        rgb = rng.integers(0, 60, (40, 40, 3)).astype(np.uint8)
        rgb[..., n % 2] += 150
        made.append(LabelledPhoto(write_image(folder / f"{n}.png", rgb), n % 2))
    return made


def trained(colours, out, stop_after=None, **changes):
    torch.manual_seed(0)
    system = Two()
    seen = []

    def stop():
        seen.append(1)
        return stop_after is not None and len(seen) == stop_after

    settings = LearningSettings(iterations=40, lr=0.05, **changes)
    try:
        facts = learn(system, PhotoBatches(colours, 32), settings, out, resume=True, stop=stop)
    except KeyboardInterrupt:
        return None
    return system, facts


def test_phases_share_the_budget_and_only_their_groups_learn(colours, tmp_path):
    torch.manual_seed(0)
    before = Two().state_dict()
    system, facts = trained(colours, tmp_path)
    assert facts.batches == 40
    assert list(facts.seconds) == ["1 first", "2 middle", "3 head"]
    assert system.calls == 40
    assert not torch.equal(system.first.weight, before["first.weight"])
    assert 0.2 < float(system.middle[0]) < 0.6
    images = next(iter(PhotoBatches(colours, 32).plain()))
    assert accuracy(predict(system, list(images.images)), images.labels) == 1.0


@pytest.mark.parametrize("stop_after", [3, 10, 11, 25])
def test_stopped_and_resumed_gives_the_same_weights(colours, tmp_path, stop_after):
    whole, _ = trained(colours, tmp_path / "whole")
    assert trained(colours, tmp_path / "parts", stop_after) is None
    system, facts = trained(colours, tmp_path / "parts")
    assert facts.batches == 40
    for name, value in whole.state_dict().items():
        assert torch.equal(value, system.state_dict()[name]), name


def test_a_training_is_not_overwritten_without_being_asked(colours, tmp_path):
    trained(colours, tmp_path)
    settings = LearningSettings(iterations=40, lr=0.05)
    with pytest.raises(DataError, match="--resume goes on"):
        learn(Two(), PhotoBatches(colours, 32), settings, tmp_path)


def test_another_training_is_not_gone_on_with(colours, tmp_path):
    trained(colours, tmp_path)
    with pytest.raises(DataError, match=r"other settings \(seed: 0 then, 5 now\)"):
        trained(colours, tmp_path, seed=5)


def test_the_checkpoint_of_another_system_is_one_line(colours, tmp_path):
    trained(colours, tmp_path)
    other = Baseline(2, 32, pretrained=False)
    settings = LearningSettings(iterations=40, lr=0.05)
    with pytest.raises(DataError, match=r"other settings \(system: "):
        learn(other, PhotoBatches(colours, 32), settings, tmp_path, resume=True)


def test_a_loss_that_is_no_number_stops_with_the_last_good_state(colours, tmp_path):
    torch.manual_seed(0)
    settings = LearningSettings(iterations=40, lr=0.05)
    with pytest.raises(DataError, match="loss became nan in phase 'first' at batch 5"):
        learn(Two(poison=6), PhotoBatches(colours, 32), settings, tmp_path)
    whole, _ = trained(colours, tmp_path / "whole")
    system, _ = trained(colours, tmp_path)  # goes on from batch 5
    assert torch.equal(whole.head.weight, system.head.weight)


def test_a_fit_that_is_broken_off_leaves_the_state_before_it(colours, tmp_path):
    @contextmanager
    def broken_off():
        yield
        raise KeyboardInterrupt  # as a signal would, when the fit has changed something

    torch.manual_seed(0)
    settings = LearningSettings(iterations=40, lr=0.05)
    with pytest.raises(KeyboardInterrupt):
        learn(Two(), PhotoBatches(colours, 32), settings, tmp_path, at_once=broken_off)
    whole, _ = trained(colours, tmp_path / "whole")
    system, _ = trained(colours, tmp_path)
    assert torch.equal(whole.head.weight, system.head.weight)


def test_a_training_that_never_began_leaves_nothing(colours, tmp_path):
    gone = [replace(example, path=tmp_path / "gone.png") for example in colours]
    with pytest.raises(DataError, match=r"gone\.png"):
        learn(Two(), PhotoBatches(gone, 32), LearningSettings(iterations=4), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("share", [0.0, -1.0, float("nan")])
def test_a_phase_without_a_share_of_the_budget_is_told(share):
    with pytest.raises(ValueError, match="phase 'layer': expected a share of the budget above 0"):
        GradientPhase("layer", (), lambda batch, chance: {}, share)


def test_channels_of_one_value_in_a_batch_are_told(colours, tmp_path):
    class Normalised(Two):
        def __init__(self):
            super().__init__()
            self.normalise = nn.BatchNorm1d(4)

        def forward(self, images):
            colours = images.float().mean(dim=(2, 3)) / 255 - self.middle
            return self.head(self.normalise(self.first(colours)))

        def phases(self):
            every = ParameterGroup(list(self.parameters()))
            return (GradientPhase("all", (every,), self._loss, 1),)

    settings = LearningSettings(iterations=2, batch_size=1)
    with pytest.raises(DataError, match=r"batches of 1 .* larger training\.batch_size or side"):
        learn(Normalised(), PhotoBatches(colours, 32), settings, tmp_path)


def test_a_damaged_resume_point_is_one_line(colours, tmp_path):
    (tmp_path / LAST).write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"recognition_last\.pth: not a checkpoint"):
        trained(colours, tmp_path)


def test_a_budget_in_processor_time_is_kept(colours, tmp_path):
    torch.manual_seed(0)
    settings = LearningSettings(cpu_minutes=0.4 / 60, lr=0.05)
    facts = learn(Two(), PhotoBatches(colours, 32), settings, tmp_path)
    assert 0.3 < facts.cpu_seconds < 3
    assert facts.batches > 2


def test_a_budget_in_wall_time_counts_time_asleep_too(colours, tmp_path):
    class Sleeps(Two):
        def _loss(self, batch, chance):
            time.sleep(0.05)
            return super()._loss(batch, chance)

    settings = LearningSettings(minutes=0.6 / 60, lr=0.05)
    facts = learn(Sleeps(), PhotoBatches(colours, 32), settings, tmp_path)
    assert 2 < facts.batches <= 13
    assert 0.6 <= sum(facts.seconds[name] for name in ("1 first", "3 head")) < 3


class Averaged(Two):
    """Two, whose last phase ends with the mean of its weights."""

    def phases(self):
        first, fit, head = super().phases()
        return first, fit, replace(head, average=0.9)


@pytest.mark.parametrize("stop_after", [10, 25, 39])
def test_a_mean_of_the_weights_survives_an_interruption(colours, tmp_path, stop_after):
    settings = LearningSettings(iterations=40, lr=0.05)
    torch.manual_seed(0)
    whole, seen = Averaged(), []
    learn(whole, PhotoBatches(colours, 32), settings, tmp_path / "whole")
    plain, _ = trained(colours, tmp_path / "plain")
    assert torch.equal(whole.first.weight, plain.first.weight)
    assert not torch.allclose(whole.head.weight, plain.head.weight)

    def stop():
        seen.append(1)
        return len(seen) == stop_after

    torch.manual_seed(0)
    parts = Averaged()
    with pytest.raises(KeyboardInterrupt):
        learn(parts, PhotoBatches(colours, 32), settings, tmp_path / "parts", stop=stop)
    parts = Averaged()
    learn(parts, PhotoBatches(colours, 32), settings, tmp_path / "parts", resume=True)
    assert torch.equal(parts.head.weight, whole.head.weight)


def test_a_check_sees_the_mean_and_the_training_goes_on_without_it(colours, tmp_path):
    settings = LearningSettings(iterations=40, lr=0.05)
    torch.manual_seed(0)
    whole = Averaged()
    learn(whole, PhotoBatches(colours, 32), settings, tmp_path / "whole")
    torch.manual_seed(0)
    system, seen = Averaged(), []

    def check():
        seen.append(system.head.weight.detach().clone())

    learn(system, PhotoBatches(colours, 32), settings, tmp_path / "checked", check=check)
    assert torch.equal(system.head.weight, whole.head.weight)
    torch.manual_seed(0)
    plain, own = Two(), []

    def look():
        own.append(plain.head.weight.detach().clone())

    learn(plain, PhotoBatches(colours, 32), settings, tmp_path / "plain", check=look)
    assert not any(torch.allclose(mean, last) for mean, last in zip(seen, own, strict=True))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"iterations": 3, "cpu_minutes": 1},
        {"minutes": 3, "cpu_minutes": 1},
        {"iterations": 0},
        {"cpu_minutes": np.inf},
        {"minutes": np.nan},
    ],
)
def test_a_budget_that_is_none_is_told(wrong):
    with pytest.raises(ValueError, match="expected"):
        LearningSettings(**wrong)


@pytest.mark.parametrize("warm_up", [0.04, 0.05, 0.3])
def test_the_rate_warms_up_and_falls(warm_up):
    rates = [rate(done, warm_up) for done in np.linspace(0, 1, 101)]
    top = round(100 * warm_up)
    assert rates[0] == pytest.approx(0.05)
    assert max(rates) == pytest.approx(1.0) == pytest.approx(rates[top])
    assert rates[-1] == pytest.approx(0.01)
    assert all(b >= a for a, b in pairwise(rates[: top + 1]))
    assert all(b <= a for a, b in pairwise(rates[top:]))


def test_no_photo_has_no_scores():
    assert predict(Two(), []).shape == (0, 2)
    assert np.isnan(accuracy(torch.zeros(0, 2), torch.zeros(0, dtype=torch.long)))


@pytest.mark.parametrize("head", ["linear", "cosine", "margin"])
def test_the_baseline_learns_two_colours(colours, tmp_path, head):
    torch.manual_seed(0)
    system = Baseline(2, 32, head=head)
    settings = LearningSettings(iterations=12, batch_size=8, lr=5e-3)
    learn(system, PhotoBatches(colours, 32), settings, tmp_path)
    images = next(iter(PhotoBatches(colours, 32).plain()))
    assert accuracy(predict(system, list(images.images)), images.labels) > 0.9
    assert predict(system, list(images.images[:1])).shape == (1, 2)
    if head != "linear":
        assert float(predict(system, list(images.images)).abs().max()) <= system.scale + 1e-4


def test_the_margin_is_taken_from_the_true_class_in_learning_alone(colours):
    torch.manual_seed(0)
    system = Baseline(2, 32, head="margin", dropout=0.0, smoothing=0.0, pretrained=False).eval()
    batch = next(iter(PhotoBatches(colours, 32).plain()))
    scores = system(batch.images)
    lowered = scores - 16 * 0.2 * nn.functional.one_hot(batch.labels, 2)
    wanted = nn.functional.cross_entropy(lowered, batch.labels)
    found = system._loss(batch, torch.Generator())["class"]
    assert float(found.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)


def test_a_check_sees_the_last_phase_and_changes_nothing(colours, tmp_path):
    whole, _ = trained(colours, tmp_path / "whole")
    torch.manual_seed(0)
    system, seen = Two(), []

    def check():
        seen.append(system.calls)
        predict(system, [torch.zeros(3, 32, 32)])

    settings = LearningSettings(iterations=40, lr=0.05)
    learn(system, PhotoBatches(colours, 32), settings, tmp_path / "checked", check=check)
    assert seen == [16, 22, 28, 34]  # of 40 batches, the first 10 are another phase's
    assert torch.equal(system.head.weight, whole.head.weight)


def test_a_groups_multiplier_is_that_of_its_learning_rate(colours, tmp_path, monkeypatch):
    rates = []
    step = torch.optim.AdamW.step

    def spy(self, *args, **kwargs):
        rates.append([group["lr"] for group in self.param_groups])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", spy)

    class Slow(Two):
        def phases(self):
            groups = (
                ParameterGroup(list(self.head.parameters())),
                ParameterGroup(list(self.first.parameters()), 1e-4),
            )
            return (GradientPhase("all", groups, self._loss),)

    settings = LearningSettings(iterations=20, lr=0.05)
    learn(Slow(), PhotoBatches(colours, 32), settings, tmp_path)
    assert len(rates) == 20
    for done, (head, first) in enumerate(rates):
        assert head == pytest.approx(0.05 * rate(done / 20))
        assert first == pytest.approx(1e-4 * head)


class Rests(Two):
    """Two, with a network beside it that counts batches and rests in the second phase."""

    def __init__(self):
        super().__init__()
        self.beside = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.5))
        self.dropout, self.modes = nn.Dropout(0.1), []

    def phases(self):
        first = ParameterGroup([*self.first.parameters(), *self.beside.parameters()])
        return (
            GradientPhase("first", (first,), self._beside_loss, 1),
            GradientPhase(
                "head", (ParameterGroup(list(self.head.parameters())),), self._beside_loss, 1
            ),
        )

    def _beside_loss(self, batch, chance):
        self.modes.append((self.beside[1].training, self.beside[2].training, self.dropout.training))
        more = self.beside(batch.images.float()).mean()
        return {**self._loss(batch, chance), "more": 0.001 * more}


def test_a_network_that_rests_counts_no_batches(colours, tmp_path):
    system = Rests()
    learn(system, PhotoBatches(colours, 32), LearningSettings(iterations=10), tmp_path)
    assert system.modes[:5] == [(True, True, True)] * 5
    assert system.modes[5:] == [(False, False, True)] * 5
    assert int(system.beside[1].num_batches_tracked) == 5


def test_a_system_learns_in_half_precision_too(colours, tmp_path):
    torch.manual_seed(0)
    system = Baseline(2, 32, backbone="test_resnet", stages=(2, 3), pretrained=False)
    settings = LearningSettings(iterations=25, batch_size=6, lr=0.01, bfloat16=True)
    learn(system, PhotoBatches(colours, 32), settings, tmp_path)
    images = next(iter(PhotoBatches(colours, 32).plain()))
    assert accuracy(predict(system, list(images.images)), images.labels) > 0.8


def test_other_boxes_or_points_are_other_data(colours):
    known = PhotoBatches(colours, 32).fingerprint
    for change in ({"box": (1, 2, 3, 4)}, {"points": ((1, 2, 1),)}):
        moved = [replace(example, **change) for example in colours]
        assert PhotoBatches(moved, 32).fingerprint != known
