"""Forward the counter's webhooks to an MQTT broker: `counter/TILL/TYPE`, quality of service 1.

    pip install paho-mqtt
    export WEBHOOK_SECRET=whsec_...          # the counter's answer when the webhook was made
    python examples/mqtt_bridge.py --broker broker.shop.example --port 9090

    curl -X POST http://127.0.0.1:8080/v1/webhooks -H 'content-type: application/json' \
         -d '{"url": "http://127.0.0.1:9090/", "types": ["sale.accepted"]}'

A message is answered with 204 once the broker has it. Where the broker is away the answer is 503,
and the counter's outbox sends the message again later, ten times within three days. A subscriber
may get a message twice; its `id` tells. The bridge listens on loopback: run it on the counter's
machine.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

TOLERANCE_S: Final = 300  # that clocks may differ
KEPT: Final = 10_000  # ids of messages that the broker has
MOST_BYTES: Final = 1_000_000
Publish = Callable[[str, bytes], bool]


class Bridge:
    """Checks a webhook's message and publishes it.

    Args:
        secret: of the webhook, `whsec_...`.
        publish: gives a payload to the broker under a topic; whether the broker has it.
        clock: seconds since 1970.
    """

    def __init__(
        self, secret: str, publish: Publish, clock: Callable[[], float] = time.time
    ) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._publish, self._clock = publish, clock
        self._seen: OrderedDict[str, None] = OrderedDict()

    def answer(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take a message; the status of HTTP to answer with."""
        name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        signed = f"{name}.{stamp}.".encode() + body
        expected = base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()
        shown = headers.get("webhook-signature", "").split()
        if not any(hmac.compare_digest(one.encode(), f"v1,{expected}".encode()) for one in shown):
            return 401
        if not stamp.isdigit() or abs(self._clock() - int(stamp)) > TOLERANCE_S:
            return 400
        if name in self._seen:
            return 204  # sent again because our answer was lost
        event = json.loads(body)["data"]
        if not self._publish(topic_of(event), json.dumps(event, ensure_ascii=False).encode()):
            return 503
        self._seen[name] = None
        if len(self._seen) > KEPT:
            self._seen.popitem(last=False)
        return 204


def topic_of(event: Mapping[str, Any]) -> str:
    """The topic of an event, such as `counter/till 1/sale/accepted`."""
    till = "".join("_" if letter in "/+#" else letter for letter in str(event["till"]))
    return f"counter/{till or '_'}/{str(event['type']).replace('.', '/')}"


def server_of(bridge: Bridge, port: int) -> ThreadingHTTPServer:
    """An HTTP server on loopback that hands what comes to a bridge."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server asks for
            size = int(self.headers.get("content-length", 0))
            body = self.rfile.read(size) if size <= MOST_BYTES else b""
            self.send_response(bridge.answer(self.headers, body))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def publish_by(client: Any, seconds: float = 5.0) -> Publish:
    """Publish by a client of paho-mqtt, and wait until the broker has said that it has it."""

    def publish(topic: str, payload: bytes) -> bool:
        try:
            message = client.publish(topic, payload, qos=1)
            message.wait_for_publish(seconds)
            return bool(message.is_published())
        except (OSError, RuntimeError, ValueError):  # no connection, or its queue is full
            return False

    return publish


def main() -> None:
    """Connect to the broker and answer until somebody stops it."""
    import paho.mqtt.client as mqtt

    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--broker", required=True, help="host of the broker")
    options.add_argument("--broker-port", type=int, default=1883)
    options.add_argument("--port", type=int, default=9090, help="on loopback, for webhooks")
    options.add_argument("--tls", action="store_true", help="to the broker")
    options.add_argument("--user", help="at the broker; its password is in MQTT_PASSWORD")
    args = options.parse_args()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    if args.tls:
        client.tls_set()
    if args.user:
        client.username_pw_set(args.user, os.environ.get("MQTT_PASSWORD"))
    client.connect_async(args.broker, args.broker_port)
    client.loop_start()  # connects, and connects again
    bridge = Bridge(os.environ["WEBHOOK_SECRET"], publish_by(client))
    server_of(bridge, args.port).serve_forever()


if __name__ == "__main__":
    main()
