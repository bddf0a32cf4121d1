"""Work that a counter does by itself.

Old pictures go, agreed crops enter the gallery, new photos are read, warnings are told.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from rpc.serving.database.database import Database
from rpc.serving.events.event_bus import EventBus
from rpc.serving.events.events import Who, append_event
from rpc.serving.gallery.gallery_service import GalleryService
from rpc.serving.health.health import Health
from rpc.serving.photos.pictures import Pictures
from rpc.serving.times import Clock, iso

PAUSE: Final = 5.0  # seconds
TIDY: Final = 3600.0  # seconds between looks at old pictures and at health
_log = logging.getLogger(__name__)


class Housekeeping:
    """A thread that does what nobody asks for.

    Args:
        database: of the counter.
        pictures: of sales.
        gallery: takes what trays agree on.
        health: gives warnings.
        bus: hears of events.
        who: the server, for events.
        clock: the time.
        keep_days: that pictures are kept.
    """

    def __init__(
        self,
        database: Database,
        pictures: Pictures,
        gallery: GalleryService,
        health: Health,
        bus: EventBus,
        who: Who,
        clock: Clock,
        keep_days: int,
    ) -> None:
        self._database, self._pictures, self._gallery = database, pictures, gallery
        self._health, self._bus, self._who, self._clock = health, bus, who, clock
        self._keep_days = keep_days
        self._told: set[tuple[str, str | None]] = set()
        self._accepted = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self, seconds: float = 5.0) -> None:
        """Stop after what is being done."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def sale_accepted(self) -> None:
        """Say that there may be something to learn."""
        self._accepted.set()

    def tidy(self) -> None:
        """Delete old pictures; tell warnings that are new."""
        self._pictures.delete_older(self._clock(), self._keep_days)
        warnings = self._health.warnings()
        fresh = [one for one in warnings if (one["code"], one["sku"]) not in self._told]
        self._told = {(one["code"], one["sku"]) for one in warnings}
        if fresh:
            with self._database.writing() as session:
                for one in fresh:
                    append_event(session, "health.warning", self._who, iso(self._clock()), one)
            self._bus.committed()

    def learn(self) -> int:
        """Put in what accepted trays agree on; returns how many crops went in."""
        return self._gallery.learn(self._who)

    def read_words(self) -> bool:
        """Read what is printed on one new photo; returns whether another one can be read now."""
        return self._gallery.read_words(self._who)

    def _run(self) -> None:
        since_tidy = TIDY
        while not self._stop.wait(PAUSE):
            since_tidy += PAUSE
            try:
                if self._accepted.is_set():
                    self._accepted.clear()
                    self.learn()
                while not self._stop.is_set() and self.read_words():
                    pass  # photo by photo: a server that stops waits for one alone
                if since_tidy >= TIDY:
                    since_tidy = 0.0
                    self.tidy()
            except Exception:  # noqa: BLE001 - it is tried again later
                _log.exception("housekeeping failed")
