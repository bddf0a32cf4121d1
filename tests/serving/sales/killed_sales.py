"""Sell while being killed: a parent process forks sellers and kills each one at a random moment.

    python -m tests.serving.sales.killed_sales FOLDER SALES KILLS SEED

A seller opens a sale, corrects it, accepts it and then writes its id into `answered`: from then on
the sale must be there. It also brings messages to a receiver, the file `received`. At the end one
seller finishes in peace. Printed as JSON: how often it killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from rpc.serving.counting.counted_trays import count_tray
from rpc.serving.database.database import Database
from rpc.serving.events.event_bus import EventBus
from rpc.serving.events.events import Who
from rpc.serving.events.outbox import Outbox
from rpc.serving.events.webhooks import Webhooks
from rpc.serving.products.products import Product, Products
from rpc.serving.sales.sales import Correction, Sales, Taken
from rpc.serving.times import utc_now
from tests.serving.coloured_shop import PRICES, counter, tray

WHO = Who("seller", "till 1")


def append(path: Path, line: str) -> None:
    with path.open("a", encoding="ascii") as file:
        file.write(line + "\n")


def lines(path: Path) -> list[str]:
    """Whole lines: a kill may have left half of one."""
    text = path.read_text("ascii") if path.exists() else ""
    return [line for line in text.split("\n")[:-1] if len(line) == 36]


def sell(folder: Path, most: int) -> None:
    """Sell until there are so many sales, and bring all messages."""
    database = Database.in_folder(folder)
    sales = Sales(database, EventBus(), utc_now, "EUR")
    counted = count_tray(counter(), tray("tea", "soap", "cola"))

    def receive(url, headers, body) -> int:
        append(folder / "received", headers["webhook-id"])
        return 200

    outbox = Outbox(database, utc_now, receive)
    while len(lines(folder / "answered")) < most:
        number = sales.open(Taken(counted, None), WHO)["id"]
        sales.correct(number, Correction("count", sku="tea", count=3), WHO)
        sales.accept(number, WHO)
        append(folder / "answered", number)
        outbox.deliver()
    while outbox.deliver():
        pass


def main() -> None:
    folder, most, kills, seed = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    database = Database.in_folder(folder)
    products = Products(database, EventBus(), utc_now)
    products.bring_in([Product(sku, sku, cents) for sku, cents in PRICES.items()], WHO)
    Webhooks(database, utc_now).add("https://example.org/hook", ["sale.accepted"])
    database.close()
    rng = np.random.default_rng(seed)
    killed = 0
    while True:
        child = os.fork()
        if child == 0:
            try:
                sell(folder, most)
            finally:
                os._exit(0)
        wanted = round(most * (killed + rng.uniform(0.2, 1.0)) / (kills + 1))
        while killed < kills and len(lines(folder / "answered")) < wanted:
            time.sleep(0.002)
            if os.waitpid(child, os.WNOHANG)[0]:
                print(json.dumps({"killed": killed}))
                return
        if killed < kills:
            time.sleep(rng.uniform(0, 0.02))  # anywhere within a sale
            os.kill(child, signal.SIGKILL)
            killed += 1
        os.waitpid(child, 0)
        if len(lines(folder / "answered")) >= most and killed >= kills:
            print(json.dumps({"killed": killed}))
            return


if __name__ == "__main__":
    main()
