"""The outbox at work: a thread that brings events to webhooks, and tries again what failed.

A message is sent at least once: killed between the answer and the note of it, it is sent again,
under the same `webhook-id`. A receiver keeps the ids that it has seen.
"""

from __future__ import annotations

import http.client
import random
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import select

from rpc.serving.database.database import Database
from rpc.serving.database.models import DeliveryRow, EventRow, WebhookRow
from rpc.serving.events.events import event_to_dict
from rpc.serving.events.webhooks import message_body, signature, wait_after
from rpc.serving.times import Clock, in_seconds, iso

SECONDS: Final = 10.0  # that a receiver may take
AT_ONCE: Final = 50  # messages of one round
GONE: Final = 410  # a receiver's word that it wants no more
PAUSE: Final = 1.0  # seconds between looks at the outbox

Send = Callable[[str, Mapping[str, str], bytes], int]


@dataclass(frozen=True)
class _Message:
    delivery: int
    url: str
    secret: str
    event: dict[str, Any]


class Outbox:
    """Brings what waits in the outbox to its receivers.

    Args:
        database: with the outbox.
        clock: the time.
        send: posts a body to an address; gives the status, or raises OSError.
        rng: spreads the attempts of many counters.
    """

    def __init__(
        self, database: Database, clock: Clock, send: Send | None = None, seed: int | None = None
    ) -> None:
        self._database, self._clock = database, clock
        self._send = send or post
        self._rng = random.Random(seed)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to deliver."""
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def close(self, seconds: float = 5.0) -> None:
        """Stop after the message that is on its way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def deliver(self) -> int:
        """Send what is due, oldest first; returns how many were taken."""
        messages = self._due()
        done = 0
        for message in messages:
            if self._stop.is_set():
                break
            done += 1
            self._note(message, self._status(message))
        return done

    def _run(self) -> None:
        while not self._stop.wait(PAUSE):
            try:
                while self.deliver() == AT_ONCE and not self._stop.is_set():
                    pass
            except Exception:  # noqa: BLE001 - the database may be away for a while
                self._stop.wait(10 * PAUSE)

    def _due(self) -> list[_Message]:
        chosen = (
            select(DeliveryRow.id, WebhookRow.url, WebhookRow.secret, EventRow)
            .join(WebhookRow, WebhookRow.id == DeliveryRow.webhook)
            .join(EventRow, EventRow.seq == DeliveryRow.event)
            .where(
                DeliveryRow.state == "waiting",
                DeliveryRow.next_at <= iso(self._clock()),
                WebhookRow.disabled_at.is_(None),
            )
            .order_by(DeliveryRow.event)
            .limit(AT_ONCE)
        )
        with self._database.reading() as session:
            return [
                _Message(number, url, secret, event_to_dict(event))
                for number, url, secret, event in session.execute(chosen)
            ]

    def _status(self, message: _Message) -> int | None:
        body, stamp = message_body(message.event), int(self._clock().timestamp())
        name = message.event["id"]
        headers = {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signature(message.secret, name, stamp, body),
        }
        try:
            return self._send(message.url, headers, body)
        except (OSError, http.client.HTTPException, ValueError):
            return None

    def _note(self, message: _Message, status: int | None) -> None:
        with self._database.writing() as session:
            row = session.get(DeliveryRow, message.delivery)
            if row is None:  # the webhook was removed meanwhile
                return
            row.attempts += 1
            row.status = status
            if status is not None and 200 <= status < 300:
                row.state = "delivered"
                return
            wait = wait_after(row.attempts)
            if status == GONE or wait is None:
                row.state = "failed"
                if status == GONE:
                    hook = session.get_one(WebhookRow, row.webhook)
                    hook.disabled_at = iso(self._clock())
                return
            row.next_at = in_seconds(iso(self._clock()), wait * self._rng.uniform(1.0, 1.2))


def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Post a body; the status of the answer, which is not read. No redirection is followed.

    Raises:
        OSError: nobody answers.
        HTTPException: something else than HTTP answers.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()
