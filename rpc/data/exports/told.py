"""A plan in words: what was recognised, what each split becomes, what is left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from rpc.data.by_kind import Problem, told_by_kind
from rpc.data.exports.placing import UNSPLIT
from rpc.data.exports.plan import SeenPhoto
from rpc.data.exports.reading import StorePlan

MOST = 20  # kinds of findings on the page


def plan_page(plan: StorePlan, added: Collection[str] = ()) -> str:
    """The page as plain text, without what to do next.

    Args:
        plan: of the store.
        added: SKUs with product photos from elsewhere.
    """
    export = plan.export
    lines = [
        f"{export.root}: a {export.layout} export: {_many(len(export.files), 'label file')}, "
        f"{_many(len(export.photos), 'photo')}, "
        f"{_many(len(export.classes), 'class', 'classes')}",
        *_split_lines(plan),
        f"as a store: {', '.join(_store_parts(plan)) or 'nothing'}",
    ]
    lines += _listing("left out", plan.left_out)
    lines += _listing("taken otherwise than written", plan.changed)
    lines += _hints(plan, added)
    return "\n".join(lines)


def _split_lines(plan: StorePlan) -> list[str]:
    """A line for each split of the export: what became of its photos."""
    listed = Counter(photo.split or UNSPLIT for photo in plan.export.photos)
    became: dict[str, Counter[str]] = {split: Counter() for split in listed}
    for place, photos in plan.placed.items():
        for photo in photos:
            became[photo.labelled.split or UNSPLIT][_named(place, photo)] += 1
    lines = []
    for split in sorted(listed, key=_order):
        number = listed[split]
        parts = [f"{times} {what}" for what, times in became[split].items()]
        if lost := number - sum(became[split].values()):
            parts.append(f"{lost} left out")
        name = "no split" if split == UNSPLIT else split
        lines.append(f"  {name:<8} {_many(number, 'photo')}: {', '.join(parts)}")
    return lines


def _order(split: str) -> int:
    known = ("train", "val", "test")
    return known.index(split) if split in known else len(known)


def _named(place: str, photo: SeenPhoto) -> str:
    if place == "exemplars":
        return "with one item: exemplars"
    if place == "labelled_trays":
        return "with several items: labelled_trays"
    if place == "backgrounds":
        return "without items: backgrounds"
    return f"to {place}"


def _store_parts(plan: StorePlan) -> list[str]:
    """Counts by place, with SKUs and items."""
    parts = []
    for place, photos in plan.placed.items():
        if photos:
            skus = len({item.sku for photo in photos for item in photo.items})
            items = sum(len(photo.items) for photo in photos)
            what = {"exemplars": "exemplar", "backgrounds": "background"}.get(place, "tray")
            name = what if place in ("exemplars", "backgrounds") else f"{place} tray"
            if place == "labelled_trays":
                name = "labelled tray"
            inner = f" ({_many(items, 'item')}, {_many(skus, 'SKU')})" if items else ""
            parts.append(f"{_many(len(photos), name)}{inner}")
    return parts


def _listing(title: str, problems: Sequence[Problem]) -> list[str]:
    told = told_by_kind(problems)
    if not told:
        return []
    lines = [f"{title}:", *(f"  - {line}" for line in told[:MOST])]
    if len(told) > MOST:
        lines.append(f"  ... and {len(told) - MOST} kinds more, see import.json")
    return lines


def _hints(plan: StorePlan, added: Collection[str]) -> list[str]:
    """Lines on what is lacking, and what to do, before the store is used."""
    placed = plan.placed
    hints = []
    if not placed["exemplars"] and not added:
        hints.append(
            "no photo shows one product alone: the store can be measured on, not trained on; "
            "--exemplars PHOTOS adds product photos, PHOTOS/<sku>/*.jpg with the classes' names"
        )
    shown = {item.sku for photo in placed["exemplars"] for item in photo.items}
    shown |= {name.casefold() for name in added}
    lacking = [name for name in plan.classes if not {name, name.casefold()} & shown]
    if shown and lacking:
        hints.append(
            f"{_many(len(lacking), 'SKU')} of {len(plan.classes)} without an exemplar, such as "
            f"{lacking[0]!r:.60}: they cannot be learned; --exemplars PHOTOS adds product photos"
        )
    if placed["labelled_trays"]:
        hints.append(
            "labelled_trays/ is not used by itself: a training that sees it is of protocol V "
            "(rpc-checkout train --scenes); --split train=val makes these photos val trays instead"
        )
    for split in ("val", "test"):
        photos = placed[split]
        if photos and all(len(photo.items) == 1 for photo in photos):
            own = photos[0].labelled.split or UNSPLIT
            hints.append(
                f"every {split} photo shows one item: where these are product photos rather than "
                f"trays, --split {own}=exemplars puts them there"
            )
    if not placed["val"] and not placed["test"]:
        hints.append("no checkout photos: the counter's threshold will come from composed scenes")
    elif not placed["test"] and (shown or added):
        hints.append("no test trays: rpc-checkout folds measures on val by cross-validation")
    return [f"note: {hint}" for hint in hints]


def _many(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"
