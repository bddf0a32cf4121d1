from pathlib import Path

import pytest

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.class_sets.class_set import ClassSet
from rpc.data.files import DataError
from rpc.features.parts.key_point_groups import BIRD_POINTS
from rpc.recognition.systems.named_groups import with_numbered_groups
from rpc.recognition.systems.registry import (
    MissingAnnotationsError,
    SystemSettings,
    build_system,
)


def data(points):
    photo = LabelledPhoto(Path("a.jpg"), 0, points=((1.0, 2.0, 1.0),) * len(points))
    return ClassSet("shop", ("tea", "cola"), (photo,), (), (photo,), points=points)


PRODUCT = data(("logo", "front_left", "front_right"))


@pytest.mark.parametrize("name", ["part_rcnn", "mask_cnn"])
def test_names_become_numbers_that_a_system_is_built_with(name):
    groups = {"logo": ["logo"], "front": ["front_*"]}
    settings = SystemSettings(name, 64, {"groups": groups, "pretrained": False})
    made = with_numbered_groups(settings, PRODUCT)
    assert made.options == {"groups": {"logo": [0], "front": [1, 2]}, "pretrained": False}
    assert build_system(made, 2).part_names == ("logo", "front")
    assert with_numbered_groups(made, PRODUCT) == made
    with pytest.raises(DataError, match="system"):  # by name alone it cannot be built
        build_system(settings, 2)


@pytest.mark.parametrize("name", ["part_rcnn", "mask_cnn"])
def test_a_bird_s_groups_are_for_birds(name):
    settings = SystemSettings(name, 64)
    assert with_numbered_groups(settings, data(BIRD_POINTS)) == settings
    told = f"shop: {name} takes the head and torso of a bird .* logo, front_left, .*options.groups="
    for points in (PRODUCT.points, (*BIRD_POINTS[::-1],)):
        with pytest.raises(MissingAnnotationsError, match="takes the head and torso of a bird"):
            with_numbered_groups(settings, data(points))
    with pytest.raises(MissingAnnotationsError, match=told):
        with_numbered_groups(settings, PRODUCT)


def test_a_name_that_the_data_lack_is_told():
    settings = SystemSettings("part_rcnn", 64, {"groups": {"head": ["beak"]}})
    with pytest.raises(DataError, match=r"shop: part_rcnn.groups: head: .* no key point 'beak'"):
        with_numbered_groups(settings, PRODUCT)


@pytest.mark.parametrize("name", ["baseline", "mask_cnn_boxes"])
def test_systems_that_learn_from_something_else_stay_as_they_are(name):
    settings = SystemSettings(name, 64)
    assert with_numbered_groups(settings, PRODUCT) is settings
