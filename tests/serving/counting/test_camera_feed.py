"""A camera at the server: a still tray opens a sale by itself."""

import time

import numpy as np
import pytest

from rpc.camera import Frame
from rpc.data.files import DataError
from tests.serving import coloured_shop as shop

EMPTY = shop.tray()


class Camera:
    """Shows pictures that a test sets, ten times a second of its own time."""

    def __init__(self):
        self.rgb, self.broken, self.opened = EMPTY, None, 0
        self.shown = 0

    def __call__(self):
        self.opened += 1
        at = 0.0
        while True:
            if self.broken:
                raise DataError(self.broken)
            at += 0.1
            self.shown += 1
            noise = np.random.default_rng(self.shown).integers(0, 2, self.rgb.shape, np.uint8)
            yield Frame(at, self.rgb - noise)
            time.sleep(0.001)


@pytest.fixture
def camera():
    return Camera()


@pytest.fixture
def parts(tmp_path, camera):
    return shop.server(tmp_path, camera=camera)


@pytest.fixture
def web(parts):
    with shop.client(parts) as made:
        yield made


def until(done, seconds=30.0):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)


def state(web):
    return web.get("/v1/camera").json()["state"]


def sales(web):
    return web.get("/v1/sales").json()["sales"]


def test_a_still_tray_opens_one_sale_and_taken_away_makes_room_for_the_next(web, camera):
    until(lambda: state(web) == "empty")
    assert web.post("/v1/sales", json={"source": "camera"}).json()["error"]["code"] == "no_tray"
    camera.rgb = shop.tray("tea", "soap")
    until(lambda: state(web) == "read")
    (sale,) = sales(web)
    assert (sale["by"], sale["items_count"], sale["state"]) == ("camera", 2, "open")
    assert web.get(sale["picture"]).status_code == 200
    by_hand = web.post("/v1/sales", json={"source": "camera"})
    assert (by_hand.status_code, len(by_hand.json()["items"])) == (201, 2)
    camera.rgb = EMPTY
    until(lambda: state(web) == "empty")
    assert len(sales(web)) == 2
    told = web.get("/v1/camera").json()
    assert (told["size"], told["message"]) == ([240, 240], None)
    assert web.get("/v1/camera/frame.jpg").headers["content-type"] == "image/jpeg"


def test_a_tray_that_is_changed_before_it_is_taken_replaces_its_untouched_sale(web, camera):
    until(lambda: state(web) == "empty")
    camera.rgb = shop.tray("tea")
    until(lambda: len(sales(web)) == 1)
    camera.rgb = shop.tray("tea", "soap")
    until(lambda: len(sales(web)) == 2)
    newest, first = sales(web)
    assert (newest["state"], newest["items_count"]) == ("open", 2)
    until(lambda: web.get(f"/v1/sales/{first['id']}").json()["state"] == "void")


def test_a_sale_that_somebody_has_corrected_is_not_replaced(web, camera):
    until(lambda: state(web) == "empty")
    camera.rgb = shop.tray("tea")
    until(lambda: len(sales(web)) == 1)
    first = sales(web)[0]["id"]
    web.post(f"/v1/sales/{first}/corrections", json={"kind": "count", "sku": "cola", "count": 1})
    camera.rgb = shop.tray("tea", "soap")
    until(lambda: len(sales(web)) == 2)
    assert web.get(f"/v1/sales/{first}").json()["state"] == "open"


def test_a_lost_camera_is_told_and_the_counter_goes_on(web, camera, monkeypatch):
    monkeypatch.setattr("rpc.serving.counting.camera_feed.PAUSE", 0.05)
    until(lambda: state(web) == "empty")
    camera.broken = "camera 0: unplugged"
    until(lambda: state(web) == "off")
    assert web.get("/v1/camera").json()["message"] == "camera 0: unplugged"
    assert web.post("/v1/count", content=shop.jpeg("tea")).status_code == 200
    camera.broken = None
    until(lambda: state(web) == "empty")
    assert camera.opened > 1


def test_without_a_camera_it_is_off(tmp_path):
    with shop.client(shop.server(tmp_path / "other")) as web:
        assert web.get("/v1/camera").json() == {"state": "off", "message": None, "size": None}
        assert web.get("/v1/camera/frame.jpg").status_code == 404
        assert web.post("/v1/sales", json={"source": "camera"}).status_code == 409
        assert web.post("/v1/sales", json={"source": "dream"}).status_code == 422
