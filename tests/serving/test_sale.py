"""A sale is what was counted and the changes after it: sums, undo and replay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.serving import sale as core
from rpc.serving.sale import Alternative, CorrectionError, Item, PricedSku

PRODUCTS = [
    PricedSku("tea", "Green tea", 249),
    PricedSku("soap", "Soap", 100),
    PricedSku("cola", "Cola"),
    PricedSku("gum", "Gum", 0),
]
product = st.sampled_from(PRODUCTS)


@st.composite
def counted(draw):
    """What a counter may say: items that count, and questions that do not."""
    made = []
    for number in range(1, draw(st.integers(0, 6)) + 1):
        what, asked = draw(product), draw(st.booleans())
        made.append(
            Item(
                number,
                what.sku,
                what.title,
                what.price_cents,
                draw(st.sampled_from([None, (0.0, 0.0, 5.0, 5.0)])),
                draw(st.sampled_from([None, 0.2, 0.99])),
                counted=not asked or draw(st.booleans()),
                open=asked,
                reason="name" if asked else None,
                alternatives=(Alternative("tea", "Green tea", 0.5),),
            )
        )
    return made


steps = st.lists(
    st.tuples(
        st.sampled_from(["rename", "remove", "confirm", "add", "count", "undo"]),
        st.integers(0, 9),
        product,
        st.integers(0, 5),
    ),
    max_size=25,
)


def change_of(items, changes, first, step):
    """The change that a step asks for; None where it does not fit."""
    kind, number, what, count = step
    fresh = core.next_id(first, changes)
    try:
        match kind:
            case "rename":
                return core.renamed(items, number, what)
            case "remove":
                return core.removed(items, number)
            case "confirm":
                return core.confirmed(items, number)
            case "add":
                return core.added(fresh, what)
            case "count":
                return core.set_count(items, fresh, what, count)
            case _:
                return core.Change("undone") if core.standing(changes) else None
    except CorrectionError:
        return None


@given(counted(), steps)
def test_whatever_is_corrected_sums_agree_undo_restores_and_replay_gives_the_same(first, asked):
    items, changes, before = tuple(first), [], []
    for step in asked:
        change = change_of(items, changes, first, step)
        if change is None:
            continue
        changes.append(change)
        if change.kind == "undone":
            items = before.pop()
        else:
            before.append(items)
            items = core.applied(items, change)
        assert core.replay(first, changes) == items
        stored = [core.change_from_dict(core.change_to_dict(one)) for one in changes]
        assert core.replay(first, stored) == items
        assert [core.item_from_dict(core.item_to_dict(one)) for one in items] == list(items)
        lines = core.lines_of(items)
        assert sum(line.sum_cents or 0 for line in lines) == core.total_cents(items)
        assert sum(line.count for line in lines) == sum(item.counted for item in items)
        assert len({item.id for item in items}) == len(items)
        if change.kind == "count":
            own = [item for item in items if item.counted and item.sku == step[2].sku]
            assert len(own) == step[3]
    while before:
        changes.append(core.Change("undone"))
        assert core.replay(first, changes) == before.pop()


def test_without_undo_the_changes_stand_in_their_order():
    a, b = core.added(1, PRODUCTS[0]), core.added(2, PRODUCTS[1])
    undone = core.Change("undone")
    assert core.standing([a, undone, b, undone, undone]) == []
    assert core.standing([a, b, undone]) == [a]


def test_a_count_takes_items_without_a_place_first_then_the_least_sure():
    box = (0.0, 0.0, 1.0, 1.0)
    items = [
        Item(1, "tea", "Tea", 1, box, 0.9),
        Item(2, "tea", "Tea", 1, box, 0.4),
        Item(3, "tea", "Tea", 1, source="added"),
    ]
    tea = PricedSku("tea", "Tea", 1)
    assert core.set_count(items, 4, tea, 2).removed == (3,)
    assert set(core.set_count(items, 4, tea, 1).removed) == {3, 2}
    assert core.set_count(items, 4, tea, 5).added == (4, 5)


def test_a_price_change_does_not_join_lines_of_two_prices():
    items = [Item(1, "tea", "Tea", 100), Item(2, "tea", "Tea", 120), Item(3, "tea", "Tea")]
    lines = core.lines_of(items)
    assert [(line.count, line.sum_cents) for line in lines] == [(1, None), (1, 100), (1, 120)]
    assert (core.total_cents(items), core.unpriced(items)) == (220, 1)


def test_open_questions_are_shown_first_then_the_surest():
    items = [
        Item(1, "a", "A", probability=0.5),
        Item(2, "b", "B", probability=0.9),
        Item(3, "c", "C", probability=0.1, open=True),
    ]
    assert [item.id for item in core.shown(items)] == [3, 2, 1]


def test_an_item_that_is_not_there_cannot_be_corrected():
    with pytest.raises(CorrectionError, match="item 7"):
        core.removed([], 7)
