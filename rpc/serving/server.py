"""A counter that serves: its parts put together, and the jobs that need several of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Final

from rpc.camera import ReadTray
from rpc.serving.counting.camera_feed import CameraFeed, OpensCamera
from rpc.serving.counting.counted_trays import (
    CountedTray,
    CountsTrays,
    Rgb,
    alternatives_at,
    count_tray,
    counted_of,
    items_of,
    named,
    place_at,
)
from rpc.serving.counting.counting_thread import CountingThread
from rpc.serving.database.database import Database
from rpc.serving.errors import ApiError
from rpc.serving.events.event_bus import EventBus
from rpc.serving.events.events import Who
from rpc.serving.events.outbox import Outbox
from rpc.serving.events.webhooks import Webhooks
from rpc.serving.gallery.gallery_service import GalleryService, TeachesGallery
from rpc.serving.health.health import Health
from rpc.serving.health.metrics import Metrics
from rpc.serving.health.tray_looks import look_of
from rpc.serving.housekeeping import Housekeeping
from rpc.serving.photos.photo_input import photo_of_bytes
from rpc.serving.photos.pictures import Pictures
from rpc.serving.products.products import Products
from rpc.serving.sale import Box, open_questions
from rpc.serving.sales.sale_rows import items_of_row, listing
from rpc.serving.sales.sales import Sales, Taken
from rpc.serving.security.doorkeeper import Doorkeeper
from rpc.serving.security.keys import Keys
from rpc.serving.settings import ServingSettings
from rpc.serving.times import Clock, utc_now

KEPT: Final = 32  # newest trays whose detections stay in memory, for questions about a place


class CounterServer:
    """All parts of a counter that serves.

    Args:
        settings: of the counter.
        database: where everything is kept.
        counter: counts trays.
        gallery: names with exemplars; None where the counter does without.
        camera: at the server; None where there is none.
        clock: the time.
    """

    def __init__(
        self,
        settings: ServingSettings,
        database: Database,
        counter: CountsTrays,
        gallery: TeachesGallery | None = None,
        camera: OpensCamera | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.settings, self.database, self.clock = settings, database, clock
        self.bus = EventBus()
        self.thread = CountingThread(counter)
        self.metrics = Metrics(lambda: self.thread.waiting)
        self.pictures = Pictures(settings.data / "pictures")
        self.products = Products(database, self.bus, clock)
        self.sales = Sales(database, self.bus, clock, settings.currency)
        self.keys = Keys(database, clock)
        self.doorkeeper = Doorkeeper(self.keys, settings.till, loopback=settings.loopback)
        self.gallery = GalleryService(
            gallery, self.thread, database, self.pictures, self.bus, clock
        )
        self.webhooks = Webhooks(database, clock)
        self.outbox = Outbox(database, clock)
        self._last_visit: tuple[int, str] | None = None  # of the camera: number, sale
        self.camera = CameraFeed(camera, self.thread, self._camera_read, self._camera_told)
        self.health = Health(database, self.camera.warnings, clock)
        self._trays: OrderedDict[str, CountedTray] = OrderedDict()
        self._trays_lock = threading.Lock()
        self.housekeeping = Housekeeping(
            database,
            self.pictures,
            self.gallery,
            self.health,
            self.bus,
            self.own,
            clock,
            settings.keep_days,
        )

    @property
    def own(self) -> Who:
        """The server itself, for events that nobody asked for."""
        return Who("server", self.settings.till)

    def start(self) -> None:
        """Make products of the counter's SKUs; begin to deliver, to watch and to tidy up."""
        self.products.learn_of(self.thread.counter.taxonomy, self.own)
        self.outbox.start()
        self.housekeeping.start()
        self.camera.start()

    def close(self) -> None:
        """Stop everything."""
        self.camera.close()
        self.housekeeping.close()
        self.outbox.close()
        self.thread.close()
        self.database.close()

    def count(self, data: bytes) -> dict[str, Any]:
        """Count a photo, and keep nothing.

        Raises:
            ApiError: it is no photo, or the counter has too much to do.
        """
        tray = self._counted(photo_of_bytes(data))
        products = {sku: one.priced for sku, one in self.products.all().items()}
        items = items_of(tray, products)
        return {
            **listing(items),
            "certainty": round(tray.receipt.certainty, 4),
            "passes": tray.receipt.passes,
            "questions": open_questions(items),
            "width": tray.width,
            "height": tray.height,
            "seconds": tray.seconds,
        }

    def open_sale(self, data: bytes, who: Who, idempotency: str | None) -> dict[str, Any]:
        """A sale of a photo; the same one again for the same idempotency key.

        Raises:
            ApiError: it is no photo, or the counter has too much to do.
        """
        known = None if idempotency is None else self.sales.known(who, idempotency)
        return known or self._open(photo_of_bytes(data), who, idempotency)

    def open_camera_sale(self, who: Who, idempotency: str | None) -> dict[str, Any]:
        """A sale of the still tray under the server's camera.

        Raises:
            ApiError: there is none, or the counter has too much to do.
        """
        known = None if idempotency is None else self.sales.known(who, idempotency)
        if known is not None:
            return known
        rgb = self.camera.last_still()
        if rgb is None:
            raise ApiError(409, "no_tray", "camera: no still tray in the picture; wait, try again")
        return self._open(rgb, who, idempotency)

    def suggest(self, number: str, x: float, y: float) -> dict[str, Any]:
        """Products that may lie at a point of a sale's picture.

        Raises:
            ApiError: there is no such sale, or its picture was deleted.
        """
        row = self.sales.row(number)
        data = None if row.picture is None else self.pictures.read(row.picture)
        if data is None:
            raise picture_gone(number)
        if not (0 <= x <= row.width and 0 <= y <= row.height):
            raise ApiError(422, "invalid", f"point: expected one in {row.width} x {row.height} px")
        rgb = photo_of_bytes(data)
        with self._trays_lock:
            known = self._trays.get(number)
        taken = [item.box for item in items_of_row(row) if item.box is not None]

        def look(counter: CountsTrays) -> tuple[CountedTray, Box, list[tuple[str, float]]]:
            tray = known or count_tray(counter, rgb)
            box = place_at(tray, x, y, taken)
            return tray, box, alternatives_at(counter, rgb, tray, box)

        tray, box, shares = self.thread.do(look)
        products = {sku: one.priced for sku, one in self.products.all().items()}
        return {
            "box": [round(value, 1) for value in box],
            "alternatives": [
                {"sku": one.sku, "title": one.title, "probability": one.probability}
                for one in named(tray.receipt, shares, products)
            ],
        }

    def thumbnail(self, sku: str) -> bytes | None:
        """A small JPEG of a product; None where there is none."""
        gallery = self.gallery.gallery
        return None if gallery is None else gallery.picture(sku)

    def _counted(self, rgb: Rgb) -> CountedTray:
        tray = self.thread.count(rgb)
        self.metrics.counting_seconds.observe(tray.seconds)
        return tray

    def _open(self, rgb: Rgb, who: Who, idempotency: str | None) -> dict[str, Any]:
        return self._keep(self._counted(rgb), rgb, who, idempotency)

    def _keep(
        self, tray: CountedTray, rgb: Rgb, who: Who, idempotency: str | None
    ) -> dict[str, Any]:
        """Keep a counted tray as an open sale."""
        name = self.pictures.keep(rgb, self.clock())
        told = self.sales.open(Taken(tray, name, look_of(rgb)), who, idempotency)
        with self._trays_lock:
            self._trays[told["id"]] = tray
            while len(self._trays) > KEPT:
                self._trays.popitem(last=False)
        return told

    def _camera_read(self, read: ReadTray, seconds: float) -> None:
        """Open a sale of what the camera read; of a changed tray, in place of the one before."""
        who = Who("camera", self.settings.till)
        if read.again and self._last_visit is not None and self._last_visit[0] == read.visit:
            self.sales.replace(self._last_visit[1], who)
        tray = counted_of(self.thread.counter, read.seen, read.rgb, seconds)
        self._last_visit = (read.visit, self._keep(tray, read.rgb, who, None)["id"])

    def _camera_told(self, state: str, message: str | None) -> None:
        self.bus.passing("tray.state", {"state": state, "message": message})


def picture_gone(number: str) -> ApiError:
    """The answer about a picture that was deleted by age, or never kept."""
    return ApiError(410, "picture_deleted", f"sale {number}: its picture is not kept any more")
