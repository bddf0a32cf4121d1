"""The commands of some pages are run as they stand, in the pages' order, on the embedded store."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from rpc.data.importer import import_folder
from tests.cli.documented import shell_blocks
from tests.cli.small_shop import ROOT

pytestmark = pytest.mark.slow

# Placeholders of the pages, and the files that stand for them in the folder of a run.
PLACES = {
    "FOLDER": "photos/soda_can_0",
    "GALLERY": "gallery",
    "NEW": "milk",
    "OLD": '"oat drink 1 l"',
    "ROOT": "two_skus",
    "STORE": "examples/ministore",
    "photo.jpg": "tray.jpg",
}
# Minutes rather than seconds, or files that nobody has at hand.
LEFT_OUT = re.compile(
    r"^(make |python3? |torchrun )|\.\.\.|quickstart|held-out|recognition-table|recognise|fuse|"
    r"make-descriptor|--recogniser|--ablation|--video|CUB_200|compare|grocery=",
)
SMALLER = (("--count 250", "--count 4"), ("--count 2000", "--count 4"), ("|ivf|exact", ""))
PAGES = {
    "README.md": 1,
    "docs/tutorial.md": 6,
    "docs/gallery.md": 7,
    "docs/colocalisation.md": 3,
    "docs/recognition.md": 2,
}


def lines_of(page):
    """The commands of a page that take seconds, placeholders filled in."""
    for number, block in enumerate(shell_blocks(page)):
        for row, line in enumerate(block.replace("\\\n", " ").splitlines()):
            line = line.replace("gallery remove GALLERY SKU ...", "gallery remove GALLERY NEW")
            if LEFT_OUT.search(line):
                continue
            for long, short in SMALLER:
                line = line.replace(long, short)
            line = line.split(" # ")[0].replace("[", "").replace("]", "")
            for name, file in {**PLACES, "DIR": f"out/{number}_{row}"}.items():
                line = re.sub(rf"(?<![\w/.]){re.escape(name)}(?![\w.])", file, line)
            yield line


@pytest.fixture
def place(tmp_path):
    """A folder with the embedded store, a small one, photos, a tray and a trained model."""
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples/ministore").symlink_to(ROOT / "examples/ministore")
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    store = tmp_path / "examples/ministore"
    for sku in ("soda_can_0", "cup_noodle_2"):
        folder = tmp_path / "photos" / sku
        folder.mkdir(parents=True)
        for photo in sorted((store / "exemplars").glob(f"{sku}_camera0-*.jpg"))[:4]:
            shutil.copy(photo, folder)
            shutil.copy(photo, tmp_path / "photos" / f"{sku}{photo.name}")
    import_folder(tmp_path / "photos", tmp_path / "two_skus")
    shutil.copy(store / "test/test_00000_easy.jpg", tmp_path / "tray.jpg")
    model = shutil.copy(ROOT / "rpc/weights/ministore.pth", tmp_path / "model.pth")
    (tmp_path / "out/mine").mkdir(parents=True)
    shutil.copy(model, tmp_path / "out/mine/model.pth")
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_run(page, place):
    lines = list(lines_of(page))
    assert sum("rpc-checkout" in line for line in lines) >= PAGES[page]
    command = 'rpc-checkout() { "$PYTHON" -m rpc.cli "$@"; }'
    script = "\n".join(["set -eu", command, *lines])
    variables = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", script], cwd=place, env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
