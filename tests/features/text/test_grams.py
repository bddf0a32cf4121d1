import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.text.grams import gram_confidences, grams_of, words_of
from rpc.structures.readings import Reading, readings_from_json, readings_to_json


def test_letters_that_readers_take_for_each_other_are_one():
    assert grams_of("C0LA 1L") == grams_of("Cola IL")
    assert words_of("Crème brûlée") == words_of("CREME BRULEE")


def test_one_misread_letter_leaves_most_of_a_word():
    right, misread = grams_of("CARAMEL"), grams_of("CARANEL")
    assert len(right & misread) >= len(right) / 2
    assert not right & grams_of("POSTKUB")


@pytest.mark.parametrize("text", ["奥利奥", "ｶﾌｪ", "카페", "शहद", "شاي", "кофе", "น้ำตาล"])
def test_any_script_gives_pieces(text):
    assert grams_of(text)


def test_a_wide_character_counts_by_itself():
    assert "奥" in grams_of("奥利奥")
    assert "c" not in grams_of("cola")


def test_vowel_signs_do_not_cut_a_word():
    assert len(words_of("हिन्दी")) == 1


@given(st.text(max_size=40))
def test_case_and_width_change_nothing(text):
    assert grams_of(text) == grams_of(" ".join(words_of(text)))


def test_the_surest_reading_of_a_piece_counts():
    found = gram_confidences([Reading("mint", 0.5), Reading("min", 0.9)])
    assert found["ml"] == 0.9
    assert found["nt"] == 0.5


@given(st.lists(st.builds(Reading, st.text(min_size=1, max_size=200), st.floats(0, 1)), max_size=5))
def test_readings_come_back_from_plain_values(readings):
    again = readings_from_json(readings_to_json(readings))
    assert [one.text for one in again] == [one.text for one in readings]
    expected = [one.confidence for one in readings]
    np.testing.assert_allclose([one.confidence for one in again], expected, atol=6e-4)


@pytest.mark.parametrize(
    "values",
    [None, {}, [1], ["ab"], [["a"]], [["", 1]], [["a", 2]], [["a", "b"]], [["a" * 201, 1]]],
)
def test_anything_else_is_refused(values):
    with pytest.raises(ValueError, match="expected"):
        readings_from_json(values)


def test_which_word_stands_beside_which_tells_two_lines_apart():
    beef, spicy = grams_of("NUDORI BEEF"), grams_of("NUDORI SPICY BEEF")
    assert beef - spicy  # each has pieces of its own, also the one with fewer words
    assert spicy - beef
    assert grams_of("NUDORIBEEF") == beef  # a reader that loses a gap reads the same
