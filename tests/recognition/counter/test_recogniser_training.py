"""A recogniser's training: stopped, resumed, diverged, refused."""

import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from rpc.data import (
    Annotation,
    Category,
    DataError,
    Dataset,
    ImageInfo,
    Taxonomy,
    write_dataset,
    write_image,
)
from rpc.data.scene_stream import WrittenScenes
from rpc.recognition.counter import train as training
from rpc.recognition.counter.scene_crops import CropSettings, CropStream, SceneCrops
from rpc.recognition.counter.train import recogniser_learning, train_recogniser
from rpc.recognition.systems.crop_classifier import CropClassifier
from rpc.recognition.training.loop import LAST
from rpc.runs.tensor_files import read_tensors

# Ids with a gap and out of order: labels must come from the taxonomy, not from id - 1.
SKUS = Taxonomy([Category(7, "red"), Category(2, "green"), Category(4, "blue")])
COLOURS = {7: (210, 40, 40), 2: (40, 190, 60), 4: (50, 70, 220)}
SETTINGS = recogniser_learning(iterations=12, batch_size=6)
SIDE = 128


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Four grey trays with nine coloured squares each."""
    root = tmp_path_factory.mktemp("scenes")
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(4):
        picture = np.full((SIDE, SIDE, 3), 150, np.uint8)
        name = f"{number:08}.png"
        for cell in range(9):
            x, y = 4 + 42 * (cell % 3), 4 + 42 * (cell // 3)
            category_id = int(rng.choice(SKUS.ids))
            cv2.rectangle(picture, (x, y), (x + 31, y + 31), COLOURS[category_id], -1)
            box = (float(x), float(y), float(x + 32), float(y + 32))
            annotations.append(
                Annotation(len(annotations) + 1, number + 1, category_id, box, 1024.0)
            )
        write_image(root / "images" / name, picture)
        images.append(ImageInfo(number + 1, name, SIDE, SIDE))
    write_dataset(root / "instances.json", Dataset(tuple(images), tuple(annotations), SKUS))
    return root


def saved(work_dir):
    return read_tensors(work_dir / LAST)


def all_finite(state):
    tensors = [*state["system"].values(), *state["average"]]
    return all(bool(v.isfinite().all()) for v in tensors)


def test_an_interrupted_training_ends_with_the_weights_of_one_that_was_not(scenes, tmp_path):
    settings = replace(SETTINGS, iterations=7)
    whole = train_recogniser(scenes, tmp_path / "whole", settings)
    told = []

    def stop_at_four(done, facts):
        told.append(facts)
        if len(told) == 4:
            raise KeyboardInterrupt

    parts = tmp_path / "parts"
    with pytest.raises(KeyboardInterrupt):
        train_recogniser(scenes, parts, settings, progress=stop_at_four)
    stopped = saved(parts)
    assert stopped["step"] == 4
    assert stopped["used"] > 0

    fractions = []
    model = train_recogniser(
        scenes, parts, settings, progress=lambda done, facts: fractions.append((done, facts))
    )
    assert fractions[0][1].startswith("all: 5 ")
    assert fractions[0][0] == pytest.approx(5 / 7)
    assert len(fractions) == 3
    assert saved(parts)["batches"] == 7
    assert not model.training
    assert model.head.out_features == len(SKUS) + 1
    for name, value in whole.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name

    # What is finished stays finished: no batch, the same weights.
    again = train_recogniser(
        scenes, parts, settings, progress=lambda *_: pytest.fail("trained again")
    )
    for name, value in again.state_dict().items():
        assert torch.equal(value, model.state_dict()[name])


def test_the_weights_at_the_end_are_the_mean_over_the_steps(scenes, tmp_path, monkeypatch):
    steps = []
    step = torch.optim.AdamW.step

    def spy(optimizer, *args, **kwargs):
        step(optimizer, *args, **kwargs)
        steps.append(optimizer.param_groups[1]["params"][-1].detach().clone())

    monkeypatch.setattr(torch.optim.AdamW, "step", spy)
    model = train_recogniser(scenes, tmp_path, replace(SETTINGS, iterations=5))
    mean = steps[0]
    for value in steps[1:]:
        mean = 0.99 * mean + 0.01 * value
    torch.testing.assert_close(model.head.bias.detach(), mean)
    assert not torch.allclose(mean, steps[-1], rtol=1e-3)


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_what_is_not_finite_keeps_the_last_good_state(scenes, tmp_path, monkeypatch, what):
    class Sick(CropClassifier):
        calls = 0

        def forward(self, crops, extents=None):
            logits = super().forward(crops, extents)
            self.calls += 1
            if self.calls < 3:
                return logits
            # The root of 0 is finite, its derivative is not.
            return logits * torch.nan if what == "loss" else logits + (0 * logits).abs().sqrt()

    monkeypatch.setattr(training, "CropClassifier", Sick)
    with pytest.raises(
        DataError, match=f"the {what} became nan in phase 'all' at batch 2"
    ) as caught:
        train_recogniser(scenes, tmp_path, SETTINGS)
    assert "\n" not in str(caught.value)
    assert saved(tmp_path)["step"] == 2
    assert all_finite(saved(tmp_path))


def test_scenes_without_items_are_refused(tmp_path):
    empty = Dataset((ImageInfo(1, "a.jpg", 9, 9),), (), SKUS)
    write_dataset(tmp_path / "instances.json", empty)
    with pytest.raises(DataError, match=r"instances\.json: no item in any scene"):
        train_recogniser(tmp_path, tmp_path / "run", SETTINGS)
    assert not (tmp_path / "run").exists()


def test_a_damaged_scene_stops_the_training_with_its_name(scenes, tmp_path):
    damaged = tmp_path / "scenes"
    (damaged / "images").mkdir(parents=True)
    (damaged / "instances.json").write_bytes((scenes / "instances.json").read_bytes())
    for path in (scenes / "images").iterdir():
        (damaged / "images" / path.name).write_bytes(path.read_bytes()[:150])
    with pytest.raises(DataError, match=r"^\S+\d+\.png: ") as caught:
        train_recogniser(damaged, tmp_path / "run", SETTINGS)
    assert "\n" not in str(caught.value)


def test_the_training_of_another_store_or_of_other_settings_is_refused(scenes, tmp_path):
    settings = replace(SETTINGS, iterations=1)
    train_recogniser(scenes, tmp_path, settings)
    before = (tmp_path / LAST).read_bytes()
    with pytest.raises(DataError, match=r"made with other settings \(lr: 0.005 then, 0.1 now\)"):
        train_recogniser(scenes, tmp_path, replace(settings, lr=0.1))
    with pytest.raises(DataError, match=r"made with other settings \(data: "):
        train_recogniser(scenes, tmp_path, settings, crops=CropSettings(stray_share=0.0))
    assert (tmp_path / LAST).read_bytes() == before


@pytest.mark.parametrize("change", [{"iterations": 0}, {"batch_size": 0}, {"lr": float("nan")}])
def test_settings_that_make_no_sense_are_refused(change):
    with pytest.raises(ValueError, match=f"expected {next(iter(change))} above 0"):
        recogniser_learning(**change)


@pytest.mark.parametrize(
    "change", [{"stray_share": -1.0}, {"hidden_share": 1.5}, {"foreign_share": 1.5}]
)
def test_crops_that_make_no_sense_are_refused(change):
    with pytest.raises(ValueError, match=r"expected stray_share of 0 to 10, hidden_share and"):
        CropSettings(**change)


def test_a_training_takes_place_on_its_device(scenes, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(training, "learn", lambda *_, processes, **__: seen.append(processes))
    train_recogniser(scenes, tmp_path, SETTINGS, device=torch.device("meta"))
    assert seen[0].device == torch.device("meta")


def test_crops_carry_the_taxonomys_labels_and_depend_on_the_seed_alone(scenes):
    def batch(seed):
        crops = SceneCrops(WrittenScenes.open(scenes), settings=CropSettings(0.3, hidden_share=0))
        return crops.batch(recogniser_learning(batch_size=16, seed=seed), 0, 0)

    first = batch(1)
    crops, labels = first.images, first.labels
    assert crops.shape == (16, 3, 128, 128)
    assert first.extents.shape == (16, 2)
    again = batch(1)
    assert torch.equal(crops, again.images)
    assert torch.equal(labels, again.labels)
    assert not torch.equal(crops, batch(2).images)
    middle = crops[:, :, 54:74, 54:74].float().mean(dim=(2, 3))
    for colour, label in zip(middle, labels.tolist(), strict=True):
        if label < len(SKUS):
            expected = COLOURS[SKUS.category(label).id]
            assert int(colour.argmax()) == int(np.argmax(expected))
    assert len(SKUS) in labels.tolist()


def test_any_batch_is_the_same_asked_for_in_order_or_at_once(scenes):
    settings = recogniser_learning(batch_size=6)

    def jumped(step):
        return next(iter(CropStream(SceneCrops(WrittenScenes.open(scenes)), [0, 0, 0], 6, step)))

    source = SceneCrops(WrittenScenes.open(scenes))
    in_order = [source.batch(settings, 0, step) for step in range(9)]
    for step in (8, 3):
        wanted, found = in_order[step], jumped(step)
        assert torch.equal(found.images, wanted.images)
        assert torch.equal(found.extents, wanted.extents)
        assert torch.equal(found.labels, wanted.labels)
    assert torch.equal(source.batch(settings, 0, 2).images, in_order[2].images)
    assert not torch.equal(source.batch(settings, 1, 2).images, in_order[2].images)
    source.close()


def test_passes_show_every_item_once_in_its_own_box(scenes):
    source = WrittenScenes.open(scenes)
    passes = SceneCrops(source, 32).passes(0, 0)
    labels = torch.cat([batch.labels for batch in passes.once()])
    assert labels.tolist() == [SKUS.label(a.category_id) for a in source.data.annotations]
    few = list(passes.some(5))
    assert sum(map(len, few)) == 5
    for crop, label in zip(few[0].images, few[0].labels.tolist(), strict=True):
        assert tuple(crop[:, 16, 16].tolist()) == COLOURS[SKUS.category(label).id]


class Endless:
    """The written scenes, dealt out by a number without end; see `SceneSource`."""

    count = None

    def __init__(self, scenes):
        self.written, self.asked = WrittenScenes.open(scenes), []
        self.taxonomy, self.fingerprint = self.written.taxonomy, "endless"

    def scene(self, index):
        self.asked.append(index)
        return self.written.scene(index % 4)


def test_an_endless_source_shows_every_scene_once_and_any_batch_at_once(scenes, monkeypatch):
    monkeypatch.setattr("rpc.recognition.counter.scene_crops.BLOCK", 3)
    source = SceneCrops(Endless(scenes))
    in_order = list(itertools.islice(CropStream(source, [0, 0, 0], 6), 8))
    asked = source.scenes.asked
    assert len(set(asked)) == len(asked)
    jumping = SceneCrops(Endless(scenes))
    for step in (7, 3, 2):
        jumped = next(iter(CropStream(jumping, [0, 0, 0], 6, step)))
        assert torch.equal(jumped.images, in_order[step].images)
        assert torch.equal(jumped.labels, in_order[step].labels)
    assert len(jumping.scenes.asked) < 2 * len(asked)  # a jump begins with its block
    other = SceneCrops(Endless(scenes), rank=1)
    next(iter(CropStream(other, [0, 0, 1], 6)))
    assert not set(other.scenes.asked) & set(asked)


def test_foreign_products_are_no_single_product_and_leave_the_stores_crops_as_often(scenes):
    settings = CropSettings(stray_share=0, hidden_share=0, foreign_share=0.5)

    def labels(**sources):
        source = SceneCrops(Endless(scenes), 32, settings, **sources)
        some = itertools.islice(CropStream(source, [0, 0, 0], 12), 20)
        return torch.cat([batch.labels for batch in some]).tolist()

    assert len(SKUS) not in labels()
    share = np.mean(np.array(labels(foreign=Endless(scenes))) == len(SKUS))
    assert share == pytest.approx(1 / 3, abs=0.08)  # half as many scenes as the store's


def test_a_training_with_foreign_products_is_another_training(scenes):
    own = SceneCrops(Endless(scenes))
    assert SceneCrops(Endless(scenes), foreign=Endless(scenes)).fingerprint != own.fingerprint


def test_a_recogniser_learns_from_an_endless_source(scenes, tmp_path):
    settings = replace(SETTINGS, iterations=2)
    cost = []
    model = train_recogniser(Endless(scenes), tmp_path, settings, learned=cost.append)
    assert model.head.out_features == len(SKUS) + 1
    assert (cost[0].batches, cost[0].asked) == (2, 2)
    with pytest.raises(DataError, match=r"made with other settings \(data: "):
        train_recogniser(scenes, tmp_path, settings)
