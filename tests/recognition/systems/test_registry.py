import types
from pathlib import Path
from typing import get_args, get_origin

import numpy as np
import pytest
import torch

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.recognition.systems.registry import (
    MissingAnnotationsError,
    SystemSettings,
    build_system,
    create_system,
    list_systems,
    register,
    registration,
    require_needs,
    system_names,
)
from rpc.recognition.systems.system import System
from rpc.recognition.training.model_file import read_model, write_model
from rpc.recognition.training.photo_batches import PhotoBatches
from rpc.recognition.training.run_settings import read_run_settings
from rpc.recognition.training.scoring import score_photos
from rpc.runs.tensor_files import read_tensors, write_tensors

DOC = Path(__file__).parents[3] / "docs" / "recognition.md"
SMALL = {"backbone": "test_resnet", "pretrained": False}
TINY = SystemSettings("baseline", 32, {**SMALL, "stages": [2, 3]})


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    return build_system(TINY, 3).eval()


@pytest.mark.parametrize("name", system_names())
def test_every_system_is_a_system_and_has_its_row_in_the_documentation(name):
    assert issubclass(registration(name).made, System)
    rows = [line for line in DOC.read_text().splitlines() if line.startswith(f"| `{name}`")]
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (SystemSettings("rnn", 64), r"system 'rnn': expected one of baseline, bilinear"),
        (SystemSettings("baseline", 64, {"heads": 1}), "unknown setting heads; .*known: backbone"),
        (SystemSettings("baseline", 64, {"head": "round"}), "'linear' or 'cosine' or 'margin'"),
        (SystemSettings("isqrt", 64, {"pooling": "bilinear"}), "unknown setting pooling"),
        (SystemSettings("st_cnn_2", 64, {**SMALL, "scale": 2.0}), "st_cnn_2: ST-CNN: expected"),
        (SystemSettings("baseline", 8, SMALL), "a side of 32 to 4096 px"),
        (SystemSettings("baseline", 100_000, SMALL), "a side of 32 to 4096 px"),
        (SystemSettings("baseline", 64, {"smoothing": 2.0}), "smoothing: expected 0 to 1, got 2"),
        (
            SystemSettings("baseline", 64, {"backbone_lr_mult": -1.0}),
            "backbone_lr_mult: expected 0 or mo",
        ),
        (SystemSettings("baseline", 64, {"scale": float("inf")}), "scale: expected 0 or more"),
        (SystemSettings("isqrt", 64, {"width": 0}), "width: expected 1 to 100000, got 0"),
        (SystemSettings("bilinear", 64, {"head_share": 2.0}), "head_share: expected 0 to 1"),
        (SystemSettings("st_cnn_2", 64, {"look_side": 0}), "look_side: expected 32 to 4096"),
        (
            SystemSettings("part_rcnn", 64, {"groups": {"head": 3}}),
            "groups: expected|numbers of key",
        ),
        (
            SystemSettings("part_rcnn", 64, {"groups": {"head": ()}}),
            "part 'head': expected numbers",
        ),
        (SystemSettings("mask_cnn", 64, {"groups": {"head": "ab"}}), r"expected Mapping\[str"),
    ],
)
def test_a_system_that_cannot_be_built_is_one_line(settings, told):
    with pytest.raises(DataError, match=told) as error:
        build_system(settings, 3)
    assert "\n" not in str(error.value)


def test_every_system_says_in_words_what_it_needs():
    by_name = {info.name: info for info in list_systems()}
    assert list(by_name)[:5] == ["baseline", "bilinear", "bilinear_dm", "compact", "isqrt"]
    assert by_name["mask_cnn_boxes"].needs == ("boxes",)
    assert by_name["isqrt"].source == "Li, Xie, Wang, Gao, CVPR 2018"


@pytest.mark.parametrize("name", system_names())
def test_every_numeric_option_declares_its_range(name):
    hints = registration(name).hints()
    open_ended = {"stage"}  # counted from the end below 0
    plain = {option for option, hint in hints.items() if {int, float} & {hint, *get_args(hint)}}
    bare = {option for option in plain if get_origin(hints[option]) in (None, types.UnionType)}
    assert bare - open_ended == set()


def test_a_created_system_has_the_side_of_its_class_unless_told_and_its_device():
    system = create_system("baseline", 3, **SMALL, stages=(2, 3), device=torch.device("meta"))
    assert system.side == 160
    assert {p.device.type for p in system.parameters()} == {"meta"}
    assert create_system("isqrt", 2, side=64, **SMALL, width=8).side == 64
    with pytest.raises(DataError, match="width: expected 1 to 100000, got 0"):
        create_system("isqrt", 2, width=0)


