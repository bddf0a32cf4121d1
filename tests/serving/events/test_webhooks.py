"""Webhooks: the specification's signature, one message for each event, tried until it comes."""

import http.server
import json
import threading

import pytest
from standardwebhooks import Webhook

from rpc.serving.events.events import Who, append_event
from rpc.serving.events.outbox import Outbox, post
from rpc.serving.events.webhooks import WAITS, new_secret, signature, wait_after
from rpc.serving.times import iso
from tests.serving.coloured_shop import jpeg


def test_the_signature_is_the_one_that_the_specification_publishes():
    made = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


class Receiver:
    """An address that notes what it gets and answers as it is told."""

    def __init__(self, statuses=()):
        self.statuses, self.got = list(statuses), []

    def __call__(self, url, headers, body):
        self.got.append((url, dict(headers), body))
        status = self.statuses.pop(0) if self.statuses else 200
        if status is None:
            raise ConnectionRefusedError
        return status


@pytest.fixture
def hook(web):
    made = web.post(
        "/v1/webhooks", json={"url": "https://shop.example/hook", "types": ["sale.accepted"]}
    )
    assert made.status_code == 201
    return made.json()


def sell(web):
    sale = web.post("/v1/sales", content=jpeg("tea")).json()
    web.post(f"/v1/sales/{sale['id']}/accept")
    return sale


def test_a_message_is_signed_as_a_receiver_checks_it(web, parts, hook):
    sale, receiver = sell(web), Receiver()
    parts.clock.now = parts.clock.now.now(parts.clock.now.tzinfo)  # receivers look at the time
    Outbox(parts.database, parts.clock, receiver).deliver()
    ((url, headers, body),) = receiver.got
    assert url == "https://shop.example/hook"
    told = Webhook(hook["secret"]).verify(body, headers)
    assert (told["type"], told["data"]["sale"]) == ("sale.accepted", sale["id"])
    assert told["data"]["id"] == headers["webhook-id"]
    with pytest.raises(Exception, match="signature"):
        Webhook(new_secret()).verify(body, headers)


def test_what_is_not_taken_is_tried_again_later_under_the_same_id(web, parts, hook):
    sell(web)
    receiver = Receiver([500, None])
    outbox = Outbox(parts.database, parts.clock, receiver, seed=0)
    assert outbox.deliver() == 1
    assert outbox.deliver() == 0  # not at once
    for wait in WAITS[:2]:
        parts.clock.now = parts.clock.now.fromtimestamp(
            parts.clock.now.timestamp() + 1.2 * wait, parts.clock.now.tzinfo
        )
        assert outbox.deliver() == 1
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1
    parts.clock.now = parts.clock.now.replace(year=2027)
    assert outbox.deliver() == 0


def test_after_the_last_wait_it_is_given_up():
    waits = [wait_after(attempts) for attempts in range(1, len(WAITS) + 2)]
    assert waits == [*WAITS, None]


def test_a_receiver_that_is_gone_is_asked_no_more(web, parts, hook):
    sell(web)
    receiver = Receiver([410])
    outbox = Outbox(parts.database, parts.clock, receiver)
    outbox.deliver()
    sell(web)
    parts.clock.now = parts.clock.now.replace(year=2027)
    assert outbox.deliver() == 0
    assert web.get("/v1/webhooks").json()["webhooks"][0]["disabled_at"] is not None


def test_the_secret_is_told_once_and_a_removed_webhook_gets_nothing(web, parts, hook):
    assert hook["secret"].startswith("whsec_")
    assert "secret" not in web.get("/v1/webhooks").json()["webhooks"][0]
    sell(web)
    assert web.delete(f"/v1/webhooks/{hook['id']}").status_code == 204
    assert web.delete(f"/v1/webhooks/{hook['id']}").status_code == 404
    receiver = Receiver()
    assert Outbox(parts.database, parts.clock, receiver).deliver() == 0


NO_ADDRESSES = [
    "ftp://a/b",
    "file:///etc/passwd",
    "https://",
    "http://a b/",
    "https://me:secret@a/",
    "x",
]


def test_an_address_of_no_use_is_refused(web):
    for url in NO_ADDRESSES:
        answer = web.post("/v1/webhooks", json={"url": url, "types": []})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


def test_a_type_that_does_not_exist_is_refused(web):
    answer = web.post("/v1/webhooks", json={"url": "https://a/", "types": ["sale.eaten"]})
    assert answer.status_code == 422


def test_a_transaction_that_fails_leaves_neither_sale_nor_event_nor_message(web, parts, hook):
    before = web.get("/v1/events").json()
    try:
        with parts.database.writing() as session:
            data = {"x": 1}
            append_event(session, "sale.accepted", Who("a", "b"), iso(parts.clock()), data)
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert web.get("/v1/events").json() == before
    assert Outbox(parts.database, parts.clock, Receiver()).deliver() == 0


def test_posting_follows_no_redirection():
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append((self.path, json.loads(body)))
            self.send_response(302)
            self.send_header("location", "/elsewhere")
            self.end_headers()

        def log_message(self, *words):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/hook?a=1"
            assert post(url, {"content-type": "application/json"}, b"{}") == 302
        finally:
            server.shutdown()
            thread.join()
    assert seen == [("/hook?a=1", {})]
