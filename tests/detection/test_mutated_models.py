"""A model file with anything wrong in it is refused in one line, or works; nothing else happens."""

import json
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope

from rpc.checkout.trained import load_checkout
from rpc.counting import CountingRule
from rpc.data import DataError
from rpc.detection import runtime
from rpc.detection.config import build_config, model_text
from rpc.detection.model_file import SavedModel, write_model
from rpc.runs.tensor_files import read_tensors
from tests.detection.drawn_store import SKUS, TINY
from tests.runs.mutations import COUNT, mutated, nothing_foreign

PHOTO = np.random.default_rng(0).integers(0, 256, (50, 80, 3), np.uint8)


@pytest.fixture(scope="module")
def content(tiny_store, tmp_path_factory):
    """The values of a small model's file."""
    runtime.setup()
    init_default_scope("mmdet")
    config = build_config("configs/rtmdet_tiny_rpc.py", tiny_store, None, TINY)
    state = MODELS.build(config.model).state_dict()
    path = tmp_path_factory.mktemp("model") / "model.pth"
    write_model(path, SavedModel(state, model_text(config), SKUS, CountingRule(0.3).to_dict()))
    return read_tensors(path)


def answer(path):
    """How a counter's life goes with a model file: its error, or None where it counts."""
    try:
        counter = load_checkout(path)
        (counter if counter.rule else counter.with_threshold(0.3)).shopping_list(PHOTO)
    except DataError as error:
        told = str(error)
    else:
        return None
    assert "\n" not in told
    assert len(told) < 500
    return told


def test_any_change_is_refused_in_one_line_or_harmless(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.pth"
    refused = 0
    with nothing_foreign(tmp_path):
        before = sorted(Path.cwd().iterdir())
        for number in range(COUNT):
            torch.save(mutated(content, np.random.default_rng([17, number])), path)
            refused += answer(path) is not None
        path.unlink()
        assert sorted(Path.cwd().iterdir()) == before
    assert COUNT // 2 < refused < COUNT


def described(content, **changes):
    """The content with settings of its network changed, by their place with __ for a dot."""
    text = json.loads(content["config"])
    for name, value in changes.items():
        *above, last = name.split("__")
        part = text
        for step in above:
            part = part[step]
        part[last] = value
    return {**content, "config": json.dumps(text)}


FOREIGN = {
    "detector": {"model": {"type": "os.mkdir", "name": "made"}},
    "process": {"model": {"type": "subprocess.check_output", "args": ["touch", "made"]}},
    "plain module": {"model": {"type": "planted_module"}},
    "scope": {"model___scope_": "planted_module"},
    "scoped name": {"model__backbone__type": "planted_module.CSPNeXt"},
    "other framework": {"model__backbone__type": "mmengine.mkdir_or_exist"},
    "deep": {"model__bbox_head__loss_cls__type": "os.mkdir"},
    "in a list": {"model__backbone__plugins": [{"cfg": {"type": "planted_module.run"}}]},
    "in lists": {"model__backbone__arch_ovewrite": [[{"type": "planted_module.run"}]]},
    "layer": {"model__backbone__act_cfg": {"type": "planted_module.run"}},
    "norm": {"model__neck__norm_cfg": {"type": "os.mkdir", "path": "made"}},
    "suppression": {"model__test_cfg__nms__type": "__import__('os').mkdir('made') or nms"},
    "bases": {"model___base_": "planted_module.py"},
    "imports": {"model__custom_imports": {"imports": ["planted_module"]}},
    "path": {"model__neck__upsample_cfg": {"mode": "./planted_module.pth"}},
    "registered, but no part of a detector": {"model__backbone__type": "GLIP"},
    "a runner": {"model": {"type": "Runner"}},
}


@pytest.mark.parametrize("name", FOREIGN)
def test_nothing_but_parts_of_detectors_is_built(content, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    torch.save(described(content, **FOREIGN[name]), "model.pth")
    with nothing_foreign(tmp_path):
        told = answer("model.pth")
    assert "nothing was built" in told or "unexpected keyword argument" in told
    assert not Path("made").exists()


def test_a_registry_imports_no_name_that_a_config_gives(tmp_path, monkeypatch):
    """The net below the check of files: whatever is built through a registry."""
    monkeypatch.chdir(tmp_path)
    runtime.setup()
    with nothing_foreign(tmp_path):
        for name in ("planted_module", "planted_module.run", "os.mkdir"):
            with pytest.raises(KeyError, match="is not in the mmdet::model registry"):
                MODELS.build({"type": name, "path": "made"})
        with pytest.raises((KeyError, RuntimeError, AssertionError)):
            MODELS.build({"type": "run", "_scope_": "planted_module"})
    assert not Path("made").exists()


def test_files_and_addresses_of_first_weights_are_not_read(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}}, "planted_module.pth")
    first = {"type": "Pretrained", "checkpoint": "planted_module.pth"}
    changed = {"model__init_cfg": first, "model__backbone__init_cfg": [first, first]}
    changed |= {"model__neck__init_cfg": {"type": "Pretrained", "checkpoint": "http://[::1]:1/x"}}
    torch.save(described(content, **changed), "model.pth")
    with nothing_foreign(tmp_path):
        assert answer("model.pth") is None


