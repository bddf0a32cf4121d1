import pytest

from rpc.features.parts.key_point_groups import BIRD, checked_groups


def test_the_groups_of_a_bird_are_kept_as_they_are():
    assert checked_groups(BIRD, "system") == BIRD
    assert checked_groups({"head": [2, 0]}, "system") == {"head": (2, 0)}


@pytest.mark.parametrize("groups", [{}, {"object": (0,)}, (0, 1), None])
def test_no_parts_and_a_part_called_object_are_told(groups):
    with pytest.raises(ValueError, match="system: expected groups of key points"):
        checked_groups(groups, "system")


@pytest.mark.parametrize("group", [(), (-1,), "ab", (0.5,), (True,), 3, None])
def test_a_group_holds_numbers_of_points(group):
    with pytest.raises(ValueError, match="part 'head': expected numbers of key points"):
        checked_groups({"head": group}, "system")
