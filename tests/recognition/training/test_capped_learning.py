"""A cap on the time of a training by batches: it decides nothing, or cuts the batches in time."""

import pytest
import torch
from torch import nn

from rpc.recognition.systems.system import Batch, GradientPhase, ParameterGroup, System
from rpc.recognition.training.loop import learn
from rpc.recognition.training.schedule import Clock, LearningSettings


class Line(System):
    """One linear layer on mean colours, learned in two phases."""

    def __init__(self):
        super().__init__(2, 32)
        torch.manual_seed(0)
        self.layer = nn.Linear(3, 2)

    def forward(self, images):
        return self.layer(images.float().mean(dim=(2, 3)) / 255)

    def phases(self):
        groups = (ParameterGroup(list(self.layer.parameters())),)
        return tuple(GradientPhase(name, groups, self._loss, 1) for name in ("first", "second"))

    def _loss(self, batch, chance):
        return {"class": nn.functional.cross_entropy(self(batch.images), batch.labels)}


class Noise:
    """Random pictures; see `BatchSource`."""

    fingerprint = "noise"

    def batch(self, settings, phase, step):
        chance = torch.Generator().manual_seed(1000 * phase + step)
        images = torch.randint(0, 256, (4, 3, 32, 32), generator=chance, dtype=torch.uint8)
        boxes = torch.tensor([[0.0, 0, 32, 32]]).repeat(4, 1)
        return Batch(images, torch.arange(4) % 2, boxes, torch.zeros(4, 0, 3))


class Slow(Clock):
    """A clock that tells so many seconds more at every reading."""

    more = 0.0

    def read(self):
        used, spent = super().read()
        return used, spent + self.more


@pytest.fixture
def learned(tmp_path, monkeypatch):
    """Learn where every batch takes so many seconds more: system, facts, what was shown."""

    def run(more, *, name="run", **settings):
        monkeypatch.setattr(Slow, "more", more)
        monkeypatch.setattr("rpc.recognition.training.loop.Clock", Slow)
        system, shown = Line(), []
        asked = LearningSettings(lr=0.05, **settings)
        facts = learn(
            system, Noise(), asked, tmp_path / name, progress=lambda *told: shown.append(told)
        )
        return system, facts, shown

    return run


def test_a_busy_machine_gives_the_same_weights(learned):
    asked = {"iterations": 40, "cap_minutes": 60.0}
    quiet, _, _ = learned(0.0, name="quiet", **asked)
    busy, facts, _ = learned(80.0, name="busy", **asked)
    assert (facts.batches, facts.asked) == (40, 40)
    assert sum(facts.seconds.values()) > 3000
    assert torch.equal(quiet.layer.weight, busy.layer.weight)


def test_a_cap_that_cuts_ends_each_phase_at_its_share_and_is_told(learned):
    _, facts, shown = learned(1.0, iterations=4000, cap_minutes=80 / 60)
    assert 70 <= facts.batches <= 81
    assert facts.asked == 4000
    assert all(35 <= seconds <= 41 for seconds in facts.seconds.values())
    assert shown[-1][0] == 1
    assert "do not fit the cap" in shown[-1][1]


@pytest.mark.parametrize("wrong", [{"cap_minutes": 1.0}, {"iterations": 2, "cap_minutes": 0.0}])
def test_a_cap_on_nothing_or_of_nothing_is_told(wrong):
    with pytest.raises(ValueError, match="expected"):
        LearningSettings(**wrong)
