import argparse
import importlib
import math

import pytest

from rpc.cli.number_ranges import RANGES, Range, require_ranges
from rpc.data.files import DataError
from tests.cli.small_shop import VERB

NUMBERS = (int, float)


def actions(parser):
    """All options of a verb, those of its sub-verbs too."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield from actions(one)
        else:
            yield action


@pytest.mark.parametrize("module", sorted({*VERB.values(), "rpc.cli.bench"}))
def test_every_number_of_every_verb_has_a_range_and_its_default_lies_in_it(module):
    for action in actions(importlib.import_module(module).parser()):
        if action.type in NUMBERS and action.nargs is None:
            assert action.dest in RANGES, f"{module}: {action.dest}"
            if action.default not in (None, argparse.SUPPRESS):
                assert RANGES[action.dest].holds(action.default), action.dest


@pytest.mark.parametrize(
    ("module", "words", "told"),
    [
        ("compose", ["c", "o", "--exemplar-backgrounds", "-1"], "--exemplar-backgrounds -1: "
         "expected 0 or more"),
        ("compose", ["c", "o", "--workers", "0"], "--workers 0: expected 1 to 4096"),
        ("compose", ["c", "o", "--plain", "nan"], "--plain nan: expected 0 to 1"),
        ("render", ["s", "o", "--renderer", "r", "--preview", "-1"], "--preview -1: "),
        ("quickstart", ["--minutes", "0"], "--minutes 0.0: expected above 0"),
        ("quickstart", ["--minutes", "inf"], "--minutes inf: expected above 0"),
        ("quickstart", ["--seed", "4294967296"], "--seed 4294967296: expected 0 to 4294967295"),
        ("make_start", ["detector", "--scenes", "0"], "--scenes 0: expected 1 or more"),
        ("gallery", ["search", "g", "p.jpg", "--count", "0"], "--count 0: expected 1 or more"),
        ("count", ["p.jpg", "--threshold", "50"], "--threshold 50.0: expected 0 to 1"),
    ],
)  # fmt: skip
def test_a_number_out_of_range_is_told_before_the_work(module, words, told):
    with pytest.raises(DataError) as error:
        importlib.import_module(f"rpc.cli.{module}").main(words)
    assert str(error.value).startswith(told)


def test_ranges_hold_their_ends():
    assert Range(0, 1).holds(0)
    assert Range(0, 1).holds(1)
    assert not Range(0, above=True).holds(0)
    assert not Range(0).holds(math.nan)
    assert not Range(0).holds(math.inf)
    require_ranges(argparse.Namespace(seed=None, photos=["a"], count=True, other=-5))
