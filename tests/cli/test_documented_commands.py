"""README.md and docs/ name verbs, options and choices that there are."""

import argparse
import importlib
import re

import pytest

from rpc.cli.main import VERBS, module_of
from tests.cli.documented import ROOT, commands

COMMANDS = list(commands())
MODULES = {module_of(verb) for verb in VERBS}


class Wrong(Exception):
    pass


def parse(module, words, *, whole):
    """Parse the words as the verb does; raises Wrong with the parser's own words."""
    parsers = [importlib.import_module(f"rpc.cli.{module}").parser()]
    for parser in parsers:
        parser.allow_abbrev = False
        parser.error = _raise
        for group in parser._mutually_exclusive_groups:
            group.required &= whole
        for action in parser._actions:
            action.required = whole and action.required
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
    try:
        return parsers[0].parse_args(words)
    except Wrong as wrong:
        # `cutouts --sizes` in a sentence names an option without its value.
        if whole or f"argument {words[-1]}: expected " not in str(wrong):
            raise


def _raise(message):
    raise Wrong(message)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: f"{c.page}: {c.text}"[:90])
def test_a_documented_command_is_understood(command):
    if command.module.startswith("benchmark/"):
        source = (ROOT / "tools" / f"{command.module}.py").read_text(encoding="utf-8")
        for word in command.words:
            assert not word.startswith("--") or f'"{word}"' in source
    elif command.module:
        assert command.module in MODULES
        if command.words and command.words != ("--help",):
            parse(command.module, command.words, whole=command.whole)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: f"{c.page}: {c.text}"[:90])
def test_the_shipped_files_of_a_command_are_there(command):
    for word in command.words:
        if word.startswith(("examples/", "configs/")):
            assert (ROOT / word).exists()


def options(parser):
    """All options of a parser and of those below it."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from options(below)


def test_the_pages_name_no_option_that_is_not_there():
    parsers = [importlib.import_module(f"rpc.cli.{module}").parser() for module in MODULES]
    known = {option for parser in parsers for option in options(parser)}
    known |= {"--version", "--nproc-per-node"}  # of the command itself, and of torchrun
    for script in (ROOT / "tools/benchmark").glob("*.py"):
        known |= set(re.findall(r'"(--[\w-]+)"', script.read_text(encoding="utf-8")))
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text)) <= known, page


def test_the_pages_name_most_verbs():
    named = {command.module for command in COMMANDS}
    assert len(MODULES & named) > 20, MODULES - named


@pytest.mark.parametrize(
    ("module", "words", "told"),
    [
        ("new", ["PHOTOS", "--output", "STORE"], "unrecognized arguments: --output"),
        ("evaluate", ["--protocol", "strict"], "invalid choice: 'strict'"),
        ("gallery", ["index", "GALLERY", "--kinds", "ivf"], "unrecognized arguments"),
        ("compose", ["A", "B", "--count", "many"], "invalid int value"),
    ],
)
def test_a_wrong_command_would_be_found(module, words, told):
    with pytest.raises(Wrong, match=told):
        parse(module, words, whole=False)


def test_a_whole_command_must_have_what_is_required():
    with pytest.raises(Wrong, match="required"):
        parse("evaluate", ["--gt", "GT.json"], whole=True)
