import argparse
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rpc import __version__
from rpc.cli import leave, main

ROOT = Path(__file__).parents[2]
COMMON = {
    "__init__", "__main__", "main", "leave", "verb_parser", "config_options", "job_options",
    "notes", "number_ranges", "count_video", "counted_files",
}  # fmt: skip


def test_every_verb_has_a_module_and_every_module_a_verb():
    modules = {path.stem for path in (ROOT / "rpc/cli").glob("*.py")}
    assert {main.module_of(verb) for verb in main.VERBS} == {
        name for name in modules - COMMON if not name.endswith("_option")
    }


def test_the_front_page_names_each_verb_once_on_a_line_of_its_own(capsys):
    assert main.main([]) == 0
    page = capsys.readouterr().out
    for verb, what in main.VERBS.items():
        assert len(re.findall(rf"^  {verb} +{re.escape(what)}$", page, flags=re.M)) == 1
    assert max(map(len, page.splitlines())) <= 80
    assert main.main(["--help"]) == 0
    assert capsys.readouterr().out == page


def test_the_front_page_comes_without_torch_or_numpy():
    code = (
        "import sys; from rpc.cli.main import main; main(['--help']); "
        "print(sorted({'torch', 'numpy', 'cv2', 'rich', 'mmengine'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("verb", main.VERBS)
def test_a_verb_shows_the_name_it_was_called_by(verb, capsys, monkeypatch):
    with pytest.raises(SystemExit, match="0"):
        main.main([verb, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: rpc-checkout {verb} ")
    monkeypatch.setattr(sys, "argv", ["/somewhere/script.py"])
    usage = importlib.import_module(f"rpc.cli.{main.module_of(verb)}").parser().format_usage()
    assert usage.startswith("usage: script.py ")


def arguments_of(parser):
    """The parser's arguments, and those of the parsers below it; `--help` apart."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from arguments_of(below)
        elif not isinstance(action, argparse._HelpAction):
            yield parser, action


@pytest.mark.parametrize("verb", main.VERBS)
def test_the_help_of_each_argument_says_what_it_is_and_its_default(verb):
    parser = importlib.import_module(f"rpc.cli.{main.module_of(verb)}").parser()
    for owner, action in arguments_of(parser):
        assert action.help, action.dest
        has_default = action.default not in (None, [], argparse.SUPPRESS)
        has_default &= not isinstance(action.default, bool)
        if action.option_strings and has_default:
            assert "default" in owner._get_formatter()._expand_help(action), action.dest


def test_help_may_stand_before_the_verb(capsys):
    with pytest.raises(SystemExit, match="0"):
        main.main(["help", "check"])
    assert capsys.readouterr().out.startswith("usage: rpc-checkout check ")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("evalute", "unknown verb 'evalute'; did you mean 'evaluate'?"),
        ("train_render", "did you mean 'train-render'?"),
        ("xyzzy", "unknown verb 'xyzzy'; rpc-checkout --help lists them all"),
        ("--model", "unknown option --model; options come after a verb"),
    ],
)
def test_an_unknown_verb_is_one_line_with_the_nearest_and_exit_code_two(
    word, told, capsys, monkeypatch
):
    monkeypatch.delenv("RPC_TRACEBACK", raising=False)
    monkeypatch.setattr(sys, "argv", ["rpc-checkout", word])
    with pytest.raises(SystemExit) as left:
        leave.command()
    out, err = capsys.readouterr()
    assert left.value.code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert told in err


def test_the_version_is_that_of_the_package(capsys):
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out == f"rpc-checkout {__version__}\n"


def test_python_m_is_the_same_command():
    call = [sys.executable, "-m", "rpc.cli", "--version"]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert done.stdout == f"rpc-checkout {__version__}\n"
