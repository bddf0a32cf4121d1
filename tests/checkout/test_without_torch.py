"""What counts at a till imports no torch: a subprocess in which there is none shows it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRAINING = ("torch", "torchvision", "timm", "mmdet", "mmcv", "mmengine")
HIDE = f"""
import sys
class Hidden:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {TRAINING!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden)
sys.path.insert(0, {str(ROOT)!r})
"""


def run_without_torch(text, *arguments, folder=ROOT):
    """What a program says where torch is not installed."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", HIDE + text, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_counters_galleries_reports_and_words_are_imported_without_torch():
    names = (
        "rpc.checkout.loading, rpc.retrieval.gallery.gallery, rpc.retrieval.gallery.gallery_edit, "
        "rpc.retrieval.gallery.exemplar_photos, rpc.pipelines.gallery.adding, "
        "rpc.pipelines.evaluation, rpc.features.text.pack_reader, rpc.recognition.local_look, "
        "rpc.cli.count, rpc.cli.detect, rpc.cli.gallery, rpc.cli.evaluate, rpc.cli.doctor"
    )
    assert run_without_torch(f"import {names}\nprint('done')") == "done\n"


def test_a_model_file_says_what_it_needs():
    said = run_without_torch("import rpc\nrpc.load('rpc/weights/ministore.pth')")
    assert "rpc.data.files.DataError: torch: " in said
    assert "pip install" in said
