"""Counting does without the extras, and without what Windows does not have."""

import re
import socket
import subprocess
import sys
import time
from importlib.metadata import packages_distributions
from urllib.request import urlopen

import pytest

from rpc.data.packages import EXTRAS
from tests.packaging.built import ROOT, TRAY, truth

UNIX_ONLY = ("fcntl", "grp", "pwd", "resource", "termios")

# Libraries look optional packages up by find_spec: hidden means not found, as where they are not
# installed. (None in sys.modules would do for `import` alone.)
HIDE = f"""
import importlib, pkgutil, sys
from importlib.machinery import PathFinder
HIDDEN = {{{", ".join(repr(name) for names in EXTRAS.values() for name in names)}}}
class Found(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in HIDDEN else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Found
sys.modules.update(dict.fromkeys({UNIX_ONLY!r}))
"""


def run(text, *arguments, folder):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", HIDE + text, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_tray_is_counted_without_any_extra(tmp_path):
    text = "from rpc.cli.main import main\nsys.exit(main(sys.argv[1:]))"
    done = run(text, "count", TRAY, folder=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    shown = truth()
    assert f"{sum(shown.values())} items, {len(shown)} products" in done.stdout


def test_composing_says_which_extra_it_needs(tmp_path):
    done = run("import synth.compose", folder=tmp_path)
    assert "albumentations: needs the extra 'synth'" in done.stderr
    assert "pip install 'rpc-checkout[synth]'" in done.stderr


@pytest.mark.parametrize("verb", ["recognise", "name-crops"])
def test_an_installation_that_counts_says_what_training_needs(tmp_path, verb):
    command = "from rpc.cli.leave import run as called\ncalled('rpc.cli.main')"
    options = ["--data", tmp_path, "--out", tmp_path / "out"]
    config = [ROOT / "configs/recognition/baseline.py"] if verb == "recognise" else []
    done = run(command, verb, *config, *options, folder=tmp_path)
    told = done.stderr.strip().splitlines()
    assert done.returncode == 2, done.stderr[-2000:]
    assert len(told) == 1
    assert re.match(r"error: (torch|mmengine): needs the extra 'train'", told[0])
    assert "pip install 'rpc-checkout[train]'" in told[0]


# What trains, exports or measures with torch.
WITH_TORCH = (
    "rpc.checkout.trained",
    "rpc.cli.compose",
    "rpc.cli.name_crops",
    "rpc.cli.recognition_table",
    "rpc.detection",
    "rpc.features",
    "rpc.pipelines",
    "rpc.recognition",
    "rpc.retrieval",
    "rpc.runs",
    "rpc.serving",
)


@pytest.mark.slow
def test_what_counts_checks_and_reports_is_imported_without_any_extra(tmp_path):
    text = (
        "import rpc\n"
        f"WITH = {WITH_TORCH!r}\n"
        "for found in pkgutil.walk_packages(rpc.__path__, 'rpc.', onerror=str):\n"
        "    if not found.name.endswith('__main__') and not found.name.startswith(WITH):\n"
        "        importlib.import_module(found.name)\n"
        "from rpc.retrieval.gallery import gallery\n"
        "from rpc.runs import openvino_files\n"
        "assert not HIDDEN & {name for name, module in sys.modules.items() if module}"
    )
    done = run(text, folder=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_the_demonstration_runs_with_what_the_extra_serve_brings_alone(tmp_path):
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    brought = names(project["optional-dependencies"]["serve"])
    origin = packages_distributions()
    kept = [
        module
        for modules in EXTRAS.values()
        for module in modules
        if names(origin.get(module, ())) & brought
    ]
    assert {"fastapi", "faiss"} <= set(kept)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = (
        f"HIDDEN -= set({kept!r})\nfrom rpc.cli.leave import run as called\ncalled('rpc.cli.main')"
    )
    command = [sys.executable, "-W", "ignore", "-c", HIDE + text, "serve", "--demo"]
    command += ["--port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as server:
        try:
            answered = False
            for _ in range(240):
                assert server.poll() is None, server.stderr.read()[-2000:]
                try:
                    with urlopen(f"http://127.0.0.1:{port}/healthz") as found:
                        answered = found.status == 200
                        break
                except OSError:
                    time.sleep(0.5)
        finally:
            server.terminate()
    assert answered


def test_the_extras_that_messages_name_are_those_of_the_package():
    tomllib = pytest.importorskip("tomllib")
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = listed["optional-dependencies"]
    origin = packages_distributions()
    core = names(listed["dependencies"])
    for extra, modules in EXTRAS.items():
        for module in modules:
            pytest.importorskip(module)
        distributions = names(name for module in modules for name in origin[module])
        assert distributions <= names(optional[extra])
        assert not distributions & core
        assert extra in optional["all"][0]


def names(requirements):
    return {re.split("[<=>]", line)[0].replace("_", "-").lower() for line in requirements}
