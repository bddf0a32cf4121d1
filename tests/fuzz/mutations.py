"""Inputs that nobody meant to write: JSON values, file bytes and names, changed or invented.

Every strategy starts from something valid, so that a change reaches the code behind the first
check of the form.
"""

import copy
import json
import math
import struct
import zlib

from hypothesis import strategies as st

HUGE = 10**400
# Values in place of any other: wrong types, limits of types, what JSON writers really leave behind.
NASTY = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, HUGE, -HUGE, 0.5, 3.0, -0.0, 1e308, 1e-320,
    math.nan, math.inf, -math.inf, "", " ", "0", "3", "-1", "NaN", "None", "../../etc/passwd",
    "/dev/zero", "C:\\photos\\a.jpg", "a\0b", "a\nb", "\x1b]0;title\x07", "\x1b[2J", "\u202egpj",
    "\ud800", "e\u0301", "\u00e9", "=1+1", "[red]x[/red]", "{{ 7*7 }}", "%s%n", "<script>",
    "x" * 70_000, [], [[]], [0], [0, 0, 0, 0], [1e308] * 4, [None] * 4, [[1, 2, 3, 4, 5, 6]], {},
    {"": 0}, {"a": {"b": {}}}, {"counts": "0", "size": [2**31, 2**31]},
)  # fmt: skip
# What a text of JSON becomes where the file itself is at fault.
DEEP = "[" * 100_000
BREAKS = (
    lambda text: "",
    lambda text: "\ufeff" + text,
    lambda text: text[: len(text) // 2],
    lambda text: text + text,
    lambda text: text + ",",
    lambda text: text.replace(":", ":1e999,", 1) if ":" in text else text,
    lambda text: text.replace("1", "9" * 5_000, 1),
    lambda text: text.replace('"', "'"),
    lambda text: text.replace("{", '{"id":1,"id":2,', 1),
    lambda text: DEEP + text,
    lambda text: '{"a":' * 50_000 + text,
    lambda text: "//" + text,
    lambda text: text.replace("1", "01", 1),
    lambda text: "\0" + text,
    lambda text: text.replace('"id"', '"ID"'),
)
ENCODINGS = ("utf-8", "utf-16", "utf-32", "latin-1")


def rarely(draw, times):
    """Once in so many times; never the value that hypothesis likes best."""
    return draw(st.integers(1, times)) == times - 1


def places(value, path=()):
    """All paths into a JSON value, its own first."""
    yield path
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for key, one in inner:
        yield from places(one, (*path, key))


def at(value, path):
    """The value at a path."""
    for key in path:
        value = value[key]
    return value


@st.composite
def mutated(draw, seed, most=3):
    """`seed` with one to `most` changes: a value replaced, dropped, doubled, renamed or moved."""
    value = copy.deepcopy(seed)
    for _ in range(draw(st.sampled_from((1, 1, 1, *range(1, most + 1))))):
        path = draw(st.sampled_from(list(places(value))))
        if not path:
            continue
        holder, key = at(value, path[:-1]), path[-1]
        change = draw(st.integers(0, 6))
        if change <= 2:
            holder[key] = copy.deepcopy(draw(st.sampled_from(NASTY)))
        elif change == 3:
            del holder[key]
        elif change == 4 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif change == 4:
            holder[str(draw(st.sampled_from(NASTY)))[:80]] = holder.pop(key)
        elif change == 5:
            other = draw(st.sampled_from(list(places(value))))
            holder[key] = copy.deepcopy(at(value, other))
        elif isinstance(holder, dict):
            name = draw(st.sampled_from(("id", "extra", "file_name", "segmentation")))
            holder[name] = copy.deepcopy(draw(st.sampled_from(NASTY)))
    return value


@st.composite
def json_bytes(draw, seed):
    """The bytes of a JSON file: a changed value, now and then in a text that is broken too."""
    text = json.dumps(draw(mutated(seed)))
    if rarely(draw, 8):
        text = draw(st.sampled_from(BREAKS))(text)
    encoding = draw(st.sampled_from(ENCODINGS)) if rarely(draw, 12) else "utf-8"
    data = text.encode(encoding, "replace")
    return draw(cut(data)) if rarely(draw, 12) else data


@st.composite
def cut(draw, data):
    """Bytes changed as disks and transfers do: cut short, zeroed, doubled, single bytes turned."""
    data = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.sampled_from((1, 2, 4, 64, 512)))
        change = draw(st.integers(0, 5))
        if change == 0:
            del data[start:]
        elif change == 1:
            data[start : start + length] = bytes(len(data[start : start + length]))
        elif change == 2:
            data[start:start] = data[start : start + length]
        elif change == 3:
            data[start : start + length] = draw(st.binary(min_size=length, max_size=length))
        elif change == 4 and data:
            data[start] ^= 1 << draw(st.integers(0, 7))
        else:
            del data[start : start + length]
    return bytes(data)


@st.composite
def photo_bytes(draw, photos):
    """A photo's file with damage, or one whose header claims another size."""
    data = draw(st.sampled_from(photos))
    change = draw(st.integers(0, 4))
    side = draw(st.sampled_from((0, 1, 65, 13_000, 19_999, 65_535, 2**31 - 1)))
    if change == 0 and data[1:4] == b"PNG":
        return claim_png(data, side)
    if change == 0 and data[:2] == b"\xff\xd8":
        return claim_jpeg(data, min(side, 65_535))
    if change == 1:
        return draw(st.binary(max_size=400))
    if change == 2:
        return data[:12] + draw(cut(data[12:]))
    return draw(cut(data))


def claim_png(data, side):
    """A PNG whose header says side x side, with a checksum that fits."""
    head = struct.pack(">II", side, side) + data[24:29]
    return data[:16] + head + struct.pack(">I", zlib.crc32(b"IHDR" + head)) + data[33:]


def claim_jpeg(data, side):
    """A JPEG whose frame header says side x side."""
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        start = data.find(marker)
        if start > 0:
            return data[: start + 5] + struct.pack(">HH", side, side) + data[start + 9 :]
    return data


def file_names():
    """Names of files and folders that a disk can hold, as bytes; most of them odd."""
    plain = st.sampled_from(("1.jpg", "2.png", "IMG_1.HEIC", "cola", "tea", "a", "b", "oat drink"))
    odd = st.sampled_from(
        (
            "café", "cafe\u0301", "COLA", "cola ", " cola", ".cola", "con", "nul.jpg", "a:b", "-rf",
            "--help", "=1+1", "[red]x", "<b>", "a'b\"c", "x" * 200, "\u202egpj", "\x1b[2J", "a\nb",
            "%00", "train", "test", "val", "images", "__MACOSX", ".git", "@eaDir", "1", "0", "~",
            "100% juice", "日本茶", "😀", "a\tb", "a|b", "*", "$HOME", "Thumbs.db", ".DS_Store",
        )
    )  # fmt: skip
    text = st.text(min_size=1, max_size=20).map(lambda one: one.encode("utf-8", "surrogatepass"))
    raw = st.one_of(
        plain.map(str.encode), plain.map(str.encode), odd.map(str.encode), odd.map(str.encode),
        text, st.binary(min_size=1, max_size=20),
    )  # fmt: skip
    return raw.map(_on_disk).filter(lambda name: name not in (b"", b".", b".."))


def _on_disk(name):
    return name.replace(b"/", b"_").replace(b"\0", b"_")[:200]
