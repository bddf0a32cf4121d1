import csv
import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.plain_text import csv_cell, plain_lines, plain_text

any_text = st.text(st.characters())  # lone surrogates included: names that are no text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b]0;x\x07", "\\u001b]0;x\\u0007"),
        ("tea\nsoap\r\t", "tea\\nsoap\\r\\t"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\x9b31m", "\\u009b31m"),
        ("\udcff.jpg", "\\udcff.jpg"),
        ("\U000e0041", "\\udb40\\udc41"),
        ("", ""),
    ],
)
def test_what_would_steer_a_screen_is_shown(raw, shown):
    assert plain_text(raw) == shown


@pytest.mark.parametrize(
    "name", ["café", "茶 500 ml", "שלום", "نان", "👩‍🍳 tea", "a\\b [red] | <b>"]
)
def test_names_of_all_scripts_stay_as_they_are(name):
    assert plain_text(name) == name


@given(any_text)
def test_nothing_raw_is_left_and_again_changes_nothing(text):
    shown = plain_text(text)
    assert plain_text(shown) == shown
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(c) for c in shown} & {"RLO", "LRO", "RLE", "LRE", "PDF"}
    shown.encode("utf-8")


@given(st.dictionaries(st.text(), any_text))
def test_json_on_the_screen_stays_the_same_json(value):
    text = json.dumps(value, ensure_ascii=False)
    assert json.loads(plain_text(text).encode()) == json.loads(text)


@given(any_text)
def test_lines_stay_lines(text):
    assert plain_lines(text).count("\n") == text.count("\n")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝", "\n@"])
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(start):
    assert str(csv_cell(f'{start}HYPERLINK("http://a";"b")')).startswith("'")


@pytest.mark.parametrize("value", [0.5, -3, None, True])
def test_numbers_stay_numbers(value):
    assert csv_cell(value) is value


@given(st.lists(any_text, min_size=1, max_size=4))
def test_a_row_of_cells_is_read_back_as_one_row(cells):
    text = io.StringIO()
    csv.writer(text).writerow(map(csv_cell, cells))
    rows = list(csv.reader(text.getvalue().splitlines(keepends=True)))
    assert rows == [[str(csv_cell(cell)) for cell in cells]]
