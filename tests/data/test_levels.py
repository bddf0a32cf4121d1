import pytest

from rpc.data.levels import LEVEL_RULES, LEVELS, LevelRule, level_of


@pytest.mark.parametrize(
    ("skus", "items", "level"),
    [
        (3, 3, "easy"),
        (5, 10, "easy"),  # on the bound of two levels: the easier one
        (5, 11, "medium"),
        (8, 15, "medium"),
        (8, 16, "hard"),
        (10, 20, "hard"),
        (2, 3, None),
        (11, 20, None),
        (9, 12, None),
    ],
)
def test_levels_follow_the_rule_of_the_data_set(skus, items, level):
    assert level_of(skus, items) == level


def test_every_tray_a_rule_allows_has_a_level():
    for level in LEVELS:
        rule = LEVEL_RULES[level]
        for skus in range(rule.skus[0], rule.skus[1] + 1):
            for items in range(rule.items[0], rule.items[1] + 1):
                assert level_of(skus, items) in LEVELS


def test_bounds_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="items expected 1 <= low <= high, got 5, 4"):
        LevelRule(skus=(1, 2), items=(5, 4))
