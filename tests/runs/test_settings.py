from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pytest

from rpc.data.files import DataError
from rpc.runs.settings import read_settings_class, typed_values

HINTS = {
    "rate": float,
    "side": int,
    "head": Literal["linear", "cosine"],
    "second": str | None,
    "stages": tuple[int, ...],
    "pair": tuple[float, float],
    "flip": bool,
    "norm": Literal["batch"] | None,
    "parts": Mapping[str, Sequence[int]],
}


@dataclass(frozen=True)
class Settings:
    side: int
    rate: float = 0.5

    def __post_init__(self):
        if self.rate > 1:
            raise ValueError("rate above 1")


@pytest.mark.parametrize(
    "given",
    [
        {"rate": 1, "side": 32, "flip": True},
        {"head": "cosine", "second": None},
        {"second": "vgg16", "stages": [1, 2, 3], "pair": [0.5, 1]},
        {"stages": []},
    ],
)
def test_values_of_the_right_type_pass_with_lists_as_tuples(given):
    expected = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    assert typed_values(HINTS, given, "here") == expected


def test_a_whole_number_becomes_the_float_that_is_asked_for():
    assert repr(typed_values(HINTS, {"rate": 1}, "here")) == "{'rate': 1.0}"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"rate": "fast"}, r"here\.rate: expected float, got 'fast'"),
        ({"side": 1.5}, r"here\.side: expected int"),
        ({"side": True}, r"here\.side: expected int"),
        ({"flip": 1}, r"here\.flip: expected bool"),
        ({"head": "round"}, r"expected 'linear' or 'cosine', got 'round'"),
        ({"stages": [1, "a"]}, r"here\.stages: expected tuple"),
        ({"pair": [0.5]}, r"here\.pair: expected tuple\[float, float\], got \[0\.5\]$"),
        ({"norm": 3}, r"here\.norm: expected 'batch' or None, got 3$"),
        ({"parts": {"head": "ab"}}, r"parts: expected Mapping\[str, Sequence\[int\]\], got"),
        ({"speed": 1}, r"unknown setting speed; known: flip, head, norm, pair"),
    ],
)
def test_a_value_of_another_type_is_told_with_its_place(given, told):
    with pytest.raises(DataError, match=told):
        typed_values(HINTS, given, "here")


def test_a_settings_class_is_made_or_says_what_is_wrong():
    assert read_settings_class(Settings, {"side": 3}, "x") == Settings(3)
    with pytest.raises(DataError, match=r"^x: missing side; expected a value$"):
        read_settings_class(Settings, {}, "x")
    with pytest.raises(DataError, match="x: rate above 1"):
        read_settings_class(Settings, {"side": 3, "rate": 2.0}, "x")


def test_an_integer_that_no_array_holds_is_told():
    for value in (10**400, [2**63]):
        with pytest.raises(DataError, match="an integer of more than 64 bits"):
            typed_values({"side": int | tuple[int, ...]}, {"side": value}, "a.py")
