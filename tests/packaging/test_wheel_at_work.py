import ast
import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.packaging.built import ROOT, TRAY, truth, unpack_wheel

pytestmark = pytest.mark.slow

# Whatever is opened or listed in the checkout is a fault; third-party packages may live there.
GUARD = f"""
import os, runpy, sys
ROOT, LIBRARIES = {str(ROOT)!r} + os.sep, sys.prefix + os.sep
def guard(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], str):
        path = os.path.abspath(arguments[0]) + os.sep
        if path.startswith(ROOT) and not path.startswith(LIBRARIES):
            raise RuntimeError(f"reads the checkout: {{path}}")
sys.addaudithook(guard)
import rpc
assert rpc.__file__.startswith(os.environ["PYTHONPATH"] + os.sep), rpc.__file__
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return unpack_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def empty(tmp_path):
    """A folder with nothing but a photo."""
    shutil.copy(TRAY, tmp_path / "tray.jpg")
    return tmp_path


def python(site, folder, text, *arguments):
    environment = {
        **os.environ,
        "PYTHONPATH": str(site),
        "HOME": str(folder),
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", GUARD + text, *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_command_counts_a_tray(site, empty):
    python(site, empty, "runpy.run_module('rpc.cli', run_name='__main__')", "count", "tray.jpg")
    (listing,) = empty.rglob("*_list.json")
    assert json.loads(listing.read_text())["counts"] == truth()


def test_three_lines_count_a_tray(site, empty):
    text = "counter = rpc.load()\nreceipt = counter('tray.jpg')\nprint(receipt.counts)"
    assert ast.literal_eval(python(site, empty, text)) == truth()


def test_the_doctor_finds_everything_beside_the_modules(site, empty):
    text = "runpy.run_module('rpc.cli', run_name='__main__')"
    found = json.loads(python(site, empty, text, "doctor", "--json"))
    assert found["usable"]
    assert all(path.startswith(str(site)) for path in found["files"].values())


def test_a_training_finds_the_shipped_config_with_its_bases(site, empty):
    text = (
        "from rpc.data.shipped import shipped\n"
        "from rpc.detection.config import build_config\n"
        "config = build_config(shipped('configs/cpu_default.py'), shipped('examples/ministore'))\n"
        "print(config.model.type, config.filename)"
    )
    kind, path = python(site, empty, text).split()
    assert kind
    assert path.startswith(str(site))
