"""Model files come back equal, and no file is ever executed."""

import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch

from rpc.data import Category, DataError, Taxonomy
from rpc.detection.model_file import (
    SavedModel,
    check_taxonomy,
    load_model,
    read_tensors,
    write_model,
    write_tensors,
)
from rpc.features.local.sku_pictures import pack_pictures
from rpc.features.text.sku_words import SkuWords
from rpc.structures.readings import Reading

TAXONOMY = Taxonomy([Category(3, "a", family="x"), Category(1, "b")])


@pytest.fixture
def saved(tmp_path):
    state = OrderedDict(weight=torch.randn(4, 3), large=torch.tensor([1e9]), steps=torch.tensor(7))
    path = tmp_path / "model.pth"
    meta = {"torch": torch.__version__}
    write_model(path, SavedModel(state, '{"model": 1}', TAXONOMY, {"threshold": 0.4}, meta))
    return path, state


def test_a_model_comes_back_equal_to_half_precision(saved):
    path, state = saved
    model = load_model(path)
    assert torch.equal(model.state_dict["weight"], state["weight"].half().float())
    assert model.state_dict["steps"] == 7
    assert (model.config, model.counting) == ('{"model": 1}', {"threshold": 0.4})
    assert model.taxonomy == TAXONOMY
    assert model.meta["torch"] == str(torch.__version__)


def test_a_weight_that_half_precision_cannot_hold_is_kept_in_full(saved):
    assert load_model(saved[0]).state_dict["large"].item() == 1e9


def test_a_model_is_changed_in_one_part_and_written_again_without_loss(saved):
    path, state = saved
    model = load_model(path)
    names = {"head.bias": torch.tensor([0.5, 2.0])}
    changed = model.with_rule({"threshold": 0.9}).with_recogniser(names)
    again = load_model(write_model(path.with_name("again.pth"), changed))
    assert again.counting == {"threshold": 0.9}
    assert torch.equal(again.recogniser["head.bias"], names["head.bias"])
    assert again.state_dict.keys() == state.keys()
    assert all(torch.equal(again.state_dict[name], model.state_dict[name]) for name in state)
    assert (again.config, again.taxonomy, again.meta) == (model.config, TAXONOMY, model.meta)
    assert (model.counting, model.recogniser) == ({"threshold": 0.4}, None)  # as it was
    assert load_model(write_model(path, again.with_recogniser(None))).recogniser is None


def test_a_model_for_other_skus_has_no_rule_yet(saved):
    other = load_model(saved[0]).with_taxonomy(Taxonomy([Category(1, "b")]))
    assert (len(other.taxonomy), other.counting) == (1, None)


def test_doubt_is_kept_and_goes_with_the_rule_that_it_was_fitted_to(saved):
    path, doubt = saved[0], {"limit": 0.98, "alike": [{"skus": ["a", "b"]}]}
    assert load_model(path).doubt is None
    again = load_model(write_model(path, load_model(path).with_doubt(doubt)))
    assert again.doubt == doubt
    assert again.with_rule({"threshold": 0.9}).doubt is None
    assert again.with_recogniser(None).doubt is None
    write_tensors(path, read_tensors(path) | {"doubt": [1]})
    with pytest.raises(DataError, match=r"expected 'doubt' to be a dict or None, got a list"):
        load_model(path)


class _RunsACommand:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("write", [torch.save, lambda o, p: p.write_bytes(pickle.dumps(o))])
def test_a_file_that_would_execute_code_is_refused_and_does_not(tmp_path, write):
    path, trace = tmp_path / "evil.pth", tmp_path / "executed"
    write({"state_dict": _RunsACommand(f"touch {trace}")}, path)
    for read in (read_tensors, load_model):
        with pytest.raises(DataError, match=r"evil\.pth: refused: .* could execute code") as caught:
            read(path)
        assert "\n" not in str(caught.value)
    assert not trace.exists()
    # The proof that the file is as evil as it looks: an unsafe reader does run it.
    if write is torch.save:
        torch.load(path, weights_only=False)
        assert trace.exists()


