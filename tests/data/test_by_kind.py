"""Problems by kind: counted, with examples, the rarest first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rpc.data.by_kind import Problem, by_kind, told_by_kind, told_in_one_line


def missing(number: int) -> Problem:
    return Problem(f"val/{number}.jpg", "is missing", "photos are missing", "unpack all parts")


def test_one_damaged_photo_is_told_before_43000_missing_ones():
    damaged = Problem("val/x.jpg", "the image is truncated; replace it")
    lines = told_by_kind([*map(missing, range(43_000)), damaged])
    assert lines == [
        "val/x.jpg: the image is truncated; replace it",
        "43,000 photos are missing, such as val/0.jpg, val/1.jpg, val/2.jpg "
        "and 42,997 more; unpack all parts",
    ]


def test_texts_that_differ_in_numbers_and_names_only_are_one_kind():
    problems = [
        Problem(f"a.json: annotation {n}", f"bbox [{n}, 1] of 'tea {n}' is outside {n}x480 px")
        for n in range(5)
    ]
    (kind,) = by_kind(problems)
    assert len(kind) == 5
    assert kind.told(2) == (
        "a.json: 5 problems of one kind, such as annotation 0 (bbox [0, 1] of 'tea 0' is outside "
        "0x480 px), annotation 1 and 3 more"
    )


def test_an_error_names_the_rarest_kinds_and_counts_the_others():
    problems = [
        Problem("a.json: image 1", what)
        for times, what in enumerate(("one", "two", "three", "four", "five"), start=1)
        for _ in range(times)
    ]
    line = told_in_one_line(problems, kinds=2)
    assert line.startswith("a.json: image 1: one; a.json: 2 problems of one kind")
    assert line.endswith("and 12 more problems of 3 other kinds")
    assert told_in_one_line(problems[:1]) == str(problems[0])


def test_nothing_is_told_of_nothing():
    assert told_by_kind([]) == []
    assert told_in_one_line([]) == ""


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=30))
def test_every_problem_is_in_one_kind_and_rare_kinds_come_first(drawn):
    problems = [Problem(f"f.json: {n}", f"{letter} {n}", kind=letter) for letter, n in drawn]
    kinds = by_kind(problems)
    assert sorted(map(id, (p for kind in kinds for p in kind.problems))) == sorted(
        map(id, problems)
    )
    assert [len(kind) for kind in kinds] == sorted(len(kind) for kind in kinds)
