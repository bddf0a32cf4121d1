"""A start gives its body to a new recogniser, and nothing else."""

import pytest
import torch

from rpc.data import DataError
from rpc.recognition.counter.start import load_pretrained, write_start
from rpc.recognition.systems.crop_classifier import CropClassifier
from rpc.runs.tensor_files import write_tensors


@pytest.fixture(scope="module")
def grown():
    torch.manual_seed(3)
    return CropClassifier(7)


def test_another_store_takes_over_the_body_and_keeps_its_own_head(grown, tmp_path):
    path = write_start(tmp_path / "start.pth", grown)
    fresh = CropClassifier(2, pretrained=False)
    head = fresh.head.weight.detach().clone()
    load_pretrained(fresh, path)
    assert torch.equal(fresh.head.weight, head)
    wanted = grown.state_dict()
    for name, value in fresh.state_dict().items():
        if not name.startswith("head."):
            # Half precision keeps 11 bits; what is below its smallest number may vanish.
            torch.testing.assert_close(value, wanted[name], rtol=1e-3, atol=1e-7)


def test_what_is_no_start_is_refused_in_one_line(grown, tmp_path):
    with pytest.raises(DataError, match="no such checkpoint"):
        load_pretrained(grown, tmp_path / "nowhere.pth")
    other = write_tensors(tmp_path / "other.pth", {"state_dict": {}})
    with pytest.raises(DataError, match="not a recogniser to start from"):
        load_pretrained(grown, other)
    path = write_start(tmp_path / "start.pth", grown)
    less = CropClassifier(2, pretrained=False)
    less.extent = torch.nn.Sequential()
    with pytest.raises(DataError, match=r"another architecture: 'extent\."):
        load_pretrained(less, path)
    wide = CropClassifier(2, pretrained=False)
    wide.extent[0] = torch.nn.Linear(3, 16)
    with pytest.raises(DataError, match="another architecture") as caught:
        load_pretrained(wide, path)
    assert "\n" not in str(caught.value)
