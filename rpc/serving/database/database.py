"""The door to the database: reading, and writing by one at a time. SQLite, or PostgreSQL by a URL.

On SQLite a transaction that writes takes the lock at its beginning (`BEGIN IMMEDIATE`), and what is
committed is on the disk before the answer goes out (`synchronous=FULL`): a killed process, or a
machine without power, loses nothing that was answered.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from rpc.data.files import DataError, cannot_write
from rpc.serving.database.versions import bring_up_to_date

FILE: Final = "counter.sqlite"
URL: Final = "RPC_DATABASE_URL"  # environment variable of `rpc-checkout serve`
PATIENCE_MS: Final = 10_000  # that a transaction waits for another process's


class Database:
    """A counter's database, of this version.

    Args:
        url: of SQLAlchemy, such as `sqlite:////srv/shop/counter.sqlite`.

    Raises:
        DataError: it cannot be opened, or a newer version of this package has written it.
    """

    def __init__(self, url: str) -> None:
        self._lock = threading.Lock()
        try:
            self._engine = _engine(url)
            self.is_sqlite = self._engine.dialect.name == "sqlite"
            bring_up_to_date(self._engine, self.name)
        except (SQLAlchemyError, sqlite3.Error, ImportError) as error:
            what = str(error).splitlines()[0]
            raise DataError(f"database: cannot be opened: {what}") from error

    @classmethod
    def in_folder(cls, folder: Path) -> Database:
        """The SQLite database of a folder, which is made where it is missing.

        Raises:
            DataError: the folder cannot be written to, or as the constructor.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(folder, error) from error
        return cls(f"sqlite:///{(folder / FILE).resolve().as_posix()}")

    @property
    def name(self) -> str:
        """The address without its password, for people."""
        return self._engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees the database as it is now and changes nothing."""
        with Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: all of it is kept, on the disk, when the block ends; else nothing."""
        with (
            self._lock,
            self._engine.connect() as connection,
            connection.execution_options(rpc_writes=True).begin(),
            Session(connection, expire_on_commit=False) as session,
        ):
            yield session
            session.flush()

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    engine = create_engine(parsed, connect_args={"timeout": PATIENCE_MS / 1000})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions begin where `_begin` says
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "recursive_triggers = ON",  # REPLACE is a DELETE too
            f"busy_timeout = {PATIENCE_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("rpc_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
