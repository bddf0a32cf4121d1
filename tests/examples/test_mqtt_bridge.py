"""The example bridge to MQTT, behind the counter's own outbox, with a client that keeps all."""

import importlib.util
import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from rpc.serving.database.database import Database
from rpc.serving.events.events import Who, append_event
from rpc.serving.events.outbox import Outbox
from rpc.serving.events.webhooks import Webhooks
from tests.serving.coloured_shop import Clock

PATH = Path(__file__).parents[2] / "examples/mqtt_bridge.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("mqtt_bridge", PATH)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


class Client:
    """The part of paho-mqtt's client that the bridge uses."""

    def __init__(self):
        self.kept, self.away = [], False

    def publish(self, topic, payload, qos):
        if not self.away:
            self.kept.append((topic, json.loads(payload), qos))
        return self

    def wait_for_publish(self, timeout):
        if self.away:
            raise RuntimeError("not connected")

    def is_published(self):
        return not self.away


@pytest.fixture
def shop(tmp_path, example):
    """A counter's outbox whose webhook is a bridge on a port of this machine."""
    clock, client = Clock(), Client()
    database = Database.in_folder(tmp_path)
    bridge = server = None

    def answer(headers, body):
        return bridge.answer(headers, body)

    server = example.server_of(type("Late", (), {"answer": staticmethod(answer)}), 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    secret = Webhooks(database, clock).add(url, ["sale.accepted"])["secret"]
    bridge = example.Bridge(secret, example.publish_by(client, 0.1), lambda: clock().timestamp())
    yield database, Outbox(database, clock), clock, client, bridge
    server.shutdown()
    thread.join()
    server.server_close()


def sell(database, till="till 1"):
    with database.writing() as session:
        row = append_event(
            session, "sale.accepted", Who("Mira", till), "2026-03-02T10:00:00.000000Z",
            {"total_cents": 249},
        )  # fmt: skip
        return row.id


def test_an_accepted_sale_reaches_the_broker_once_with_its_till_in_the_topic(shop):
    database, outbox, _, client, _ = shop
    number = sell(database, "till/1 #a")
    assert outbox.deliver() == 1
    assert outbox.deliver() == 0
    ((topic, event, qos),) = client.kept
    assert (topic, qos) == ("counter/till_1 _a/sale/accepted", 1)
    assert (event["id"], event["data"]["total_cents"]) == (number, 249)


def test_what_a_broker_that_was_away_has_missed_comes_later(shop):
    database, outbox, clock, client, _ = shop
    client.away = True
    number = sell(database)
    assert outbox.deliver() == 1
    assert client.kept == []
    client.away = False
    clock.now += timedelta(seconds=10)
    assert outbox.deliver() == 1
    assert [event["id"] for _, event, _ in client.kept] == [number]


def test_a_message_that_is_sent_again_is_published_once_and_a_forged_one_never(shop):
    database, _, clock, client, bridge = shop
    sent = []
    sell(database)
    Outbox(
        database, clock, lambda url, headers, body: sent.append((headers, body)) or 204
    ).deliver()
    ((headers, body),) = sent
    assert [bridge.answer(headers, body) for _ in range(2)] == [204, 204]
    assert len(client.kept) == 1
    assert bridge.answer(headers, body.replace(b"249", b"1")) == 401
    assert bridge.answer({**headers, "webhook-signature": "v1,é"}, body) == 401
    assert bridge.answer({}, body) == 401
    clock.now += timedelta(seconds=400)
    assert bridge.answer(headers, body) == 400
    assert len(client.kept) == 1
