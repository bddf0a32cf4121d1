"""Events: only appended, in order, streamed and resumed."""

import http.client
import json
import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from rpc.serving.database.database import Database
from rpc.serving.events.events import Who, append_event, events_after
from rpc.serving.routes.events import piece
from tests.serving.coloured_shop import jpeg

WHO = Who("a", "b")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET actor = 'x'",
        "DELETE FROM events",
        "REPLACE INTO events SELECT * FROM events",
    ],
)
def test_nobody_changes_or_removes_an_event(tmp_path, statement):
    database = Database.in_folder(tmp_path)
    with database.writing() as session:
        append_event(session, "product.changed", WHO, "2026", {})
    with pytest.raises(DatabaseError, match="only appended"), database.writing() as session:
        session.execute(text(statement))
    database.close()


def test_numbers_follow_the_commits_of_many_threads_without_a_gap(tmp_path):
    database = Database.in_folder(tmp_path)
    seen = []

    def write():
        for _ in range(10):
            with database.writing() as session:
                append_event(session, "product.changed", WHO, "2026", {})

    def read():
        last = 0
        while last < 40:
            with database.reading() as session:
                for event in events_after(session, last):
                    last = event["seq"]
                    seen.append(last)
            time.sleep(0.002)  # leaves the processor to the writers

    threads = [threading.Thread(target=work) for work in (write, write, write, write, read)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert seen == list(range(1, 41))
    database.close()


def test_an_unknown_type_is_refused(tmp_path):
    database = Database.in_folder(tmp_path)
    with pytest.raises(ValueError, match="expected a type"), database.writing() as session:
        append_event(session, "sale.eaten", WHO, "2026", {})
    database.close()


def test_a_list_goes_on_after_a_number(web):
    web.post("/v1/sales", content=jpeg("tea"))
    events = web.get("/v1/events").json()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert web.get(f"/v1/events?after={events[-2]['seq']}").json() == events[-1:]
    assert len(web.get("/v1/events?limit=2").json()) == 2
    assert len({event["id"] for event in events}) == len(events)
    assert {event["data"]["schema"] for event in events} == {1}


def test_a_piece_of_a_stream_stays_one_piece_whatever_is_in_it():
    text = piece("sale.counted", {"title": "a\n\nevent: evil\r\n"}, 7)
    assert text.startswith("id: 7\nevent: sale.counted\ndata: {")
    assert text.count("\n") == 4
    assert "\r" not in text


class Stream:
    """A reader of server-sent events."""

    def __init__(self, port, path="/v1/events", **headers):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        headers = {"accept": "text/event-stream", **headers}
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.getheader("content-type").startswith("text/event-stream")
        self.line()  # the time after which to come again: the stream has begun

    def line(self):
        return self.answer.readline().decode().rstrip("\n")

    def next(self):
        """The next event: id (None where it is not kept), type, data."""
        found = {"id": None}
        while True:
            line = self.line()
            if not line and "data" in found:
                return found["id"], found["event"], json.loads(found["data"])
            name, _, value = line.partition(": ")
            if name:
                found[name] = value

    def close(self):
        self.connection.close()


def test_a_stream_begins_now_and_goes_on_where_it_broke_off(served):
    parts, port = served
    post = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def sell():
        post.request("POST", "/v1/sales", jpeg("tea"), {"content-type": "image/jpeg"})
        return json.loads(post.getresponse().read())["id"]

    sell()
    stream = Stream(port)
    number, kind, event = (sell(), *stream.next()[1:])
    assert (kind, event["sale"]) == ("sale.counted", number)
    last = event["seq"]
    stream.close()
    missed = [sell(), sell()]
    again = Stream(port, **{"last-event-id": str(last)})
    assert [again.next()[2]["sale"] for _ in missed] == missed
    parts.bus.passing("tray.state", {"state": "moving"})
    assert again.next() == (None, "tray.state", {"state": "moving"})
    again.close()
    after = Stream(port, f"/v1/events?after={last}")
    assert after.next()[2]["sale"] == missed[0]
    after.close()
    post.close()
