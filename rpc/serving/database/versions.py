"""The database brought to this version of the package, by Alembic's migrations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from rpc.data.files import DataError
from rpc.serving.database.models import Base

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def bring_up_to_date(engine: Engine, name: str) -> None:
    """Run the migrations that the database lacks, in one transaction.

    Args:
        engine: of the database.
        name: of the database, for people.

    Raises:
        DataError: a newer version of this package has written it.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with engine.connect().execution_options(rpc_writes=True) as connection, connection.begin():
        found = current_version(connection)
        known = {script.revision for script in scripts.walk_revisions()}
        if found is not None and found not in known:
            raise DataError(
                f"{name}: written by a newer version of rpc-checkout (its version is {found:.40}); "
                "install that version, or choose another folder with --data"
            )

        def upgrade(revision: Any, context: Any) -> Any:
            return scripts._upgrade_revs("head", revision)

        _run(config, scripts, connection, upgrade)


def current_version(connection: Connection) -> str | None:
    """The version that a database is of; None where nobody has made it yet."""
    return MigrationContext.configure(connection).get_current_revision()


def _run(
    config: Config,
    scripts: ScriptDirectory,
    connection: Connection,
    upgrade: Callable[[Any, Any], Any],
) -> None:
    with EnvironmentContext(config, scripts, fn=upgrade) as environment:
        environment.configure(connection=connection, target_metadata=Base.metadata)
        environment.run_migrations()