def test_two_systems_of_one_name_are_refused():
    with pytest.raises(ValueError, match="'baseline': registered twice"):
        register("baseline", title="Another", source="nowhere")(System)


def test_the_preset_makes_one_of_the_systems_of_a_class():
    settings = SystemSettings("isqrt", 32, {**SMALL, "width": 8})
    assert build_system(settings, 2).pooling == "isqrt"


@pytest.mark.parametrize(
    ("name", "options", "needs"),
    [
        ("baseline", {}, None),
        ("part_rcnn", {}, "points"),
        ("mask_cnn", {}, "points"),
        ("mask_cnn", {"masks": "boxes"}, "boxes"),
        ("mask_cnn_boxes", {}, "boxes"),
    ],
)
def test_data_without_what_a_system_needs_are_told(name, options, needs):
    settings = SystemSettings(name, 64, options)
    require_needs(settings, frozenset({"boxes", "points"}), "birds")
    if needs is None:
        require_needs(settings, frozenset(), "birds")
        return
    words = {"points": "no key points", "boxes": "no boxes of the objects"}[needs]
    with pytest.raises(MissingAnnotationsError, match=f"birds: has {words}, which {name} learns"):
        require_needs(settings, frozenset({"boxes", "points"} - {needs}), "birds")


def test_the_needs_that_are_listed_are_those_that_are_asked_for():
    for info in list_systems():
        its = registration(info.name)
        assert its.made.needs_of({**its.preset, **its.usual}) == info.needs


def test_a_model_file_gives_the_same_scores(tiny, tmp_path):
    path = write_model(tmp_path / "m.pth", tiny, TINY, "abc", {"validation": 0.5})
    model = read_model(path, "baseline")
    assert model.classes == ("a", "b", "c")
    assert model.origin["validation"] == 0.5
    images = torch.randint(0, 255, (2, 3, 32, 32), dtype=torch.uint8)
    assert torch.equal(model.build()(images), tiny(images))


NARROW = {"width": 16}
OF_SMALL = {  # what else a small backbone of few channels asks for
    "bilinear": NARROW,
    "bilinear_dm": {**NARROW, "second": "test_efficientnet"},
    "compact": NARROW,
    "isqrt": NARROW,
    "nac": {"view_parts": 6},
}
OWN_BACKBONE = {"crop_classifier"}


def learned(name):
    """A system of each name, with chance in place of what its fits would have left zero."""
    torch.manual_seed(0)
    options = {"pretrained": False, **OF_SMALL.get(name, {})}
    if name not in OWN_BACKBONE:
        options["backbone"] = "test_efficientnet"
    settings = SystemSettings(name, 64, options)
    system = build_system(settings, 3).eval().requires_grad_(False)
    for values in (*system.parameters(), *system.buffers()):
        if values.is_floating_point() and not values.any():
            values.normal_(std=0.05)
    return settings, system


@pytest.fixture(scope="module")
def noise():
    """Photos of noise of three colours, brighter in one quarter each."""
    chance = torch.Generator().manual_seed(2)
    images = torch.randint(0, 120, (3, 3, 64, 64), dtype=torch.uint8, generator=chance)
    for n, (row, column) in enumerate(((0, 0), (32, 32), (0, 32))):
        images[n, n, row : row + 32, column : column + 32] += 120
    return images


@pytest.mark.parametrize("name", system_names())
def test_every_system_says_the_same_once_saved_and_of_a_photo_by_itself(name, noise, tmp_path):
    settings, system = learned(name)
    assert system.needs == registration(name).info.needs
    scores = system(noise)
    assert scores.shape == (3, 3)
    largest = float(scores.abs().max())
    assert float((scores - scores[0]).abs().max()) > 1e-3 * largest  # it looks at the photos
    path = write_model(tmp_path / "m.pth", system, settings, "abc", {})
    again = read_model(path, name).build()(noise)
    assert torch.allclose(again, scores, rtol=1e-5, atol=1e-5 * largest)
    for n in range(3):
        alone = system(noise[n : n + 1])
        assert torch.allclose(alone[0], scores[n], rtol=1e-3, atol=1e-4 * largest)
    assert system(noise[:0]).shape == (0, 3)


