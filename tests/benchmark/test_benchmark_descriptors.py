import importlib
import json
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "tools" / "benchmark"


@pytest.fixture(scope="module")
def descriptors():
    """The benchmark, as imported: quicker than a process."""
    sys.path.insert(0, str(BENCHMARK))
    try:
        yield importlib.import_module("descriptors")
    finally:
        sys.path.remove(str(BENCHMARK))


def test_it_tells_each_method_s_share_of_the_backbone(descriptors, tmp_path, capsys):
    out = tmp_path / "speed.json"
    assert descriptors.main(["--sides", "96", "--repeats", "1", "--out", str(out)]) == 0
    result = json.loads(out.read_text())
    (size,) = result["sizes"]
    assert set(size["methods"]) >= {"SCDA", "SCDA_flip+", "VLAD", "FV", "GeM", "R-MAC"}
    for name, one in size["methods"].items():
        passes = 2 if name == "SCDA_flip+" else 1
        expected = one["seconds"] / (passes * size["backbone_seconds"])
        assert one["share"] == pytest.approx(expected)
    assert size["maps"] == [[1280, 3, 3], [672, 6, 6]]
    assert {"versions", "machine", "code"} <= set(result)
    assert "96 px: backbone" in capsys.readouterr().out