def test_what_is_not_a_checkpoint_is_refused_in_one_line(tmp_path, saved):
    whole = saved[0].read_bytes()
    for name, content in {
        "empty": b"",
        "text": b"hello, this is no checkpoint",
        "cut": whole[: len(whole) // 2],
        "photo": b"\xff\xd8\xff\xe0" + bytes(100),
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"{name}: not a checkpoint|{name}: refused") as caught:
            load_model(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="no such checkpoint"):
        load_model(tmp_path / "missing.pth")
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    with pytest.raises(DataError, match="it holds a Tensor"):
        load_model(tmp_path / "tensor.pth")


@pytest.mark.parametrize("key", ["state_dict", "config", "categories", "meta", "version"])
def test_a_model_without_one_of_its_parts_is_refused(saved, key):
    content = read_tensors(saved[0])
    del content[key]
    torch.save(content, saved[0])
    with pytest.raises(DataError, match=f"expected '{key}'"):
        load_model(saved[0])


def test_a_model_of_another_version_is_refused(saved):
    torch.save(read_tensors(saved[0]) | {"version": 99}, saved[0])
    with pytest.raises(DataError, match="version 99, expected 1"):
        load_model(saved[0])


def test_a_resume_point_is_told_from_a_model(tmp_path):
    torch.save({"optimizer": {}, "state_dict": {}, "meta": {}}, tmp_path / "last.pth")
    with pytest.raises(DataError, match="resume point"):
        load_model(tmp_path / "last.pth")


def test_a_model_of_other_skus_is_a_checkpoint_of_another_data_set(saved):
    model = load_model(saved[0])
    check_taxonomy(model, TAXONOMY)
    with pytest.raises(DataError, match="checkpoint of another data set: 2 SKUs against 1"):
        check_taxonomy(model, Taxonomy([Category(1, "b")]))


def test_a_full_disk_is_one_clear_line(tmp_path, monkeypatch, saved):
    before = saved[0].read_bytes()

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(DataError, match=r"cannot be written: No space left on device"):
        write_model(saved[0], SavedModel({}, "{}", TAXONOMY))
    assert saved[0].read_bytes() == before


WORDS = [SkuWords((Reading("CHERRY", 0.9),), 8, ("04006381333931",)), SkuWords((), 0)]


def test_words_of_the_exemplars_stay_with_the_model(saved):
    path, _ = saved
    model = load_model(path)
    assert model.words is None  # a file from before words were kept
    again = load_model(write_model(path, model.with_words(WORDS).with_rule({"threshold": 0.3})))
    assert again.words == tuple(WORDS)
    assert again.with_taxonomy(TAXONOMY).words is None
    assert load_model(write_model(path, again.with_words(None))).words is None


def test_pictures_of_the_exemplars_stay_with_the_model(saved):
    path, _ = saved
    model = load_model(path)
    assert model.pictures is None  # a file from before pictures were kept
    pictures = [pack_pictures([np.full((30, 20, 3), 90, np.uint8)] * 2), ()]
    kept = model.with_pictures(pictures).with_rule({"threshold": 0.3})
    again = load_model(write_model(path, kept))
    assert again.pictures == tuple(pictures)
    assert again.with_taxonomy(TAXONOMY).pictures is None
    assert load_model(write_model(path, again.with_pictures(None))).pictures is None


@pytest.mark.parametrize("pictures", [{}, [], [[], 5], [[], [torch.zeros(40, dtype=torch.uint8)]]])
def test_damaged_pictures_of_a_model_are_told(saved, pictures):
    content = read_tensors(saved[0])
    path = write_tensors(saved[0].with_name("damaged.pth"), {**content, "pictures": pictures})
    with pytest.raises(DataError, match=r"damaged\.pth: pictures"):
        load_model(path)


@pytest.mark.parametrize(
    "words",
    [
        {},
        [],
        [[1, [], []]],
        [[1, [], []], 5],
        [[1, [], []], [1, []]],
        [[1, [], []], ["1", [], []]],
        [[1, [], []], [-1, [], []]],
        [[1, [], []], [0, [["x", 1.0]], []]],
        [[1, [], []], [1, [["x", 7]], []]],
        [[1, [], []], [1, [], ["12"]]],
    ],
)
def test_damaged_words_of_a_model_are_told(saved, words):
    content = read_tensors(saved[0])
    path = write_tensors(saved[0].with_name("damaged.pth"), {**content, "words": words})
    with pytest.raises(DataError, match=r"damaged\.pth: .*(words|confidence)"):
        load_model(path)
