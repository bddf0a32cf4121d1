"""A process that sells is killed again and again: nothing that was answered is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from rpc.serving import sale as core
from rpc.serving.database.database import Database
from rpc.serving.database.models import EventRow, SaleRow
from rpc.serving.events.events import events_of_sale
from rpc.serving.sales.sale_rows import items_of_row
from rpc.serving.sales.sales import replayed
from tests.serving.sales.killed_sales import lines

ROOT = Path(__file__).parents[3]


def sold(folder, sales, kills, seed):
    words = [str(folder), str(sales), str(kills), str(seed)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.serving.sales.killed_sales", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["killed"] == kills
    answered, received = lines(folder / "answered"), lines(folder / "received")
    assert len(answered) >= sales
    with Database.in_folder(folder).reading() as session:
        rows = {row.id: row for row in session.scalars(select(SaleRow))}
        for number in answered:
            assert rows[number].state == "accepted"
            assert rows[number].total_cents == 3 * 249 + 100 + 5
        for number, row in rows.items():  # the unanswered ones too are whole
            events = events_of_sale(session, number)
            assert items_of_row(row) == list(replayed(events))
            assert row.total_cents == core.total_cents(replayed(events))
            assert ("sale.accepted" in {event.type for event in events}) == (
                row.state == "accepted"
            )
        events = list(session.scalars(select(EventRow).order_by(EventRow.seq)))
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        told = {event.id for event in events if event.type == "sale.accepted"}
    assert set(received) == told
    return len(received) - len(told)


def test_sixty_sales_across_three_kills(tmp_path):
    sold(tmp_path, sales=60, kills=3, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_sales_across_fifty_kills(tmp_path, seed):
    sold(tmp_path, sales=1000, kills=50, seed=seed)
