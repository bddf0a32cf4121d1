import pytest

from rpc.features.parts.key_point_groups import (
    BIRD,
    BIRD_POINTS,
    checked_groups,
    numbered_groups,
)


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


POINTS = ("logo", "front_top", "front_left", "cap [red]")


def test_groups_by_name_pattern_and_number_are_the_data_s_numbers():
    groups = {"front": ["front_*"], "mark": ["logo"], "all": ["cap [red]", 0, "*"]}
    made = numbered_groups(groups, POINTS, "system")
    assert made == {"front": [1, 2], "mark": [0], "all": [3, 0, 1, 2]}
    assert checked_groups(made, "system")["front"] == (1, 2)


@pytest.mark.parametrize("wanted", ["beak", "FRONT_*", 4, -1, True, 0.5, None])
def test_a_point_that_the_data_lack_is_told_with_those_that_they_have(wanted):
    with pytest.raises(
        ValueError, match=r"system: head: the data have no key point .*; they have l"
    ):
        numbered_groups({"head": ["logo", wanted]}, POINTS, "system")


@pytest.mark.parametrize("groups", [{}, [], "logo", None])
def test_named_groups_are_a_dict(groups):
    with pytest.raises(ValueError, match="system: expected groups of key points"):
        numbered_groups(groups, POINTS, "system")


@pytest.mark.parametrize("group", [[], "logo", None, {"logo": 1}])
def test_a_named_group_is_a_list(group):
    with pytest.raises(ValueError, match="system: part 'head': expected a list of names"):
        numbered_groups({"head": group}, POINTS, "system")


def test_the_bird_s_numbers_are_those_of_its_names():
    head = [BIRD_POINTS[number] for number in BIRD["head"]]
    assert head == ["beak", "crown", "forehead", "left eye", "nape", "right eye", "throat"]
    assert len(BIRD_POINTS) == 15
