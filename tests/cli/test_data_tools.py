import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rpc.cli import new
from rpc.data.images import write_image

ROOT = Path(__file__).parents[2]


def call(tool, *arguments):
    command = [sys.executable, str(ROOT / "tools" / tool), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_embedded_store_is_told_usable(tmp_path):
    done = call(
        "check_data.py", ROOT / "examples/ministore", "--fast", "--json", tmp_path / "c.json"
    )
    assert done.returncode == 0, done.stderr
    assert "12 SKUs" in done.stdout
    assert json.loads((tmp_path / "c.json").read_text())["usable"] is True


@pytest.mark.parametrize("tool", ["check_data.py", "import_folder.py"])
def test_bad_input_is_one_line_and_exit_code_two(tmp_path, tool):
    extra = [tmp_path / "out"] if tool == "import_folder.py" else []
    done = call(tool, tmp_path / "gone", *extra)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if "error:" in line]
    assert lines == [line for line in lines if "no such folder" in line]
    assert len(lines) == 1


def test_a_folder_of_photos_is_imported_and_then_told_usable(tmp_path):
    rgb = np.full((90, 120, 3), 230, dtype=np.uint8)
    rgb[30:60, 40:80] = (20, 60, 160)
    for number in range(4):
        write_image(tmp_path / "photos" / "tea" / f"{number}.jpg", rgb)
    (tmp_path / "photos" / "tea" / "bad.jpg").write_text("no photo")
    done = call("import_folder.py", tmp_path / "photos", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "4 exemplars" in done.stdout
    assert "tea/bad.jpg: not an image" in done.stdout
    assert "no checkout photos" in done.stdout
    assert "1 SKU, 4 exemplars, 0 backgrounds\n  tea: 4 photos\n" in done.stdout
    assert f"rpc-checkout quickstart --data {tmp_path / 'out'}" in done.stdout
    assert call("check_data.py", tmp_path / "out").returncode == 0
    (tmp_path / "out" / "exemplars" / "1_tea_1.jpg").unlink()
    assert call("check_data.py", tmp_path / "out").returncode == 1


def test_a_store_may_be_named_by_its_place_or_by_out_but_not_twice(tmp_path, capsys):
    for number in range(22):
        rgb = np.full((60, 60, 3), 230, dtype=np.uint8)
        write_image(tmp_path / "photos" / f"sku{number:02d}" / "a.jpg", rgb)
    photos, one, two = (str(tmp_path / name) for name in ("photos", "one", "two"))
    assert new.main([photos, one]) == 0
    by_place = capsys.readouterr().out
    assert new.main([photos, "--out", two]) == 0
    assert capsys.readouterr().out == by_place.replace(one, two).replace("out/one", "out/two")
    assert "  sku19: 1 photo\n  and 2 more\n" in by_place
    assert "sku20:" not in by_place
    for wrong in ([photos], [photos, one, "--out", two]):
        with pytest.raises(SystemExit, match="2"):
            new.main(wrong)
        assert "expected one new folder for the store" in capsys.readouterr().err


def test_folds_of_the_embedded_store_are_stores(tmp_path):
    done = call("make_folds.py", "--data", ROOT / "examples/ministore", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("val 9, test 9") == 2
    again = call(
        "make_folds.py", "--data", tmp_path / "fold1", "--out", tmp_path / "x", "--folds", 40
    )
    assert again.returncode == 2
    assert "9 groups of images cannot be dealt to 40 folds" in again.stderr
