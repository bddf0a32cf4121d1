"""Counting does without the extras, and without what Windows does not have."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions

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


@pytest.mark.slow
def test_every_module_that_does_not_compose_or_serve_is_imported_without_any_extra(tmp_path):
    text = (
        "import rpc\n"
        "from rpc.data.files import DataError\n"
        "for found in pkgutil.walk_packages(rpc.__path__, 'rpc.', onerror=str):\n"
        "    if found.name.endswith('__main__'):\n"
        "        continue\n"
        "    try:\n"
        "        importlib.import_module(found.name)\n"
        "    except DataError as error:\n"
        "        if found.name.startswith('rpc.serving'):\n"
        "            assert str(error).startswith(\"alembic: needs the extra 'serve'\"), error\n"
        "            continue\n"
        "        assert found.name.startswith(('rpc.cli.', 'rpc.pipelines.')), found.name\n"
        "        assert str(error).startswith(\"albumentations: needs the extra 'synth'\"), error\n"
        "assert not HIDDEN & {name for name, module in sys.modules.items() if module}"
    )
    done = run(text, folder=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]


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
