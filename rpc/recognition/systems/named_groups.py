"""Settings whose parts are given by names of key points, made ready for the data at hand."""

from __future__ import annotations

from dataclasses import replace

from rpc.data.class_sets.class_set import ClassSet
from rpc.data.files import DataError
from rpc.features.parts.key_point_groups import BIRD_POINTS, numbered_groups
from rpc.recognition.systems.registry import (
    MissingAnnotationsError,
    SystemSettings,
    registration,
)


def with_numbered_groups(settings: SystemSettings, data: ClassSet) -> SystemSettings:
    """The settings with `groups` by number, as a system is built and kept.

    Settings of a system without groups, or that learns from something else, stay as they are.

    Args:
        settings: of any system.
        data: that it is trained on.

    Raises:
        MissingAnnotationsError: no groups are given, and the data do not have the points of a bird
            that the default groups are made of.
        DataError: a group is no list, or names a point that the data lack.
    """
    its = registration(settings.name)
    options = {**its.preset, **its.usual, **settings.options}
    if "groups" not in its.hints() or "points" not in its.made.needs_of(options):
        return settings
    if "groups" not in options:
        if data.points == BIRD_POINTS:
            return settings
        first = data.points[0] if data.points else "logo"
        example = f"""--cfg-options "options.groups={{'part': ['{first}']}}\""""
        raise MissingAnnotationsError(
            f"{data.name}: {settings.name} takes the head and torso of a bird (the key points of "
            f"CUB-200-2011) where no parts are named, and these data have "
            f"{', '.join(data.points)}; name parts and their key points: {example}"
        )
    try:
        groups = numbered_groups(options["groups"], data.points, f"{settings.name}.groups")
    except ValueError as error:
        raise DataError(f"{data.name}: {error}") from error
    return replace(settings, options={**settings.options, "groups": groups})
