"""Names of files that we write: unique everywhere, short, readable, the same each time."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.file_names import DEVICES, MOST_BYTES, PHOTO_SIGNS, FileNames

# Names as people give them, and the nasty ones: what makes two of them one file somewhere.
HARD = st.sampled_from(
    [
        *("1", "1_2", "1_2_2", "7up/lime", "7up lime", "7UP_LIME", "CON", "con.1", "nul ", "LPT¹"),
        *("", ".", "..", "-rf", "a\nb", "a\0b", "\udcff", "x\u200d", "x\ufe0f"),
        *(
            "e\u0301",
            "\u00e9",
            "E\u0301",
            "\u212b",
            "\u00c5",
            "ß",
            "SS",
            "İ",
            "ı",
            "ſ",
            "s",
            "ﬁ",
            "fi",
        ),
        *("a" * 300, "a" * 299 + "b", "日本" * 90, "हिन्दी"),
    ]
)
WANTED = st.lists(st.one_of(HARD, st.text(max_size=12)), max_size=30)
SUFFIX = st.sampled_from(["", ".png", "_list.json"])


def same_file(name):
    """How the strictest file systems compare names."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def give_all(wanted, suffix="", **options):
    names = FileNames(**options)
    return [names.give(one, suffix) for one in wanted]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("cola_camera3-1", "cola_camera3-1.png"),
        ("12_crisps 40 g (red)", "12_crisps_40_g_red_.png"),
        ("jus d’orange 1,5 l", "jus_d_orange_1_5_l.png"),
        ("Zoë", "Zoë.png"),
        ("Zoe\u0308", "Zoë.png"),
        ("ばら.v2", "ばら.v2.png"),
        ("हिन्दी चाय", "हिन्दी_चाय.png"),
        ("../../etc/passwd", "_.._etc_passwd.png"),
        ("a\x1b[31mb", "a_31mb.png"),
        ("con", "_con.png"),
        ("NUL.tar", "_NUL.tar.png"),
        ("console", "console.png"),
        ("...", "unnamed.png"),
        ("", "unnamed.png"),
    ],
)
def test_a_name_stays_as_readable_as_it_may(wanted, name):
    assert FileNames().give(wanted, ".png") == name


def test_photo_signs_stay_where_a_caller_keeps_them():
    names = FileNames(keep=PHOTO_SIGNS)
    assert names.give("IMG 12 (copy), tray", ".jpg") == "IMG 12 (copy), tray.jpg"
    assert names.give(' a<b>c:"d" ', ".jpg") == "a_b_c_d_.jpg"


def test_one_file_by_any_file_system_is_given_once():
    wanted = ["1", "1", "1_2", "A", "a", "e\u0301", "\u00e9", "\u00c9", "7up/lime", "7up lime"]
    assert give_all(wanted, ".png") == [
        "1.png", "1_2.png", "1_2_2.png", "A.png", "a_2.png", "é.png", "é_2.png", "É_3.png",
        "7up_lime.png", "7up_lime_2.png",
    ]  # fmt: skip
    assert give_all(["b.png"], taken=["B.PNG"]) == ["b.png_2"]


@given(WANTED, SUFFIX, st.booleans())
def test_names_are_unique_short_and_harmless(wanted, suffix, keep):
    given_out = give_all(wanted, suffix, keep=PHOTO_SIGNS if keep else "")
    assert len({same_file(name) for name in given_out}) == len(wanted)
    for name in given_out:
        assert 0 < len(name.encode("utf-8")) <= MOST_BYTES
        assert name == unicodedata.normalize("NFC", name)
        assert name.endswith(suffix)
        assert not set(name) & set('/\\:*?"<>|\0')
        assert name.isprintable()
        assert name[0] not in ". "
        assert name[-1] not in ". "
        assert name.partition(".")[0].casefold() not in DEVICES


@given(WANTED, SUFFIX)
def test_names_depend_on_what_was_asked_before_and_nothing_else(wanted, suffix):
    assert give_all(wanted, suffix) == give_all(wanted, suffix)
    half = len(wanted) // 2
    assert give_all(wanted, suffix)[:half] == give_all(wanted[:half], suffix)


def test_many_photos_of_one_name_are_no_slower_than_others():
    assert len(set(give_all(["same"] * 20_000, ".png"))) == 20_000
