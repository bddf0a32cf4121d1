"""Many counters at one server: how long writes take, and whether every answered sale is kept.

A server runs in a process of its own with a counter that does not look (`--counting-ms` says how
long it takes over a tray), on an empty database. Each simulated counter has its own key and its own
connection: it sends a photo, corrects a sale now and then, accepts it, and waits until the next is
due. `--speed 10` lets ten minutes pass in one. At the end every sale that was answered is looked
up, and the numbers of the events must have no gap.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from rpc.checkout import Checkout
from rpc.counting import CountingRule
from rpc.data.files import write_json
from rpc.data.taxonomy import Category, Taxonomy
from rpc.reporting.provenance import code_version, machine
from rpc.structures import Detections

SKUS: Final = 100
ITEMS: Final = 12
PACKAGES: Final = ("fastapi", "uvicorn", "sqlalchemy", "starlette", "pydantic")
KINDS: Final = ("open", "correct", "accept")


def main(argv: list[str] | None = None) -> int:
    """Start the server, let the counters sell, look everything up, print and write the numbers."""
    args = _parser().parse_args(argv)
    if args.serve is not None:
        return _serve(args)
    with tempfile.TemporaryDirectory() as folder:
        keys = _keys(Path(folder), args.counters)
        port = _free_port()
        command = [sys.executable, "-W", "ignore", __file__, "--serve", folder]
        command += ["--port", str(port), "--counting-ms", str(args.counting_ms)]
        with subprocess.Popen(command) as server:
            try:
                _wait(port, server)
                result = _sell(args, port, keys)
            finally:
                server.terminate()
    result["settings"] = {
        name: value for name, value in vars(args).items() if name not in ("out", "serve", "port")
    }
    result["versions"] = {name: version(name) for name in PACKAGES}
    result["code"], result["machine"] = code_version(), machine()
    _show(result)
    if args.out is not None:
        print(write_json(args.out, result, indent=1))
    return 0 if not result["lost"] and not result["errors"] else 1


class Items:
    """A detector and recogniser that know what they will say."""

    def __init__(self, milliseconds: float) -> None:
        self.seconds = milliseconds / 1000
        grid = np.arange(ITEMS)
        left, top = 20 + 140 * (grid % 4), 20 + 140 * (grid // 4)
        self.boxes = np.stack([left, top, left + 120, top + 120], axis=1).astype(np.float64)

    def predict(self, rgb: Any) -> Detections:
        """Twelve items."""
        return Detections(self.boxes, np.full(ITEMS, 0.9), np.zeros(ITEMS, dtype=np.int64))

    def predict_batch(self, photos: Sequence[Any]) -> list[Detections]:
        """Twelve items on each photo."""
        time.sleep(self.seconds)
        return [self.predict(photo) for photo in photos]

    def probabilities(self, rgb: Any, boxes: Any) -> Any:
        """Each of another SKU."""
        rows = np.full((len(boxes), SKUS + 1), 0.05 / SKUS)
        rows[np.arange(len(boxes)), np.arange(len(boxes)) % SKUS] = 0.95
        return rows


def _serve(args: argparse.Namespace) -> int:
    import uvicorn

    from rpc.serving.app import create_app
    from rpc.serving.database.database import Database
    from rpc.serving.server import CounterServer
    from rpc.serving.settings import ServingSettings

    items = Items(args.counting_ms)
    taxonomy = Taxonomy([Category(n + 1, f"sku_{n}", title=f"Product {n}") for n in range(SKUS)])
    rule = CountingRule(threshold=0.3, counts_by="item_score")
    counter = Checkout(items, taxonomy, items, rule, name="stand-in")
    folder = Path(args.serve)
    parts = CounterServer(ServingSettings(folder), Database.in_folder(folder), counter)
    uvicorn.run(create_app(parts), host="127.0.0.1", port=args.port, log_level="warning")
    return 0


def _keys(folder: Path, count: int) -> list[str]:
    from rpc.serving.database.database import Database
    from rpc.serving.security.keys import Keys

    database = Database.in_folder(folder)
    keys = [Keys(database).add(f"till {number}", "till") for number in range(count)]
    database.close()
    return keys


def _sell(args: argparse.Namespace, port: int, keys: list[str]) -> dict[str, Any]:
    """Let all counters sell at once; their times, and what is not there afterwards."""
    counters = [Counter(number, port, key, args) for number, key in enumerate(keys)]
    began = time.perf_counter()
    for one in counters:
        one.thread.start()
    for one in counters:
        one.thread.join()
    seconds = time.perf_counter() - began
    times = {kind: [t for one in counters for t in one.times[kind]] for kind in KINDS}
    times["write"] = times["correct"] + times["accept"]
    times["write, in the server"] = [t for one in counters for t in one.in_server]
    answered = {number for one in counters for number in one.accepted}
    kept, gaps = _kept(port, keys[0])
    return {
        "seconds": round(seconds, 2),
        "sales": len(answered),
        "sales_a_second": round(len(answered) / seconds, 2),
        "milliseconds": {kind: _spread(found) for kind, found in times.items()},
        "late": sum(one.late for one in counters),
        "busy": sum(one.busy for one in counters),
        "errors": [error for one in counters for error in one.errors][:20],
        "lost": len(answered - kept),
        "gaps_in_events": gaps,
    }


class Counter:
    """One simulated counter, in a thread of its own."""

    def __init__(self, number: int, port: int, key: str, args: argparse.Namespace) -> None:
        self.rng = np.random.default_rng([args.seed, number])
        self.port, self.args = port, args
        self.headers = {"authorization": f"Bearer {key}"}
        self.photo = _photo(self.rng, args.side)
        self.times: dict[str, list[float]] = {kind: [] for kind in KINDS}
        self.in_server: list[float] = []  # of writes, as the server says
        self.accepted: list[str] = []
        self.errors: list[str] = []
        self.late = self.busy = 0
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        """Sell until the time is over."""
        every = 60 / self.args.sales_a_minute / self.args.speed
        end = time.perf_counter() + 60 * self.args.minutes / self.args.speed
        due = time.perf_counter() + self.rng.uniform(0, every)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while due < end:
            wait = due - time.perf_counter()
            self.late += wait < -every
            time.sleep(max(wait, 0))
            try:
                self._sale(connection)
            except (OSError, http.client.HTTPException, RuntimeError) as error:
                self.errors.append(f"{type(error).__name__}: {error}")
            connection.close()  # the server closes it too, after a few idle seconds
            due += every

    def _sale(self, connection: http.client.HTTPConnection) -> None:
        sale = self._ask(connection, "open", "/v1/sales", self.photo, "image/jpeg")
        path = f"/v1/sales/{sale['id']}"
        if self.rng.random() < self.args.corrected:
            item = int(sale["items"][0]["id"])
            body = {"kind": "rename", "item": item, "sku": f"sku_{self.rng.integers(SKUS)}"}
            self._ask(connection, "correct", f"{path}/corrections", json.dumps(body).encode())
        self._ask(connection, "accept", f"{path}/accept", b"")
        self.accepted.append(sale["id"])

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        kind: str,
        path: str,
        body: bytes,
        content: str = "application/json",
    ) -> Any:
        """Post until the server is not busy; note the time of the answer that counts."""
        while True:
            began = time.perf_counter()
            connection.request("POST", path, body, {**self.headers, "content-type": content})
            answer = connection.getresponse()
            data = answer.read()
            if answer.status != 503:
                break
            self.busy += 1
            time.sleep(0.2)
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {data[:200]!r}")
        self.times[kind].append(1000 * (time.perf_counter() - began))
        if kind != "open":
            told = answer.getheader("server-timing") or ""
            self.in_server.append(float(told.partition("dur=")[2] or "nan"))
        return json.loads(data)


def _kept(port: int, key: str) -> tuple[set[str], int]:
    """The accepted sales that the server knows, and how many numbers of events are missing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"authorization": f"Bearer {key}"}

    def get(path: str) -> Any:
        connection.request("GET", path, headers=headers)
        return json.loads(connection.getresponse().read())

    kept: set[str] = set()
    before = ""
    while True:
        page = get(f"/v1/sales?state=accepted&limit=200{before}")
        kept |= {sale["id"] for sale in page["sales"]}
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    last, gaps = 0, 0
    while events := get(f"/v1/events?after={last}"):
        numbers = [last, *(event["seq"] for event in events)]
        gaps += sum(b - a - 1 for a, b in pairwise(numbers))
        last = numbers[-1]
    connection.close()
    return kept, gaps


