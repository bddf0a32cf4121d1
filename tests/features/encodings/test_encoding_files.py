import numpy as np
import pytest
import torch

from rpc.data.files import DataError
from rpc.features.encodings.encoding_files import read_encodings, write_encodings
from rpc.features.encodings.local_encodings import fit_bag_of_words, fit_fisher, fit_vlad
from rpc.features.encodings.whitening import fit_whitening
from rpc.runs.tensor_files import write_tensors


def test_every_kind_is_read_as_it_was_written(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 4))
    made = {
        "v": fit_vlad(x, 2, 0),
        "f": fit_fisher(x, 2, 0),
        "b": fit_bag_of_words(x, 3, 0),
        "w": fit_whitening(x, 2),
    }
    again = read_encodings(write_encodings(tmp_path / "e.pth", made))
    assert list(again) == list(made)
    for name, encode in made.items():
        np.testing.assert_array_equal(again[name](x[:9]), encode(x[:9]))


def test_other_files_are_told_in_one_line(tmp_path):
    with pytest.raises(DataError, match="holds no encodings"):
        read_encodings(write_tensors(tmp_path / "a.pth", {"x": torch.zeros(1)}))
    for entry in ({"kind": "Spell"}, {"kind": "Vlad"}, {"kind": "Vlad", "centres": 3}, "text"):
        path = write_tensors(tmp_path / "b.pth", {"encodings": {"v": entry}})
        with pytest.raises(DataError, match="damaged or newer"):
            read_encodings(path)
