import importlib

import pytest

from rpc.data.files import DataError, read_json
from tests.cli.small_shop import ROOT

WORDS = ["--backbone", "test_resnet", "--side", "64", "--classes", "2", "--batch", "2"]


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools" / "benchmark")
    return importlib.import_module("recognition")


def test_costs_of_systems_stand_beside_their_backbone(benchmark, tmp_path, capsys):
    out = tmp_path / "cost.json"
    words = ["--systems", "compact", "ma_cnn", "--repeats", "1", "--out", str(out)]
    assert benchmark.main([*WORDS, *words]) == 0
    found = read_json(out)
    assert {"code", "versions", "machine", "settings"} <= found.keys()
    compact, parts = found["systems"]["compact"], found["systems"]["ma_cnn"]
    assert list(compact["step_seconds"]) == ["1 layer", "2 all"]
    assert list(parts["fit_seconds"]) == ["1 channel groups", "6 part networks"]
    assert parts["parameters_ratio"] > 4  # a backbone for the photo, and one a part
    for one in (compact, parts):
        ratio = one["forward_seconds"] / one["backbone_forward_seconds"]
        assert one["forward_ratio"] == pytest.approx(ratio)
    assert "compact" in capsys.readouterr().out


def test_an_unknown_system_is_one_line(benchmark):
    with pytest.raises(DataError, match="--systems rnn: expected some of"):
        benchmark.main(["--systems", "rnn"])
