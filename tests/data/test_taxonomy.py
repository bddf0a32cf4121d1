import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.files import DataError
from rpc.data.taxonomy import Category, Taxonomy

ids = st.lists(st.integers(1, 10_000), min_size=1, max_size=30, unique=True)


@given(ids)
def test_labels_count_up_from_zero_in_the_order_of_ids(numbers):
    taxonomy = Taxonomy(Category(n, f"sku {n}") for n in numbers)
    assert [taxonomy.label(n) for n in sorted(numbers)] == list(range(len(numbers)))
    assert all(taxonomy.category_id(taxonomy.label(n)) == n for n in numbers)
    assert taxonomy.labels(numbers).tolist() == [taxonomy.label(n) for n in numbers]


@given(ids)
def test_a_taxonomy_comes_back_from_its_plain_list(numbers):
    taxonomy = Taxonomy(Category(n, f"sku {n}", family="f", extra={"shelf": 2}) for n in numbers)
    again = Taxonomy.from_list(json.loads(json.dumps(taxonomy.to_list())))
    assert again == taxonomy
    assert hash(again) == hash(taxonomy)
    assert again.to_list() == taxonomy.to_list()


def test_the_supercategory_is_read_from_the_entry_not_from_ranges_of_ids():
    # RPC's ids 79 and 80 belong to the class of 88 to 96.
    entries = [
        {"id": n, "name": str(n), "supercategory": s}
        for n, s in [(78, "drink"), (79, "milk"), (81, "drink"), (88, "milk")]
    ]
    taxonomy = Taxonomy.from_list(entries)
    assert [c.supercategory for c in taxonomy.categories] == ["drink", "milk", "drink", "milk"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "expected at least one"),
        ([{"id": 1, "name": "a"}, {"id": 1, "name": "b"}], "the id 1 is there twice"),
        ([{"id": 1, "name": "a"}, {"id": 2, "name": "a"}], "the name 'a' is there twice"),
        ([{"name": "a"}], "the field 'id' is missing"),
        ([{"id": 1}], "the field 'name' is missing"),
        ([{"id": "1", "name": "a"}], "expected an integer >= 0, got '1'"),
        ([{"id": True, "name": "a"}], "expected an integer"),
        ([{"id": 1, "name": " "}], "expected a name"),
        (["a"], "expected an object"),
    ],
)
def test_damaged_categories_are_refused(entries, message):
    with pytest.raises(DataError, match=message):
        Taxonomy.from_list(entries)


def test_unknown_ids_labels_and_names_are_refused():
    taxonomy = Taxonomy([Category(3, "a"), Category(9, "b")])
    with pytest.raises(DataError, match=r"category_id 4 is not among the 2 categories \(ids 3 to"):
        taxonomy.label(4)
    with pytest.raises(DataError, match="label 2: expected 0 to 1"):
        taxonomy.category(2)
    with pytest.raises(DataError, match="label -1"):
        taxonomy.category(-1)
    with pytest.raises(DataError, match="'c' is not among"):
        taxonomy.by_name("c")
    assert taxonomy.by_name("b").id == 9


def test_the_difference_of_two_taxonomies_is_told():
    first = Taxonomy([Category(1, "a"), Category(2, "b")])
    assert first.difference(Taxonomy([Category(2, "b"), Category(1, "a")])) == ""
    assert first.difference(Taxonomy([Category(1, "a")])) == "2 SKUs against 1"
    other = Taxonomy([Category(1, "a"), Category(2, "c")])
    assert first.difference(other) == "SKU 2 'b' against 2 'c'"


def test_an_accent_written_in_two_ways_is_one_name():
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    one = Taxonomy.from_list([{"id": 1, "name": composed}])
    other = Taxonomy.from_list([{"id": 1, "name": decomposed}])
    assert one == other
    assert one.difference(other) == ""
    assert one.by_name(decomposed).id == 1
    with pytest.raises(DataError, match="the name 'caf\u00e9' is there twice"):
        Taxonomy.from_list([{"id": 1, "name": composed}, {"id": 2, "name": decomposed}])
