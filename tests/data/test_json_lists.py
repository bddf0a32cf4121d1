import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.files import DataError
from rpc.data.json_lists import first_entry, read_list

# Texts and objects in which an entry seems to end, and does not.
tricky = st.sampled_from(["},", '"},{"', "}]", "[", "\\", "名\n"]) | st.text(max_size=5)
values = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | tricky,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(tricky, inner, max_size=3),
    max_leaves=6,
)
lists = st.lists(st.dictionaries(tricky, values, max_size=4) | values, max_size=12)


def read(path, size):
    entries = []
    for first, piece in read_list(path, size=size):
        assert first == len(entries)
        entries += piece
    return entries


@given(lists, st.integers(1, 200), st.sampled_from([None, 1]), st.booleans())
def test_the_pieces_are_the_list_wherever_the_file_is_cut(
    tmp_path_factory, content, size, indent, with_bom
):
    path = tmp_path_factory.mktemp("json") / "x.json"
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    path.write_text(text, encoding="utf-8-sig" if with_bom else "utf-8")
    assert read(path, size) == content
    assert first_entry(path) == (content[0] if content else None)


@given(lists, st.integers(3, 60), st.data())
def test_a_damaged_text_is_told_as_pythons_reader_tells_it(tmp_path_factory, content, size, data):
    text = json.dumps(content)
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + data.draw(st.sampled_from(["", "}", ",", '"', "]", "x"])) + text[at + 1 :]
    path = tmp_path_factory.mktemp("json") / "x.json"
    path.write_text(text)
    expected, end = _by_python(text)
    if isinstance(expected, list):
        assert read(path, size) == expected
        return
    with pytest.raises(DataError, match=r"not valid JSON at line 1|expected a JSON") as caught:
        read(path, size)
    if text.startswith("["):
        # Where a piece ends, the message may be that of the end; the place is never further on.
        column = int(str(caught.value).partition("column ")[2].partition(":")[0])
        assert column <= max(end, 1)


def _by_python(text):
    """The value, or None and the column of the damage."""
    try:
        return json.loads(text), None
    except json.JSONDecodeError as error:
        return None, error.colno


def test_a_place_behind_many_lines_is_right(tmp_path):
    path = tmp_path / "x.json"
    good = json.dumps([{"a": n} for n in range(50)], indent=1)
    path.write_text(good.replace('"a": 40', '"a" 40'))
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(path.read_text())
    expected = f"line {caught.value.lineno}, column {caught.value.colno}: Expecting ':' delimiter"
    with pytest.raises(DataError, match=expected):
        read(path, 64)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not valid JSON at line 1, column 1"),
        (b"  \n [", "not valid JSON at line 2, column 3"),
        (b"{}", "expected a JSON list .* begins with '{}'"),
        (b'"' + b"x" * 100 + b'"', "expected a JSON list .* begins with '\"xxx"),
        (b"\0" * 100, "(expected a JSON list|not valid JSON at line 1, column 1)"),
        (b'[{"a": 1}, {"b": 2},]', "not valid JSON at line 1"),
        (b'[{"a": 1}, {"b": 2}] ]', "not valid JSON at line 1, column 22: Extra data"),
        (b'[{"a": "\xff\xfe"}]', "not UTF-8"),
        (b"[" * 100_000, "not usable JSON"),
    ],
)
@pytest.mark.parametrize("size", [16, 1 << 20])
def test_a_file_that_is_no_list_is_refused(tmp_path, content, message, size):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"x\.json: {message}") as caught:
        read(path, size)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    for look in (first_entry, lambda path: read(path, 99)):
        with pytest.raises(DataError, match=r"gone\.json: cannot be read: No such file"):
            look(tmp_path / "gone.json")


def test_the_first_entry_of_a_damaged_list_is_there_if_it_is_sound(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('[{"counts": []}, {"counts"')
    assert first_entry(path) == {"counts": []}
    path.write_text("[{")
    assert first_entry(path) is None
    path.write_text("{}")
    assert first_entry(path) is None