WRONG = {
    "no limit of detections": ({"model__test_cfg": {"nms": {"type": "nms"}}}, "lacks max_per_img"),
    "std of zeros": ({"model__data_preprocessor__std": [0, 0, 0]}, "std: expected 0.001 to"),
    "too few": ({"model__data_preprocessor__mean": [1.0, 2.0]}, "do not fit"),
    "pad": ({"model__data_preprocessor__pad_size_divisor": 10**9}, "pad_size_divisor: expected 1"),
    "classes": ({"model__bbox_head__num_classes": 5}, "num_classes 5, but the file names 3 SKUs"),
    "many classes": ({"model__bbox_head__num_classes": 10**9}, "num_classes: expected 1 to"),
    "strides": ({"model__bbox_head__anchor_generator__strides": [-8, 16, 32]}, "strides: expected"),
    "side": ({"image_size": 10**9}, "image_size: expected"),
    "digits": ({"image_size": 10**400}, "image_size: expected"),
    "infinite": ({"model__test_cfg__score_thr": float("inf")}, "score_thr: expected 0 to 1"),
    "nan": ({"model__test_cfg__score_thr": float("nan")}, "score_thr: expected 0 to 1"),
    "misspelt": ({"model__backbone__type": "CSPNext"}, "did you mean 'CSPNeXt'"),
    "widths": ({"model__backbone__widen_factor": 60.0}, "larger than the file's"),
    "depths": ({"model__backbone__deepen_factor": 15}, "do not fit"),
    "other maps": ({"model__backbone__out_indices": [1, 2, 3]}, "fails on a plain photo"),
    "text": ({"model__bbox_head__stacked_convs": "two"}, "do not fit its own description"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_values_are_told_at_loading_with_their_place(content, tmp_path, name):
    changes, told = WRONG[name]
    torch.save(described(content, **changes), tmp_path / "model.pth")
    assert told in str(answer(tmp_path / "model.pth"))


PARTS = {
    "weights": ({"state_dict": None}, r"expected 'state_dict' \(dict\)"),
    "no weight": ({"state_dict": {"a": 5}}, "'a': expected a tensor, got a value of type int"),
    "recogniser": ({"recogniser": 3}, "'recogniser': expected weights by name, got a value of"),
    "its weights": ({"recogniser": {"head.bias": torch.zeros(())}}, "expected weights with a list"),
    "its body": ({"recogniser": {"head.bias": torch.zeros(10**6)}}, "larger than the file's"),
    "categories": ({"categories": [torch.zeros(3, 4)]}, "categories: expected plain values"),
    "origin": ({"meta": {"seed": torch.zeros(3)}}, r"meta\.seed: expected plain values"),
    "rule": ({"counting": {"threshold": 10**400}}, "counting rule: "),
    "version": ({"version": None}, r"expected 'version' \(int\)"),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_of_a_wrong_type_are_told(content, tmp_path, name):
    changes, told = PARTS[name]
    torch.save(content | changes, tmp_path / "model.pth")
    with pytest.raises(DataError, match=told):
        load_checkout(tmp_path / "model.pth")


def test_weights_that_are_not_numbers_are_told(content, tmp_path):
    state = dict(content["state_dict"])
    name = next(name for name, value in state.items() if value.is_floating_point())
    state[name] = torch.full_like(state[name], float("nan"))
    torch.save({**content, "state_dict": state}, tmp_path / "model.pth")
    assert f"{name!r} holds numbers that are NaN" in answer(tmp_path / "model.pth")


def test_a_small_file_takes_little_memory_whatever_it_describes(content, tmp_path):
    """Networks of gigabytes by their description: the peak of this process stays."""
    giants = {
        "wide": {"model__backbone__widen_factor": 64, "model__neck__in_channels": [4096] * 3},
        "thick": {"model__bbox_head__feat_channels": 4096, "model__bbox_head__stacked_convs": 64},
        "deep": {"model__backbone__deepen_factor": 16.0},
        "kernels": {"model__bbox_head__pred_kernel_size": 4095},
    }
    for name, changes in giants.items():
        torch.save(described(content, **changes), tmp_path / f"{name}.pth")
    one = torch.zeros(10**5)
    weights = {f"w{number}": one[number:] for number in range(1000)}
    torch.save({**content, "state_dict": weights}, tmp_path / "views.pth")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in sorted(tmp_path.iterdir()):
        assert answer(path) is not None
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # kB of the peak
    assert grown < 300_000
