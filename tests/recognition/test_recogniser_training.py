"""A recogniser's training: stopped, resumed, diverged, refused."""

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
from rpc.recognition import train as training
from rpc.recognition.classifier import CropClassifier
from rpc.recognition.scene_crops import SceneCrops
from rpc.recognition.train import LAST, RecogniserSettings, rate, train_recogniser
from rpc.runs.tensor_files import read_tensors

# Ids with a gap and out of order: labels must come from the taxonomy, not from id - 1.
SKUS = Taxonomy([Category(7, "red"), Category(2, "green"), Category(4, "blue")])
COLOURS = {7: (210, 40, 40), 2: (40, 190, 60), 4: (50, 70, 220)}
SETTINGS = RecogniserSettings(minutes=30, batch_size=6, bfloat16=False, max_iters=12)
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
    tensors = [v for part in ("model", "averaged") for v in state[part].values()]
    return all(bool(v.isfinite().all()) for v in tensors if v.is_floating_point())


def test_an_interrupted_training_goes_on_from_the_saved_step(scenes, tmp_path):
    told = []

    def stop_at_four(done, facts):
        told.append(facts)
        if len(told) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_recogniser(scenes, tmp_path, SETTINGS, stop_at_four)
    stopped = saved(tmp_path)
    assert stopped["step"] == 4
    assert stopped["used"] > 0

    fractions = []
    model = train_recogniser(
        scenes, tmp_path, SETTINGS, lambda done, facts: fractions.append((done, facts))
    )
    assert fractions[0][1].startswith("5 batches")
    assert fractions[0][0] == pytest.approx(4 / 12)
    assert len(fractions) == 8
    assert saved(tmp_path)["step"] == 12
    assert saved(tmp_path)["used"] > stopped["used"]
    assert not model.training
    assert model.head.out_features == len(SKUS) + 1

    # What is finished stays finished: no batch, the same weights.
    again = train_recogniser(scenes, tmp_path, SETTINGS, lambda *_: pytest.fail("trained again"))
    for name, value in again.state_dict().items():
        assert torch.equal(value, model.state_dict()[name])


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_what_is_not_finite_keeps_the_last_good_state(scenes, tmp_path, monkeypatch, what):
    class Sick(CropClassifier):
        calls = 0

        def forward(self, crops, extents):
            logits = super().forward(crops, extents)
            self.calls += 1
            if self.calls < 3:
                return logits
            # The root of 0 is finite, its derivative is not.
            return logits * torch.nan if what == "loss" else logits + (0 * logits).abs().sqrt()

    monkeypatch.setattr(training, "CropClassifier", Sick)
    with pytest.raises(DataError, match=f"the {what} became nan at step 2") as caught:
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


def test_the_training_of_another_store_is_refused(scenes, tmp_path):
    other = CropClassifier(5, pretrained=False)
    torch.save({"model": other.state_dict(), "step": 3}, tmp_path / LAST)
    before = (tmp_path / LAST).read_bytes()
    with pytest.raises(DataError, match="the training of another store"):
        train_recogniser(scenes, tmp_path, SETTINGS)
    assert (tmp_path / LAST).read_bytes() == before


@pytest.mark.parametrize("change", [{"minutes": 0}, {"batch_size": 0}, {"lr": float("nan")}])
def test_settings_that_make_no_sense_are_refused(change):
    with pytest.raises(ValueError, match=f"expected {next(iter(change))} above 0"):
        replace(SETTINGS, **change)


def test_crops_carry_the_taxonomys_labels_and_depend_on_the_seed_alone(scenes):
    from rpc.data import read_dataset

    data = read_dataset(scenes / "instances.json")

    def first_batch(seed):
        crops = SceneCrops(data, scenes / "images", size=16, stray_share=0.3, seed=seed)
        return next(iter(crops))

    crops, extents, labels = first_batch(1)
    assert crops.shape == (16, 3, 128, 128)
    assert extents.shape == (16, 2)
    again, _, same = first_batch(1)
    assert torch.equal(crops, again)
    assert torch.equal(labels, same)
    assert not torch.equal(crops, first_batch(2)[0])
    middle = crops[:, :, 54:74, 54:74].float().mean(dim=(2, 3))
    for colour, label in zip(middle, labels.tolist(), strict=True):
        if label < len(SKUS):
            expected = COLOURS[SKUS.category(label).id]
            assert int(colour.argmax()) == int(np.argmax(expected))
    assert len(SKUS) in labels.tolist()


def test_the_rate_warms_up_and_then_only_falls():
    rates = [rate(done) for done in np.linspace(0, 1, 101)]
    assert rates[0] == pytest.approx(0.05)
    assert max(rates) == pytest.approx(1.0)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] == pytest.approx(0.01)