def test_a_model_of_another_system_or_none_is_one_line(tiny, tmp_path):
    path = write_model(tmp_path / "m.pth", tiny, TINY, "abc", {})
    with pytest.raises(DataError, match="a model of the system baseline, not of isqrt"):
        read_model(path, "isqrt")
    content = read_tensors(path)
    write_tensors(path, {**content, "options": {**content["options"], "stages": (1, 2)}})
    with pytest.raises(DataError, match="its weights do not fit"):
        read_model(path).build()
    write_tensors(path, {"state": {}})
    with pytest.raises(DataError, match="not the model of a recognition system"):
        read_model(path)
    write_tensors(path, {**content, "version": 9})
    with pytest.raises(DataError, match="version 9, expected 1"):
        read_model(path)


@pytest.mark.parametrize("workers", [0, 2])
def test_scores_of_many_photos_are_those_of_each(tiny, tmp_path, workers):
    rng = np.random.default_rng(0)
    examples = [
        LabelledPhoto(
            write_image(tmp_path / f"{n}.png", rng.integers(0, 255, (9, 20, 3), np.uint8)), n
        )
        for n in range(35)
    ]
    told = []
    scores = score_photos(
        tiny, examples, workers=workers, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(32, 35), (35, 35)]
    batch = next(PhotoBatches(examples, 32).plain(batch_size=64))
    np.testing.assert_allclose(scores, tiny(batch.images).detach(), rtol=1e-4, atol=1e-5)


def test_whole_numbers_stand_for_shares_and_multipliers_too():
    settings = SystemSettings("baseline", 64, {**SMALL, "backbone_lr_mult": 0, "dropout": 0})
    assert build_system(settings, 3).backbone_lr_mult == 0


def test_no_photo_has_no_score(tiny):
    assert score_photos(tiny, [], workers=1).shape == (0, 3)


def test_grey_and_transparent_photos_are_seen_in_colour(tiny, tmp_path):
    grey = np.tile(np.linspace(0, 255, 40).astype(np.uint8)[:, None], (1, 40))
    files = {
        "rgb": np.repeat(grey[..., None], 3, axis=2),
        "rgba": np.dstack([grey] * 3 + [255 + 0 * grey]),
    }
    examples = [LabelledPhoto(write_image(tmp_path / f"{k}.png", v), 0) for k, v in files.items()]
    from PIL import Image

    Image.fromarray(grey).save(tmp_path / "grey.png")
    scores = score_photos(tiny, [*examples, LabelledPhoto(tmp_path / "grey.png", 0)])
    assert np.ptp(scores, axis=0).max() < 1e-5


VALUES = {
    "system": "baseline",
    "side": 64,
    "training": {"epochs": 2.5, "batch_size": 4, "lr": 0.01},
    "augmentation": {"least_area": 0.5, "light": 0.1},
}


def test_epochs_become_batches_of_all_processes_together():
    training = read_run_settings(VALUES, "x").training
    assert training.learning(photos=10, processes=1, seed=0).iterations == 7
    assert training.learning(photos=10, processes=2, seed=0).iterations == 4
    assert training.learning(photos=1, processes=9, seed=3).iterations == 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"speed": 1}, "x: unknown setting speed"),
        ({"side": "large"}, "expected system, a name, and side, in px"),
        ({"training": {"batch_size": 4, "lr": 0.1}}, "x: training: expected one budget"),
        (
            {"training": {"batch_size": 4, "lr": 0.1, "epochs": 1, "iterations": 2}},
            "expected one budget",
        ),
        ({"training": {"batch_size": 4, "lr": 0, "iterations": 2}}, "expected lr above 0"),
        ({"augmentation": {"least_area": 7.0, "light": 0.1}}, "expected 0 < least_area <= 1"),
        ({"augmentation": {"least_area": 0.6, "light": 1e9}}, "0 <= light <= 2, got"),
        ({"training": {"batch_size": 4, "lr": 0.1, "epochs": float("inf")}}, "epochs above 0"),
        ({"training": {"batch_size": 4, "lr": float("inf"), "epochs": 1}}, "expected lr above 0"),
        ({"validation": {"seed": -1}}, "a seed of 0 or more, got 0.15, -1"),
        ({"options": [1]}, "options: expected a dict of settings"),
    ],
)
def test_a_config_that_does_not_fit_is_told_with_its_place(changes, told):
    with pytest.raises(DataError, match=told):
        read_run_settings({**VALUES, **changes}, "x")
