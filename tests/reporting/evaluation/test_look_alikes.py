from hypothesis import given
from hypothesis import strategies as st

from rpc.data import Category, Taxonomy
from rpc.reporting.evaluation.look_alikes import look_alikes

TAXONOMY = Taxonomy(
    [
        *(Category(n, f"can {n}", "drink", "can") for n in (1, 4)),
        *(Category(n, f"bag {n}", "snack", "bag", f"Bag No. {n}") for n in (2, 3)),
        Category(5, "soap", "care"),
    ]
)


def pair(truth, predicted, times):
    return {
        "truth": {"category_id": truth},
        "predicted": {"category_id": predicted},
        "times": times,
    }


def test_families_stand_together_the_most_confused_first():
    block = look_alikes([pair(1, 4, 2), pair(2, 3, 5), pair(3, 5, 1)], TAXONOMY)
    assert block["skus"] == ["Bag No. 2", "Bag No. 3", "can 1", "can 4", "soap"]
    assert block["families"] == ["bag", "bag", "can", "can", "care"]
    assert block["times"][0] == [0, 5, 0, 0, 0]
    assert block["times"][1] == [0, 0, 0, 0, 1]
    assert block["times"][2] == [0, 0, 0, 2, 0]


def test_where_there_is_no_room_the_rest_is_left_out():
    pairs = [pair(1, 4, 2), pair(2, 3, 5)]
    assert look_alikes(pairs, TAXONOMY, most=3)["families"] == ["bag", "bag"]
    many = Taxonomy(Category(n, f"sku {n}") for n in range(1, 30))
    block = look_alikes([pair(n, n + 1, n) for n in range(1, 29)], many, most=4)
    assert block["skus"] == ["sku 26", "sku 27", "sku 28", "sku 29"] or len(block["skus"]) == 4
    assert "sku 28" in block["skus"]


def test_without_confusions_it_is_empty():
    assert look_alikes([], TAXONOMY) == {"skus": [], "families": [], "times": []}


@given(st.dictionaries(st.permutations(range(1, 6)).map(lambda p: (p[0], p[1])), st.integers(1, 9)))
def test_with_room_for_all_no_confusion_is_lost(times):
    block = look_alikes([pair(*ids, number) for ids, number in times.items()], TAXONOMY)
    assert sum(map(sum, block["times"])) == sum(times.values())
    assert len(set(block["skus"])) == len(block["skus"]) == len(block["times"])
