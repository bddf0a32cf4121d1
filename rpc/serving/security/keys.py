"""Keys of the interface and sessions of browsers: random, kept as digests, with a role.

A key has 256 random bits, so its SHA-256 tells nothing about it: no slow hash is needed, which
guards what people think up.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rpc.data.files import DataError
from rpc.serving.database.database import Database
from rpc.serving.database.models import KeyRow, SessionRow
from rpc.serving.times import Clock, in_seconds, iso, utc_now

Role: TypeAlias = Literal["till", "manager"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
PREFIX: Final = "rpc_"
SESSION_SECONDS: Final = 30 * 86_400


@dataclass(frozen=True)
class Key:
    """A key as people see it; what it opens is only known when it is made."""

    id: int
    name: str
    role: Role
    created_at: str
    revoked_at: str | None = None


@dataclass(frozen=True)
class NewSession:
    """A browser's session: the secret of its cookie, and the word that unsafe requests repeat."""

    secret: str
    csrf: str


def digest(secret: str) -> str:
    """The kept trace of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Keys:
    """The keys of a counter.

    Args:
        database: that keeps them.
        clock: the time.
    """

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database, self._clock = database, clock

    def add(self, name: str, role: Role) -> str:
        """Make a key; returns it, for the only time.

        Raises:
            DataError: the name is taken or no name, or there is no such role.
        """
        if role not in ROLES:
            raise DataError(f"role: expected one of {', '.join(ROLES)}, got {role!r:.40}")
        if not name.strip() or len(name) > 200 or not name.isprintable():
            raise DataError(f"key: expected a name of 1 to 200 characters, got {name!r:.80}")
        secret = PREFIX + secrets.token_urlsafe(32)
        with self._database.writing() as session:
            if session.scalars(select(KeyRow).where(KeyRow.name == name)).first():
                raise DataError(f"key {name!r}: there is one of this name; choose another")
            made = iso(self._clock())
            session.add(KeyRow(name=name, role=role, digest=digest(secret), created_at=made))
        return secret

    def list(self) -> list[Key]:
        """All keys, the revoked ones too, by name."""
        with self._database.reading() as session:
            return [_key(row) for row in session.scalars(select(KeyRow).order_by(KeyRow.name))]

    def revoke(self, name: str) -> None:
        """Make a key, and the sessions that it opened, useless.

        Raises:
            DataError: there is none of this name, or it was revoked before.
        """
        with self._database.writing() as session:
            row = session.scalars(select(KeyRow).where(KeyRow.name == name)).first()
            if row is None or row.revoked_at is not None:
                raise DataError(f"key {name!r:.80}: no such key; `serve keys list` shows them")
            row.revoked_at = iso(self._clock())
            session.execute(delete(SessionRow).where(SessionRow.key_id == row.id))

    def any(self) -> bool:
        """Whether a key was ever made: from then on one is needed."""
        with self._database.reading() as session:
            return session.scalars(select(KeyRow.id).limit(1)).first() is not None

    def find(self, secret: str) -> Key | None:
        """The key that this secret is; None where it is none, or was revoked."""
        with self._database.reading() as session:
            row = _valid(session, KeyRow.digest == digest(secret))
            return None if row is None else _key(row)

    def open_session(self, key: Key) -> NewSession:
        """A session for a browser that has shown a key."""
        made = NewSession(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        now = iso(self._clock())
        with self._database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.expires_at < now))
            session.add(
                SessionRow(
                    digest=digest(made.secret),
                    key_id=key.id,
                    csrf=digest(made.csrf),
                    expires_at=in_seconds(now, SESSION_SECONDS),
                )
            )
        return made

    def find_session(self, secret: str) -> tuple[Key, str] | None:
        """The key of a browser's session and the digest of its word; None where it is over."""
        with self._database.reading() as session:
            row = session.get(SessionRow, digest(secret))
            if row is None or row.expires_at < iso(self._clock()):
                return None
            key = _valid(session, KeyRow.id == row.key_id)
            return None if key is None else (_key(key), row.csrf)

    def close_session(self, secret: str) -> None:
        """End a session."""
        with self._database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.digest == digest(secret)))


def _valid(session: Session, condition: object) -> KeyRow | None:
    chosen = select(KeyRow).where(condition, KeyRow.revoked_at.is_(None))  # type: ignore[arg-type]
    return session.scalars(chosen).first()


def _key(row: KeyRow) -> Key:
    role: Role = "manager" if row.role == "manager" else "till"
    return Key(row.id, row.name, role, row.created_at, row.revoked_at)