def _photo(rng: np.random.Generator, side: int) -> bytes:
    small = rng.integers(0, 255, (side // 16, side // 16, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()


def _spread(times: list[float]) -> dict[str, float]:
    if not times:
        return {"count": 0}
    found = np.percentile(times, [50, 95, 99, 100])
    names = ("p50", "p95", "p99", "most")
    told = {name: round(float(value), 2) for name, value in zip(names, found, strict=True)}
    return {"count": len(times), **told}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise RuntimeError("the server did not start")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the server did not answer within two minutes")


def _show(result: dict[str, Any]) -> None:
    print(f"{result['sales']} sales in {result['seconds']} s, {result['sales_a_second']} a second")
    for kind, found in result["milliseconds"].items():
        print(f"{kind:8}", "  ".join(f"{name} {value}" for name, value in found.items()))
    print(
        f"lost {result['lost']}, gaps {result['gaps_in_events']}, late {result['late']}, "
        f"busy {result['busy']}, errors {len(result['errors'])}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    option = parser.add_argument
    option("--counters", type=int, default=50, help="simulated counters")
    option("--sales-a-minute", type=float, default=10.0, help="of each")
    option("--minutes", type=float, default=5.0, help="of simulated time")
    option("--speed", type=float, default=1.0, help="simulated minutes in one")
    option("--corrected", type=float, default=0.3, help="share of sales with a correction")
    option("--counting-ms", type=float, default=20.0, help="that a tray takes")
    option("--side", type=int, default=640, help="px of a photo")
    option("--seed", type=int, default=0)
    option("--out", type=Path, help="JSON file of the numbers")
    option("--serve", metavar="DIR", help=argparse.SUPPRESS)
    option("--port", type=int, default=0, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
