"""A translation's training: it learns, and a stop at any moment leaves no trace in the weights."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from rpc.data import DataError
from rpc.runs.tensor_files import read_tensors
from synth.render.training import trainee as trainee_module
from synth.render.training.crops import UnpairedCrops
from synth.render.training.resume import NAME
from synth.render.training.trainee import Trainee
from synth.render.training.translation import rate, train_translation
from tests.synth.render.tiny_translation import CUT, tiny_settings

CYCLE = tiny_settings()
CONTRAST = tiny_settings(objective={**CUT, "flip": True}, training={"ema": 0.9})


def learn(pictures, out, settings=CYCLE, **options):
    return train_translation(*pictures, out, settings, **options)


def state_of(out):
    state = read_tensors(out / NAME)["state"]
    state.pop("used")  # seconds
    return state


def leaves(value, name=""):
    if isinstance(value, dict):
        return {
            k: v for key, part in value.items() for k, v in leaves(part, f"{name}/{key}").items()
        }
    if isinstance(value, list | tuple):
        return {
            k: v for key, part in enumerate(value) for k, v in leaves(part, f"{name}/{key}").items()
        }
    return {name: value}


def same_state(one, two):
    one, two = leaves(one), leaves(two)
    assert set(one) == set(two)
    return all(
        torch.equal(a, two[name]) if isinstance(a, torch.Tensor) else a == two[name]
        for name, a in one.items()
    )


class Stop(Exception):
    """What breaks off a training in a test."""


def break_at(monkeypatch, number, owner, name):
    """The call `number` of a method, from 1, breaks off before it has done anything."""
    whole, calls = getattr(owner, name), []

    def method(*args, **options):
        calls.append(1)
        if len(calls) == number:
            raise Stop
        return whole(*args, **options)

    monkeypatch.setattr(owner, name, method)


@pytest.mark.parametrize("settings", [CYCLE, CONTRAST], ids=["cyclegan", "contrastive"])
@pytest.mark.parametrize(
    ("place", "number"),
    [
        ((trainee_module.Discriminators, "generator_loss"), 5),  # in the middle of a forward pass
        ((trainee_module.ImagePool, "swap"), 4),
        ((torch.optim.Adam, "step"), 8),  # the generators have stepped, the discriminators have not
        ((Trainee, "state"), 3),  # while saving
    ],
    ids=["forward", "pool", "step", "saving"],
)
def test_a_training_killed_anywhere_ends_with_the_same_bits(
    settings, place, number, pictures, tmp_path, monkeypatch
):
    settings = replace(settings, training=replace(settings.training, save_every=0.0))
    whole, _ = learn(pictures, tmp_path / "whole", settings)
    with monkeypatch.context() as broken:
        break_at(broken, number, *place)
        with pytest.raises(Stop):
            learn(pictures, tmp_path / "parts", settings)
    assert 0 < state_of(tmp_path / "parts")["iteration"] < 6
    again, iterations = learn(pictures, tmp_path / "parts", settings, resume=True)
    assert iterations == 6
    assert same_state(whole.state_dict(), again.state_dict())
    ours, theirs = (state_of(tmp_path / name) for name in ("whole", "parts"))
    assert all(pool is not None for pool in ours["pools"][0].values())
    assert same_state(ours, theirs)


def test_more_iterations_later_are_as_if_planned_while_the_rate_is_flat(pictures, tmp_path):
    flat = {"flat_until": 0.99}
    learn(pictures, tmp_path / "a", tiny_settings(training={**flat, "iterations": 3}))
    six = tiny_settings(training={**flat, "iterations": 6})
    longer, _ = learn(pictures, tmp_path / "a", six, resume=True)
    once, _ = learn(pictures, tmp_path / "b", six)
    assert same_state(longer.state_dict(), once.state_dict())


def test_a_stop_that_is_asked_for_keeps_the_state_and_the_picture_of_samples(pictures, tmp_path):
    asked = iter([False, False, True])
    settings = tiny_settings(training={"sample_every": 2})
    with pytest.raises(KeyboardInterrupt):
        learn(pictures, tmp_path, settings, stop=lambda: next(asked))
    assert state_of(tmp_path)["iteration"] == 3
    learn(pictures, tmp_path, settings, resume=True)
    samples = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert samples == ["0000002.jpg", "0000004.jpg", "0000006.jpg"]


def test_a_finished_training_is_only_read_again(pictures, tmp_path):
    first, _ = learn(pictures, tmp_path)
    second, iterations = learn(pictures, tmp_path, resume=True)
    assert iterations == 6
    assert same_state(first.state_dict(), second.state_dict())


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_a_number_that_is_none_stops_with_one_line_and_the_last_good_state(
    where, pictures, tmp_path, monkeypatch
):
    settings = tiny_settings(training={"iterations": 3})
    learn(pictures, tmp_path / "good", settings)
    longer = tiny_settings(training={"iterations": 6})

    class Spoil(torch.autograd.Function):
        @staticmethod
        def forward(ctx, scores):
            return scores * (math.nan if where == "loss" else 1.0)

        @staticmethod
        def backward(ctx, gradient):
            return gradient * math.inf

    whole = trainee_module.Discriminators.generator_loss
    monkeypatch.setattr(
        trainee_module.Discriminators,
        "generator_loss",
        lambda self, *args: Spoil.apply(whole(self, *args)),
    )
    before = state_of(tmp_path / "good")
    with pytest.raises(DataError, match=rf"the {where} of .* became (nan|inf) at batch 3") as stop:
        learn(pictures, tmp_path / "good", longer, resume=True)
    assert "\n" not in str(stop.value)
    assert NAME in str(stop.value)
    assert same_state(state_of(tmp_path / "good"), before)


def test_a_training_makes_dark_scenes_bright(pictures, tmp_path):
    settings = tiny_settings(
        generator={"width": 8, "output": "residual"},
        objective={**CUT, "nce": 0.5},
        discriminator={"width": 8},
        training={"iterations": 40, "lr": 0.005, "batch_size": 1},
    )
    translator, _ = learn(pictures, tmp_path, settings)
    batch = UnpairedCrops(*pictures, settings.crops, batch_size=8, seed=5)[0]
    with torch.inference_mode():
        after = translator(batch.source).mean()
    before, wanted = batch.source.mean(), batch.target.mean()
    assert wanted - before > 0.4
    assert abs(wanted - after) < 0.5 * (wanted - before)


def test_without_resume_a_folder_with_a_training_is_left_alone(pictures, tmp_path):
    learn(pictures, tmp_path)
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(DataError, match="holds a training; --resume goes on with it"):
        learn(pictures, tmp_path)
    assert (tmp_path / NAME).read_bytes() == before


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"settings": tiny_settings(generator={"width": 8})}, "generator.width: 4 then, 8 now"),
        ({"settings": CONTRAST}, "objective"),
        ({"seed": 1}, "seed: 0 then, 1 now"),
    ],
)
def test_another_training_is_not_gone_on_with(change, line, pictures, tmp_path):
    learn(pictures, tmp_path)
    with pytest.raises(DataError, match=line):
        learn(pictures, tmp_path, **{"settings": CYCLE, "resume": True, **change})


def test_other_photos_are_another_training(pictures, tmp_path):
    learn(pictures, tmp_path)
    scenes, photos = pictures
    with pytest.raises(DataError, match=r"other settings \(data: "):
        learn((scenes, photos[1:]), tmp_path, resume=True)


def test_a_damaged_resume_point_is_one_line(pictures, tmp_path):
    learn(pictures, tmp_path)
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="damaged"):
        learn(pictures, tmp_path, resume=True)


def test_a_budget_of_minutes_ends_in_time_and_counts_over_stops(pictures, tmp_path):
    settings = tiny_settings(training={"iterations": None, "minutes": 0.02})
    _, first = learn(pictures, tmp_path, settings)
    _, second = learn(pictures, tmp_path, settings, resume=True)
    assert first == second > 0


@pytest.mark.parametrize("precision", ["bfloat16", "float16", "auto"])
def test_lower_precision_learns_about_the_same(precision, pictures, tmp_path):
    weights = []
    for name in ("float32", precision):
        settings = tiny_settings(training={"precision": name, "iterations": 3})
        out = tmp_path / name
        translator, _ = learn(pictures, out, settings, fast_bfloat16=precision == "auto")
        weights.append(torch.cat([p.flatten() for p in translator.parameters()]))
    assert not torch.equal(*weights)
    assert torch.nn.functional.cosine_similarity(*weights, dim=0) > 0.99


def test_the_average_follows_the_weights_and_is_the_result(pictures, tmp_path):
    settings = tiny_settings(training={"ema": 0.5})
    translator, _ = learn(pictures, tmp_path, settings)
    state = state_of(tmp_path)
    assert same_state(translator.state_dict(), state["averaged"])
    newest = {
        name.removeprefix("translator."): w
        for name, w in state["objective"].items()
        if name.startswith("translator.")
    }
    distances = [(w - newest[name]).abs().max() for name, w in state["averaged"].items()]
    assert 0 < max(distances) < 0.01


def test_the_rate_is_flat_then_falls_to_nothing():
    assert [rate(done, 0.5) for done in (0.0, 0.49, 0.75, 1.0)] == [1, 1, 0.5, 0]
    assert rate(0.875, 0.75) == 0.5


def test_the_crops_of_a_batch_do_not_depend_on_the_global_chance(pictures, tmp_path):
    results = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        results.append(learn(pictures, tmp_path / str(seed), CONTRAST)[0].state_dict())
    assert same_state(*results)
