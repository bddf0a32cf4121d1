"""Pictures of the counter's page for docs/counter.md: a week of sales, a browser, small files.

`python -m tests.serving.web.make_pictures [FOLDER]` writes FOLDER/counter_*.png (docs/pictures).
Needs Node, `npm ci` in rpc/serving/web, and Chromium.
"""

import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import uvicorn
from PIL import Image
from starlette.testclient import TestClient

from rpc.serving.app import create_app
from rpc.serving.times import utc_now
from tests.serving.web.remembered_trays import STORE, server
from tests.serving.web.test_pages import ROOT, WEB, free_port, npx

DAYS = 7
COLOURS = (255, 160, 96, 64)  # of a palette: as many as a file may have
MOST = 150_000  # bytes of a file
WIDEST, HIGHEST = 960, 1080  # px


class Clock:
    """A time that can be set back, and goes on from there."""

    back = timedelta(0)

    def __call__(self):
        return utc_now() - self.back


def sell_for_a_week(parts, clock):
    """Trays of seven days: some corrected, the others accepted as they were read."""
    names = [tray["photo"] for tray in parts.thread.counter.detector.trays]
    rng = np.random.default_rng(7)
    with TestClient(create_app(parts), base_url="http://127.0.0.1") as web:
        for day in range(DAYS - 1, -1, -1):
            for _ in range(int(rng.integers(4, 9))):
                clock.back = timedelta(days=day, minutes=int(rng.integers(5, 90)))
                photo = (STORE / "val" / names[int(rng.integers(len(names)))]).read_bytes()
                sale = web.post("/v1/sales", content=photo, headers={"content-type": "image/jpeg"})
                number = sale.json()["id"]
                if rng.random() < 0.3:
                    correct(web, sale.json())
                assert web.post(f"/v1/sales/{number}/accept").status_code == 200
        clock.back = timedelta(0)


def correct(web, sale):
    """Name the least sure item as its second likeliest SKU."""
    item = sale["items"][0]
    other = next(a["sku"] for a in item["alternatives"] if a["sku"] != item["sku"])
    body = {"kind": "rename", "item": item["id"], "sku": other}
    assert web.post(f"/v1/sales/{sale['id']}/corrections", json=body).status_code == 200


def shrink(path, target):
    """Write a picture without a camera's noise, with the largest palette that keeps it small."""
    picture = Image.open(path).convert("RGB")
    picture.thumbnail((WIDEST, HIGHEST), Image.Resampling.LANCZOS)
    calm = cv2.bilateralFilter(np.asarray(picture), 7, 14, 5)
    for colours in COLOURS:
        palette = Image.fromarray(calm_and_bright(calm)).quantize(colours)
        drawn = Image.fromarray(calm).quantize(palette=palette, dither=Image.Dither.NONE)
        drawn.save(target, optimize=True)
        if target.stat().st_size < MOST:
            return
    raise SystemExit(f"{target}: larger than {MOST} bytes with {colours} colours")


def calm_and_bright(rgb):
    """The pixels (1, N, 3) of a palette: small bright areas count as much as large grey ones."""
    pixels = rgb.reshape(-1, 3)
    bright = pixels[np.ptp(pixels.astype(int), axis=1) > 60]
    times = min(20, len(pixels) // max(1, len(bright)))
    return np.concatenate([pixels, *[bright] * times])[None]


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/pictures"
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    with tempfile.TemporaryDirectory() as data:
        sell_for_a_week(server(Path(data) / "seed", clock), clock)
        parts = server(Path(data) / "seed", clock)  # the first one closed with its client
        port = free_port()
        settings = uvicorn.Config(create_app(parts), port=port, log_level="warning")
        answering = uvicorn.Server(settings)
        thread = threading.Thread(target=answering.run, daemon=True)
        thread.start()
        while not answering.started:
            time.sleep(0.1)
        npx(
            "vitest", "run", "--config", "vitest.pictures.config.ts", url=f"http://127.0.0.1:{port}"
        )
        answering.should_exit = True
        thread.join(30)
    for path in sorted((WEB / ".pictures").glob("counter_*.png")):
        shrink(path, folder / path.name)


if __name__ == "__main__":
    main()
