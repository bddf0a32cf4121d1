"""The gallery behind a counter that serves: photos go in, the next tray may hold the product.

Each change is noted with the names of its photos, so that it can be taken back: only photos that
this server put in are ever taken out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from rpc.data.files import DataError
from rpc.serving.counting.counted_trays import CountsTrays, Rgb
from rpc.serving.counting.counting_thread import CountingThread
from rpc.serving.database.database import Database
from rpc.serving.database.models import ConfirmationRow, GalleryChangeRow
from rpc.serving.errors import ApiError
from rpc.serving.events.event_bus import EventBus
from rpc.serving.events.events import Who, append_event
from rpc.serving.ids import new_id
from rpc.serving.photos.photo_input import photo_of_bytes
from rpc.serving.photos.pictures import Pictures
from rpc.serving.sale import Box
from rpc.serving.sales.confirmations import Confirmed, set_state, waiting
from rpc.serving.times import Clock, iso

MOST_WAITING: Final = 50  # confirmed crops of a SKU that are compared with one another
AROUND: Final = 0.25  # of a box's sides: what is cut out of a tray's picture around it


@dataclass(frozen=True, eq=False)
class NewExemplar:
    """A photo of one product, on its way into the gallery.

    Attributes:
        sku: of the product.
        title: its name for people.
        source: a name for the photo that no other has.
        rgb: (H, W, 3).
        box: of the product; None looks for it.
    """

    sku: str
    title: str
    source: str
    rgb: Rgb
    box: Box | None = None


class TeachesGallery(Protocol):
    """A gallery on the disk, and the counter that names with it."""

    def photos(self) -> Mapping[str, int]:
        """How many photos each SKU has."""
        ...

    def generation(self) -> int:
        """How often it was changed."""
        ...

    def picture(self, sku: str) -> bytes | None:
        """A small JPEG of a SKU; None where it has none."""
        ...

    def add(self, exemplars: Sequence[NewExemplar]) -> Sequence[str]:
        """Put photos in, with one change; returns the sources of those that were there already.

        Runs a network: called on the counting thread alone.

        Raises:
            DataError: they cannot be put in.
        """
        ...

    def take_out(self, photos: Mapping[str, Sequence[str]]) -> None:
        """Take photos out by SKU and source; a SKU that has no other goes too."""
        ...

    def unread(self) -> int:
        """How many photos that were put in wait for being read."""
        ...

    def read_one(self) -> Mapping[str, int]:
        """Read what is printed on one of them; how many photos' words are now kept, by SKU.

        Runs networks of its own: never called on the counting thread.
        """
        ...

    def agreement(self, exemplars: Sequence[NewExemplar]) -> NDArray[np.bool_]:
        """Whether photos (N) of one SKU show one thing: (N, N), symmetric.

        True where two are more like each other than either is like any photo of another SKU in the
        gallery. Runs a network: called on the counting thread alone.
        """
        ...

    def reloaded(self) -> CountsTrays:
        """A counter that names with the gallery as it is now."""
        ...


class GalleryService:
    """Changes of the gallery that the interface offers.

    Args:
        gallery: None where the counter names without one.
        thread: runs the networks.
        database: keeps what was changed.
        pictures: of sales.
        bus: hears of changes.
        clock: the time.
    """

    def __init__(
        self,
        gallery: TeachesGallery | None,
        thread: CountingThread,
        database: Database,
        pictures: Pictures,
        bus: EventBus,
        clock: Clock,
    ) -> None:
        self.gallery = gallery
        self._thread, self._database, self._pictures = thread, database, pictures
        self._bus, self._clock = bus, clock
        self._lock = threading.Lock()  # one change at a time

    def info(self) -> dict[str, Any]:
        """The contents of the gallery, and what entered it from accepted sales.

        Raises:
            ApiError: there is no gallery.
        """
        gallery = self._needed()
        entered = (
            select(ConfirmationRow)
            .where(ConfirmationRow.state == "entered")
            .order_by(ConfirmationRow.id.desc())
            .limit(200)
        )
        with self._database.reading() as session:
            confirmed = [
                {"sku": row.sku, "at": row.at, "sale": row.sale} for row in session.scalars(entered)
            ]
        photos = gallery.photos()
        return {
            "generation": gallery.generation(),
            "skus": len(photos),
            "photos": sum(photos.values()),
            "confirmed": confirmed,
        }

    def add(
        self, sku: str, title: str, files: Sequence[tuple[str, bytes]], who: Who
    ) -> dict[str, Any]:
        """Put the photos of a product in; a file that is no photo is left out and told.

        Raises:
            ApiError: there is no gallery, or none of the files is a photo.
        """
        gallery, began = self._needed(), time.perf_counter()
        made, left_out = [], []
        names: dict[str, str] = {}
        for name, data in files:
            try:
                rgb = photo_of_bytes(data, "photo")
            except ApiError as error:
                left_out.append({"name": name, "why": error.message})
                continue
            source = f"counter-{new_id()}.jpg"
            names[source] = name
            made.append(NewExemplar(sku, title, source, rgb))
        if not made:
            why = left_out[0]["why"] if left_out else "none came"
            raise ApiError(400, "photo_unreadable", f"no photo to add: {why}")
        known = self._put_in(gallery, made, who, {})
        left_out += [{"name": names[one], "why": "is in the gallery already"} for one in known]
        return {
            "added": len(made) - len(known),
            "left_out": left_out,
            "generation": gallery.generation(),
            "seconds": round(time.perf_counter() - began, 3),
        }

    def undo(self, who: Who) -> dict[str, Any]:
        """Take the last change back.

        Raises:
            ApiError: there is no gallery, or nothing to take back.
        """
        gallery = self._needed()
        with self._lock:
            last = (
                select(GalleryChangeRow)
                .where(GalleryChangeRow.undone_at.is_(None))
                .order_by(GalleryChangeRow.id.desc())
                .limit(1)
            )
            with self._database.reading() as session:
                change = session.scalars(last).first()
            if change is None:
                raise ApiError(409, "nothing_to_undo", "gallery: no change of this server to undo")
            gallery.take_out(change.photos)
            with self._database.writing() as session:
                now = iso(self._clock())
                row = session.get_one(GalleryChangeRow, change.id)
                row.undone_at = now
                set_state(session, row.confirmations, "withdrawn")
                data = {"kind": "undone", **self._told(gallery, change.photos)}
                append_event(session, "gallery.changed", who, now, data)
            self._use_again(gallery)
        self._bus.committed()
        return self.info()

    def learn(self, who: Who) -> int:
        """Put in what two accepted trays agree on; returns how many crops went in."""
        if self.gallery is None:
            return 0
        with self._database.reading() as session:
            candidates = waiting(session)
        made: list[NewExemplar] = []
        ids: dict[str, int] = {}
        for crops in candidates.values():
            for number, exemplar in self._agreeing(self.gallery, crops):
                ids[exemplar.source] = number
                made.append(exemplar)
        if made:
            self._put_in(self.gallery, made, who, ids)
        return len(made)

    def read_words(self, who: Who) -> bool:
        """Read what is printed on one photo that was put in, while no tray waits for its list.

        Returns:
            Whether another one can be read now.
        """
        gallery = self.gallery
        if gallery is None or not gallery.unread() or self._thread.waiting:
            return False
        kept = gallery.read_one()
        if kept:
            with self._lock:
                with self._database.writing() as session:
                    data = {
                        "kind": "words",
                        "generation": gallery.generation(),
                        "photos": dict(kept),
                    }
                    append_event(session, "gallery.changed", who, iso(self._clock()), data)
                self._use_again(gallery)
            self._bus.committed()
        return gallery.unread() > 0

    def _agreeing(
        self, gallery: TeachesGallery, waits: Sequence[Confirmed]
    ) -> list[tuple[int, NewExemplar]]:
        """The confirmed crops of a SKU that one of another tray agrees with."""
        found = []
        for one in waits[-MOST_WAITING:]:
            data = self._pictures.read(one.picture)
            if data is not None:
                patch, box = _cut(photo_of_bytes(data), one.box)
                source = f"confirmed-{one.sale}-{one.id}.jpg"
                found.append((one, NewExemplar(one.sku, "", source, patch, box)))
        if len({one.sale for one, _ in found}) < 2:
            return []
        exemplars = [exemplar for _, exemplar in found]
        same = self._thread.do(lambda _: gallery.agreement(exemplars), patient=True)
        sales = np.array([one.sale for one, _ in found])
        agreed = (same & (sales[:, None] != sales[None, :])).any(axis=1)
        return [
            (one.id, exemplar) for (one, exemplar), yes in zip(found, agreed, strict=True) if yes
        ]

    def _put_in(
        self,
        gallery: TeachesGallery,
        exemplars: Sequence[NewExemplar],
        who: Who,
        confirmations: Mapping[str, int],
    ) -> Sequence[str]:
        """Change the gallery, note the change, and count with it from now on."""
        with self._lock:
            try:
                known = self._thread.do(lambda _: gallery.add(exemplars), patient=True)
            except DataError as error:
                raise ApiError(409, "gallery_refused", str(error)) from error
            photos: dict[str, list[str]] = {}
            for one in exemplars:
                if one.source not in known:
                    photos.setdefault(one.sku, []).append(one.source)
            with self._database.writing() as session:
                now = iso(self._clock())
                ids = list(confirmations.values())
                set_state(session, ids, "entered")
                if photos:
                    kind = "confirmed" if ids else "photos"
                    session.add(
                        GalleryChangeRow(
                            at=now,
                            actor=who.actor,
                            generation=gallery.generation(),
                            photos=photos,
                            confirmations=ids,
                        )
                    )
                    data = {"kind": kind, **self._told(gallery, photos)}
                    append_event(session, "gallery.changed", who, now, data)
            if photos:
                self._use_again(gallery)
        self._bus.committed()
        return known

    def _use_again(self, gallery: TeachesGallery) -> None:
        counter = gallery.reloaded()  # while the one of before goes on counting
        self._thread.replace(counter)

    @staticmethod
    def _told(gallery: TeachesGallery, photos: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        counts = {sku: len(some) for sku, some in photos.items()}
        return {"generation": gallery.generation(), "photos": counts}

    def _needed(self) -> TeachesGallery:
        if self.gallery is None:
            raise ApiError(
                409,
                "no_gallery",
                "this counter names without a gallery; start it with --gallery to add products",
            )
        return self.gallery


def _cut(rgb: Rgb, box: Box) -> tuple[Rgb, Box]:
    """The part of a picture (H, W, 3) around a box, and the box in it."""
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = box
    left = max(int(x1 - AROUND * (x2 - x1)), 0)
    top = max(int(y1 - AROUND * (y2 - y1)), 0)
    right = min(int(x2 + AROUND * (x2 - x1)) + 1, width)
    bottom = min(int(y2 + AROUND * (y2 - y1)) + 1, height)
    patch = np.ascontiguousarray(rgb[top:bottom, left:right])
    return patch, (x1 - left, y1 - top, x2 - left, y2 - top)
