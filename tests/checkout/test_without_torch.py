"""What counts at a till imports no torch: a subprocess in which there is none shows it."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.packaging.built import truth

ROOT = Path(__file__).parents[2]
TRAINING = ("torch", "torchvision", "timm", "mmdet", "mmcv", "mmengine")
HIDE = f"""
import sys
from importlib.machinery import PathFinder
class Found(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] in {TRAINING!r}
        return None if hidden else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Found
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
    assert "a model file runs in torch, which is not installed: pip install" in said
    assert "rpc-checkout export ministore.pth --out DIR" in said


def test_the_doctor_finds_that_trays_are_counted_without_torch():
    said = run_without_torch("from rpc.cli.main import main\nmain(['doctor'])")
    assert "torch is not installed: exported counters alone" in said
    assert said.endswith("ok: trays are counted here\n")


def test_the_shipped_counter_counts_without_torch():
    said = run_without_torch(
        "import rpc\ncounter = rpc.load()\n"
        "print(counter('examples/ministore/val/val_00003_easy.jpg').counts)\n"
        "assert not {'torch', 'mmdet', 'timm', 'matplotlib'} & set(sys.modules)"
    )
    assert ast.literal_eval(said) == truth()


def test_a_counter_starts_without_what_takes_long_and_a_sure_tray_does_not_need():
    said = run_without_torch(
        "import rpc\ncounter = rpc.load()\n"
        "print(len(counter('examples/ministore/val/val_00003_easy.jpg').questions))\n"
        "print({'scipy', 'faiss', 'rapidocr', 'openvino'} & set(sys.modules))"
    )
    assert said.splitlines() == ["0", "set()"]


def test_a_product_enters_a_gallery_and_is_counted_without_torch(tmp_path):
    photos = sorted((ROOT / "examples/ministore/exemplars").glob("cup_noodle_1_camera0*"))[:3]
    other = sorted((ROOT / "examples/ministore/exemplars").glob("chips_bag_2_camera0*"))[:3]
    said = run_without_torch(
        "import rpc\nfrom rpc.cli.main import main\n"
        "folder, half = sys.argv[1], (len(sys.argv) - 2) // 2\n"
        "add = ['gallery', 'add', '--no-words', folder]\n"
        "main([*add, 'noodle', *sys.argv[2 : 2 + half]])\n"
        "main([*add, 'chips', *sys.argv[2 + half :]])\n"
        "counter = rpc.load(gallery=folder, threshold=0.3)\n"
        "print(counter.taxonomy.names)\n"
        "print(len(counter('examples/ministore/val/val_00003_easy.jpg').items) > 0)",
        tmp_path / "gallery",
        *photos,
        *other,
    )
    assert said.splitlines()[-2:] == ["('noodle', 'chips')", "True"]
