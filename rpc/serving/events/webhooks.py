"""Webhooks: addresses that are told what happens, signed as standardwebhooks.com says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import delete, select

from rpc.serving.database.database import Database
from rpc.serving.database.models import DeliveryRow, WebhookRow
from rpc.serving.errors import ApiError, not_found
from rpc.serving.events.events import TYPES
from rpc.serving.ids import new_id
from rpc.serving.times import Clock, iso

PREFIX: Final = "whsec_"
# Seconds until an attempt after the first, second, ... that failed; then it is given up.
WAITS: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)


def new_secret() -> str:
    """A secret of 256 bits, as the specification writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature` of a message.

    Example:
        >>> signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
        ...           1614265330, b'{"test": 2432232314}')
        'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def message_body(event: dict[str, Any]) -> bytes:
    """The body of a message about an event."""
    told = {"type": event["type"], "timestamp": event["at"], "data": event}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def wait_after(attempts: int) -> int | None:
    """Seconds to wait after so many failed attempts; None where it is given up."""
    return WAITS[attempts - 1] if attempts <= len(WAITS) else None


class Webhooks:
    """The webhooks of a database.

    Args:
        database: that keeps them.
        clock: the time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def add(self, url: str, types: Sequence[str]) -> dict[str, Any]:
        """A new webhook, with its secret for the only time.

        Args:
            url: http or https.
            types: of events; none means all.

        Raises:
            ApiError: no such address, or no such type.
        """
        wrong = sorted(set(types) - set(TYPES))
        if wrong:
            raise ApiError(
                422, "invalid", f"types: {wrong[0]!r:.60}; expected of {', '.join(TYPES)}"
            )
        require_address(url)
        row = WebhookRow(
            id=new_id(),
            url=url,
            types=sorted(set(types)),
            secret=new_secret(),
            created_at=iso(self._clock()),
        )
        with self._database.writing() as session:
            session.add(row)
        return {**webhook_to_dict(row), "secret": row.secret}

    def list(self) -> list[dict[str, Any]]:
        """All webhooks without their secrets, oldest first."""
        with self._database.reading() as session:
            rows = session.scalars(select(WebhookRow).order_by(WebhookRow.id))
            return [webhook_to_dict(row) for row in rows]

    def remove(self, number: str) -> None:
        """Forget a webhook, and what was on its way to it.

        Raises:
            ApiError: there is none.
        """
        with self._database.writing() as session:
            row = session.get(WebhookRow, number)
            if row is None:
                raise not_found(f"webhook {number!r:.60}: there is none of this id")
            session.execute(delete(DeliveryRow).where(DeliveryRow.webhook == number))
            session.delete(row)


def require_address(url: str) -> None:
    """Make sure that messages can be sent to an address.

    Raises:
        ApiError: no http or https address, or one with a password.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        parts, usable = None, None
    whole = url.isascii() and url.isprintable() and " " not in url and len(url) <= 2000
    if not usable or not whole or parts is None or parts.username or parts.password:
        raise ApiError(422, "invalid", f"url: expected https://host/path, got {url!r:.80}")


def webhook_to_dict(row: WebhookRow) -> dict[str, Any]:
    """Plain values, without the secret."""
    return {
        "id": row.id,
        "url": row.url,
        "types": row.types,
        "created_at": row.created_at,
        "disabled_at": row.disabled_at,
    }
