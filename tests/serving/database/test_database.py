"""The database: its versions, one writer, and the same tables on PostgreSQL."""

import os

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from rpc.data.files import DataError
from rpc.serving.database.database import Database
from rpc.serving.database.models import Base
from rpc.serving.events.event_bus import EventBus
from rpc.serving.events.events import Who, events_after
from rpc.serving.ids import new_id
from rpc.serving.products.products import Product, Products
from rpc.serving.times import utc_now
from tests.serving import coloured_shop as shop

WHO = Who("a", "b")


def test_the_migrations_make_the_tables_of_the_models(tmp_path):
    database = Database.in_folder(tmp_path)
    with database._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    database.close()


def test_what_was_kept_is_there_when_it_is_opened_again(tmp_path):
    first = Database.in_folder(tmp_path)
    Products(first, EventBus(), utc_now).add(Product("tea", "Tea"), WHO)
    first.close()
    again = Database.in_folder(tmp_path)
    assert set(Products(again, EventBus(), utc_now).all()) == {"tea"}
    again.close()


def test_what_is_committed_is_on_the_disk(tmp_path):
    database = Database.in_folder(tmp_path)
    with database.writing() as session:
        modes = [
            session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert modes == ["wal", 2, 1, 10_000]
    database.close()


def test_a_database_of_a_newer_version_is_refused_in_one_line_and_left_alone(tmp_path):
    Database.in_folder(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'counter.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    before = (tmp_path / "counter.sqlite").read_bytes()
    with pytest.raises(DataError, match=r"newer version.*9999") as caught:
        Database.in_folder(tmp_path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "counter.sqlite").read_bytes() == before


def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path):
    (tmp_path / "counter.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(DataError, match="cannot be opened") as caught:
        Database.in_folder(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_error_takes_the_whole_transaction_back(tmp_path):
    database = Database.in_folder(tmp_path)
    products = Products(database, EventBus(), utc_now)
    twice = [Product("a", "A", ean="4006381333931"), Product("b", "B", ean="4006381333931")]
    with pytest.raises(Exception, match="belongs to 'a'"):
        products.bring_in(twice, WHO)
    assert products.all() == {}
    with database.reading() as session:
        assert events_after(session, 0) == []
    database.close()


def test_identifiers_rise_and_say_their_version():
    made = [new_id() for _ in range(5000)]
    assert made == sorted(set(made))
    assert {one[14] for one in made} == {"7"}


@pytest.mark.slow
@pytest.mark.skipif("RPC_TEST_DATABASE_URL" not in os.environ, reason="no PostgreSQL is given")
def test_the_same_on_postgresql(tmp_path):
    """A database of its own, such as RPC_TEST_DATABASE_URL=postgresql+pg8000://me@localhost/test."""
    database = Database(os.environ["RPC_TEST_DATABASE_URL"])
    with shop.client(shop.server(tmp_path, database=database, clock=utc_now)) as web:
        shop.priced(web)
        sale = web.post("/v1/sales", content=shop.jpeg("tea", "soap", "olive")).json()
        path = f"/v1/sales/{sale['id']}"
        changed = web.post(f"{path}/corrections", json={"kind": "remove", "item": 1}).json()
        assert changed["total_cents"] != sale["total_cents"]
        assert web.post(f"{path}/corrections", json={"kind": "undo"}).json() == sale
        web.post(f"{path}/corrections", json={"kind": "rename", "item": 1, "sku": "cola"})
        sums = web.get("/v1/settings").json()["today"]["trays"]
        assert web.post(f"{path}/accept").json()["state"] == "accepted"
        assert web.get("/v1/settings").json()["today"]["trays"] == sums + 1
        assert web.get("/v1/sales?state=accepted&corrected=true").json()["sales"][0]["corrections"]
        assert sale["id"] in web.get("/v1/sales.csv").text
        assert web.get("/v1/health").json()["trays"] > 0
        key = {"idempotency-key": sale["id"]}
        twice = [web.post("/v1/sales", content=shop.jpeg("tea"), headers=key) for _ in range(2)]
        assert twice[0].json() == twice[1].json()
        events = web.get(f"{path}/events").json()
        assert web.get(f"/v1/events?after={events[-1]['seq'] - 1}").json()[0] == events[-1]
    database = Database(os.environ["RPC_TEST_DATABASE_URL"])
    for statement in ("UPDATE events SET actor = 'x'", "DELETE FROM events", "TRUNCATE events"):
        with pytest.raises(DBAPIError, match=r"append|truncate"), database.writing() as session:
            session.execute(text(statement))
    with database._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    database.close()
