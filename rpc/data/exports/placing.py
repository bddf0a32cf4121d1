"""The places in a store of an export's photos: exemplars show one product, trays several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from rpc.data.exports.kinds import SET_ASIDE, UNLABELLED, Kind, Notes
from rpc.data.exports.labels import split_of
from rpc.data.exports.plan import SeenPhoto
from rpc.data.files import DataError

Place = Literal["exemplars", "val", "test", "labelled_trays", "backgrounds"]
PLACES: Final[tuple[Place, ...]] = get_args(Place)
CHOICES: Final = ("exemplars", "val", "test", "labelled_trays", "none")
UNSPLIT: Final = "none"  # what the user calls photos that the export puts into no split

NOT_ALONE: Final = Kind(
    "photos show several items and cannot be exemplars", "shows several items: no exemplar"
)


@dataclass(frozen=True)
class Placing:
    """How an export's splits become a store's.

    Attributes:
        rules: a place of `CHOICES` by split (`train`, `val`, `test`, `none`, or a name of the
            export's own); other splits are placed by what their photos show.
        keep_empty: photos without an item are empty trays: in `val` and `test`, or backgrounds.
    """

    rules: Mapping[str, str] = field(default_factory=dict)
    keep_empty: bool = False


def parse_rules(words: Iterable[str]) -> dict[str, str]:
    """Rules of the command line, such as `train=val`.

    Raises:
        DataError: one is not of this form.
    """
    rules = {}
    for word in words:
        split, equals, place = word.partition("=")
        place = {"trays": "labelled_trays", "valid": "val"}.get(place, place)
        if not equals or not split or place not in CHOICES:
            raise DataError(
                f"--split {word!r:.60}: expected SPLIT=PLACE, such as train=val; PLACE is one of "
                f"{', '.join(CHOICES)}"
            )
        rules[split_of(split) or split] = place
    return rules


def place_photos(
    seen: Sequence[SeenPhoto], placing: Placing, notes: Notes
) -> dict[Place, list[SeenPhoto]]:
    """The photos by their place in the store.

    The export's val and test are kept. Of its other photos, those with one item become exemplars;
    those with several become val trays where the export has no val of its own, and otherwise
    `labelled_trays`, which a training may see (protocol V).

    Raises:
        DataError: a rule is for a split that the export does not have.
    """
    splits = Counter(photo.labelled.split or UNSPLIT for photo in seen)
    for split in placing.rules:
        if split not in splits:
            has = ", ".join(f"{name} ({number} photos)" for name, number in splits.items())
            raise DataError(f"--split {split}=...: the export has no such photos; it has {has}")
    has_val = any(placing.rules.get(split, split) == "val" for split in splits)
    placed: dict[Place, list[SeenPhoto]] = {place: [] for place in PLACES}
    for photo in seen:
        place = _place(photo, placing, has_val, notes)
        if place is not None:
            placed[place].append(photo)
    return placed


def _place(photo: SeenPhoto, placing: Placing, has_val: bool, notes: Notes) -> Place | None:
    split = photo.labelled.split or UNSPLIT
    rule = placing.rules.get(split, split if split in ("val", "test") else "")
    where = photo.labelled.where
    if rule == "none":
        notes.left_out.append(SET_ASIDE.at(where))
        return None
    if not photo.items:
        if not placing.keep_empty:
            notes.left_out.append(UNLABELLED.at(where))
            return None
        return rule if rule in ("val", "test") else "backgrounds"  # type: ignore[return-value]
    if rule == "exemplars" and len(photo.items) > 1:
        notes.left_out.append(NOT_ALONE.at(where, f"{len(photo.items)} items"))
        return None
    if rule in PLACES:
        return rule
    if len(photo.items) == 1:
        return "exemplars"
    return "labelled_trays" if has_val else "val"
