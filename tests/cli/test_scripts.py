"""The scripts of tools/ are thin: their work, options and defaults are the verbs' in rpc.cli."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.small_shop import VERB

TOOLS = Path(__file__).parents[2] / "tools"
SCRIPTS = sorted(TOOLS.glob("*.py"))
LONGEST = 12  # lines


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_calls_one_verb_and_nothing_else(script):
    text = script.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    imported = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert all(isinstance(node, ast.ImportFrom) for node in imported)
    # Nothing else before `run`, which hears signals from then on.
    assert {node.module for node in imported} == {"rpc.cli.leave"}
    assert f'if __name__ == "__main__":\n    run("{VERB[script.stem]}")\n' in text


def test_no_script_is_untested():
    assert {script.stem for script in SCRIPTS} == set(VERB)


def test_every_python_file_of_tools_can_be_called():
    for script in TOOLS.rglob("*.py"):
        assert 'if __name__ == "__main__":' in script.read_text(encoding="utf-8"), script


@pytest.mark.parametrize("name", ["eval_aco", "benchmark/evaluate"])
def test_a_script_shows_its_own_name(name):
    call = [sys.executable, TOOLS / f"{name}.py", "--help"]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"usage: {Path(name).name}.py ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "script", sorted((TOOLS / "benchmark").glob("*.py")), ids=lambda path: path.stem
)
def test_a_benchmark_tells_its_options(script):
    call = [sys.executable, script, "--help"]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"usage: {script.name} ")
