"""The kinds of findings on an export: what is left out of the store, and what is taken otherwise.

A shopping list without one of its items is wrong, so a photo with an item that cannot be taken is
left out whole. These kinds begin with `photos`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from rpc.data.by_kind import Problem


@dataclass(frozen=True)
class Kind:
    """A kind of findings.

    Attributes:
        many: how it follows a number, such as `photos are missing`.
        one: the same of a single finding.
        remedy: what to do about it; may be empty.
    """

    many: str
    one: str
    remedy: str = ""

    def at(self, where: str, detail: str = "") -> Problem:
        """One finding of this kind."""
        what = f"{self.one}: {detail}" if detail else self.one
        return Problem(where, what, self.many, self.remedy)


@dataclass
class Notes:
    """Findings while an export is read.

    Attributes:
        left_out: what the store will not hold.
        changed: what it holds otherwise than the export wrote it, or by a choice of ours.
    """

    left_out: list[Problem] = field(default_factory=list)
    changed: list[Problem] = field(default_factory=list)


# Photos that are left out.
MISSING: Final = Kind(
    "photos are missing", "the photo is missing", "put the photos into the export's folder"
)
AMBIGUOUS: Final = Kind(
    "photos are not told apart: several files have the name",
    "several files have the photo's name",
    "keep one of them, or lay out the folders as the export names them",
)
NO_NAME: Final = Kind("entries name no photo", "names no photo")
UNREADABLE: Final = Kind("photos cannot be read", "the photo cannot be read", "replace them")
OTHER_SIZE: Final = Kind(
    "photos have another size than the labels say",
    "the photo has another size",
    "export again with the photos that were labelled",
)
UNLABELLED: Final = Kind(
    "photos have no item and are left out",
    "the photo has no item and is left out",
    "where these are empty trays, add --keep-empty",
)
UNNAMED_PHOTO: Final = Kind(
    "photos are named by no label file", "no label file names the photo", "label them, or ignore it"
)
LISTED_TWICE: Final = Kind(
    "photos are listed twice; the first entry is taken",
    "the photo is listed twice; the first entry is taken",
)
SET_ASIDE: Final = Kind("photos are left out, as --split says", "left out, as --split says")
NO_CLASS: Final = Kind(
    "photos hold an item without a class and are left out", "holds an item without a class"
)
UNKNOWN_CLASS: Final = Kind(
    "photos hold an item of an unknown class and are left out",
    "holds an item of an unknown class",
    "correct the list of classes",
)
SEVERAL_CLASSES: Final = Kind(
    "photos hold an item with several classes and are left out",
    "holds an item with several classes",
)
BAD_ITEM: Final = Kind(
    "photos hold an item that cannot be read and are left out", "holds an item that cannot be read"
)
FLAT_BOX: Final = Kind(
    "photos hold a box without a size and are left out", "holds a box without a size"
)
OUTSIDE: Final = Kind(
    "photos hold a box outside the photo and are left out",
    "holds a box outside the photo",
    "correct the box",
)
CROWD: Final = Kind(
    "photos hold a crowd region, which cannot be counted, and are left out",
    "holds a crowd region, which cannot be counted",
    "annotate its items one by one",
)
TURNED_PHOTO: Final = Kind(
    "photos were turned while they were labelled and are left out",
    "the photo was turned while it was labelled",
    "turn the photo itself and label it again",
)
BAD_FILE: Final = Kind("label files cannot be read", "cannot be read", "correct or remove them")
NO_PHOTO_FOR: Final = Kind("label files have no photo", "has no photo of its name")
LINK: Final = Kind(
    "links lead out of the folder and are not followed",
    "a link that leads out of the folder or nowhere is not followed",
    "add --follow-links where the photos lie on another disk",
)
NOT_AN_ITEM: Final = Kind(
    "points, lines and tags are left out: they are no items", "is no item and is left out"
)
EMPTY_CLASS: Final = Kind(
    "classes without an item are left out", "the class has no item and is left out"
)
NOT_READ: Final = Kind(
    "other label files are not read", "is not read", "--layout chooses which labels are"
)
CANCELLED: Final = Kind("tasks were skipped or not annotated", "the task was skipped")

# Taken otherwise than it was written.
POLYGON: Final = Kind(
    "items are polygons or masks: the box around them is taken",
    "a polygon or mask: the box around it is taken",
)
ROTATED: Final = Kind(
    "items are rotated boxes: the upright box around them is taken",
    "a rotated box: the upright box around it is taken",
)
GROUPED: Final = Kind(
    "shapes of one group are taken as one item", "shapes of one group are taken as one item"
)
MASK_AS_CROWD: Final = Kind(
    "masks that are marked as crowds (so CVAT writes them) are taken as items",
    "a mask that is marked as a crowd (so CVAT writes it) is taken as an item",
)
CLIPPED: Final = Kind(
    "boxes reach out of the photo and are cut", "the box reaches out of the photo and is cut"
)
TWICE: Final = Kind(
    "items are there twice, with the same box; one is taken",
    "an item is there twice, with the same box; one is taken",
)
TURNED: Final = Kind(
    "photos lie on their side by EXIF: their boxes are turned with them",
    "the photo lies on its side by EXIF: its boxes are turned with it",
)
BY_TAIL: Final = Kind(
    "photos are found by the end of their path", "the photo is found by the end of its path"
)
BY_STEM: Final = Kind(
    "photos are found by their name without suffix, case or upload prefix",
    "the photo is found by its name without suffix, case or upload prefix",
)
CONFIDENCE: Final = Kind(
    "items carry a confidence: a model's predictions are taken for labels",
    "the item carries a confidence: a model's prediction is taken for a label",
    "check that people have corrected them",
)
NUMBERED: Final = Kind(
    "classes have no name and are called by their number",
    "the class has no name and is called by its number",
    "add data.yaml or classes.txt",
)
SAME_NAME: Final = Kind(
    "classes share their name with another and are joined",
    "the class shares its name with another and is joined with it",
)
OTHER_IDS: Final = Kind(
    "classes have other ids in other files: the SKUs are numbered anew",
    "the class has other ids in other files: the SKUs are numbered anew",
)
SEVERAL_ANNOTATORS: Final = Kind(
    "photos were annotated several times: the first annotation is taken",
    "the photo was annotated several times: the first annotation is taken",
    "mark the right one as ground truth",
)
OTHER_NAME: Final = Kind(
    "label files name another photo than the one of their own name, which is taken",
    "names another photo than the one of its own name, which is taken",
)
EMBEDDED: Final = Kind(
    "photos are taken out of their label files", "the photo is taken out of its label file"
)
