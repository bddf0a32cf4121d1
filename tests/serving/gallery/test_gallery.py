"""Photos into the gallery and out again, by hand and by what accepted trays agree on."""

import threading

import numpy as np
import pytest

from rpc.serving.gallery.gallery_service import GalleryService
from tests.serving import coloured_shop as shop
from tests.serving.coloured_shop import COLOURS, encoded, jpeg, tray


class ColourGallery:
    """A gallery of mean colours: a fake of `rpc.pipelines.gallery.live.LiveGallery`."""

    def __init__(self):
        self.kept = {sku: {f"{sku}.jpg": np.array(COLOURS[sku], float)} for sku in ("tea", "soap")}
        self.changes = 0
        self.threads = set()
        self.waits, self.readers = [], set()

    def photos(self):
        return {sku: len(found) for sku, found in self.kept.items()}

    def generation(self):
        return self.changes

    def picture(self, sku):
        return encoded(tray(sku)) if sku in self.kept else None

    def add(self, exemplars):
        self.threads.add(threading.current_thread().name)
        self.changes += 1
        known = []
        for one in exemplars:
            colour = self._colour(one)
            rows = self.kept.setdefault(one.sku, {})
            if any(np.abs(colour - other).max() < 1 for other in rows.values()):
                known.append(one.source)
            else:
                rows[one.source] = colour
                self.waits.append(one.sku)
        return known

    def unread(self):
        return len(self.waits)

    def read_one(self):
        self.readers.add(threading.current_thread().name)
        sku = self.waits.pop(0)
        self.changes += not self.waits
        return {} if self.waits else {sku: 1}

    def take_out(self, photos):
        self.changes += 1
        for sku, sources in photos.items():
            for source in sources:
                self.kept[sku].pop(source)
            if not self.kept[sku]:
                del self.kept[sku]

    def agreement(self, exemplars):
        self.threads.add(threading.current_thread().name)
        colours = np.array([self._colour(one) for one in exemplars])
        own = np.abs(colours[:, None] - colours[None, :]).sum(axis=2)
        others = [c for sku, rows in self.kept.items() if sku != exemplars[0].sku
                  for c in rows.values()]  # fmt: skip
        rival = np.abs(colours[:, None] - np.array(others)[None, :]).sum(axis=2).min(axis=1)
        return own < np.minimum(rival[:, None], rival[None, :])

    def reloaded(self):
        return shop.counter(tuple(sorted(self.kept)))

    @staticmethod
    def _colour(one):
        x1, y1, x2, y2 = (round(v) for v in one.box) if one.box else (30, 30, 50, 50)
        return one.rgb[y1:y2, x1:x2].reshape(-1, 3).mean(axis=0)


@pytest.fixture
def gallery():
    return ColourGallery()


@pytest.fixture
def parts(tmp_path, gallery):
    return shop.server(tmp_path, gallery=gallery, counts=shop.counter(("tea", "soap")))


@pytest.fixture
def web(parts):
    with shop.client(parts) as made:
        yield made


def files(*data):
    return [("photos", (f"{n}.jpg", one, "image/jpeg")) for n, one in enumerate(data)]


def read(web, *names):
    sale = web.post("/v1/sales", content=jpeg(*names)).json()
    return sale, {item["sku"] for item in sale["items"]}


def test_a_product_is_named_on_the_next_tray_after_its_photos_are_in(web, gallery):
    assert "cola" not in read(web, "cola")[1]
    web.post("/v1/products", json={"sku": "cola", "title": "Cola", "price_cents": 99})
    told = web.post("/v1/products/cola/photos", files=files(jpeg("cola"), b"no photo")).json()
    assert (told["added"], told["generation"]) == (1, 1)
    assert [(one["name"], bool(one["why"])) for one in told["left_out"]] == [("1.jpg", True)]
    sale, skus = read(web, "cola")
    assert (skus, sale["total_cents"]) == ({"cola"}, 99)
    found = web.get("/v1/products/cola").json()
    assert (found["photos"], found["in_model"]) == (1, True)
    assert found["photo"] == "/v1/products/cola/photo"
    assert web.get(found["photo"]).headers["content-type"] == "image/jpeg"
    assert gallery.threads == {"counting"}


def test_a_change_is_taken_back_and_the_counter_forgets(web, gallery):
    web.post("/v1/products", json={"sku": "cola", "title": "Cola"})
    web.post("/v1/products/cola/photos", files=files(jpeg("cola")))
    told = web.post("/v1/gallery/undo").json()
    assert (told["skus"], told["photos"]) == (2, 2)
    assert "cola" not in read(web, "cola")[1]
    again = web.post("/v1/gallery/undo")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "nothing_to_undo")
    kinds = [
        e["data"]["kind"] for e in web.get("/v1/events").json() if e["type"] == "gallery.changed"
    ]
    assert kinds == ["photos", "undone"]


def test_new_photos_are_read_one_by_one_on_another_thread_and_then_the_counter_knows(web, parts):
    gallery = parts.gallery.gallery
    loads = []
    gallery.reloaded = lambda: loads.append(1) or shop.counter(("tea", "soap", "cola"))
    web.post("/v1/products", json={"sku": "cola", "title": "Cola"})
    web.post("/v1/products/cola/photos", files=files(jpeg("cola"), jpeg("soap", "cola")))
    assert (gallery.unread(), len(loads)) == (2, 1)
    assert parts.housekeeping.read_words()  # one is read, another one waits
    assert not parts.housekeeping.read_words()
    assert not parts.housekeeping.read_words()
    assert (gallery.unread(), len(loads), "counting" in gallery.readers) == (0, 2, False)
    told = [e["data"] for e in web.get("/v1/events").json() if e["type"] == "gallery.changed"]
    assert [(one["kind"], one["photos"]) for one in told] == [
        ("photos", {"cola": 2}),
        ("words", {"cola": 1}),
    ]


def test_no_photo_is_read_while_a_tray_waits(web, parts, gallery):
    gallery.waits = ["tea"]
    hold = threading.Event()
    asked = [
        threading.Thread(target=lambda: parts.thread.do(lambda _: hold.wait(30))) for _ in range(2)
    ]
    for one in asked:
        one.start()
    while not parts.thread.waiting:
        pass
    assert not parts.housekeeping.read_words()
    assert gallery.unread() == 1
    hold.set()
    for one in asked:
        one.join()
    assert not parts.housekeeping.read_words()
    assert gallery.unread() == 0


def test_photos_that_are_there_already_are_left_out(web):
    told = web.post("/v1/products/tea/photos", files=files(encoded(tray("tea"), "PNG"))).json()
    assert told["added"] == 0
    assert told["left_out"] == [{"name": "0.jpg", "why": "is in the gallery already"}]


def test_without_a_gallery_no_photo_is_taken(tmp_path):
    with shop.client(shop.server(tmp_path)) as web:
        answer = web.post("/v1/products/tea/photos", files=files(jpeg("tea")))
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_gallery")
        assert web.get("/v1/settings").json()["can_add_products"] is False


def test_nothing_but_broken_photos_is_an_error(web):
    answer = web.post("/v1/products/tea/photos", files=files(b"a", b"b"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "photo_unreadable")
    assert web.post("/v1/products/tea/photos", data={"photos": "x"}).status_code == 422


def confirmed(web, parts, name, sku, *, accept=True):
    """A tray with one thing that a cashier says is `sku`."""
    sale, _ = read(web, name)
    item = sale["items"][0]["id"]
    body = {"kind": "rename", "item": item, "sku": sku}
    assert web.post(f"/v1/sales/{sale['id']}/corrections", json=body).status_code == 200
    if accept:
        assert web.post(f"/v1/sales/{sale['id']}/accept").status_code == 200
    return sale["id"]


def test_two_accepted_trays_that_agree_teach_the_gallery_and_one_alone_does_not(web, parts):
    web.post("/v1/products", json={"sku": "cola", "title": "Cola"})
    confirmed(web, parts, "cola", "cola")
    confirmed(web, parts, "cola", "cola", accept=False)
    assert parts.housekeeping.learn() == 0
    second = confirmed(web, parts, "cola", "cola")
    assert parts.housekeeping.learn() == 2
    assert parts.housekeeping.learn() == 0
    told = web.get("/v1/gallery").json()
    assert [one["sku"] for one in told["confirmed"]] == ["cola", "cola"]
    assert told["confirmed"][0]["sale"] == second
    assert read(web, "cola")[1] == {"cola"}
    web.post("/v1/gallery/undo")
    assert web.get("/v1/gallery").json()["confirmed"] == []
    assert parts.housekeeping.learn() == 0  # what was taken back does not come again


def test_a_wrong_tap_does_not_agree_with_a_right_one(web, parts):
    confirmed(web, parts, "soap", "tea")  # a mistake: it is soap
    confirmed(web, parts, "tea", "tea")
    assert parts.housekeeping.learn() == 0


def test_a_sale_that_is_opened_again_takes_its_word_back(web, parts):
    web.post("/v1/products", json={"sku": "cola", "title": "Cola"})
    sale = confirmed(web, parts, "cola", "cola")
    confirmed(web, parts, "cola", "cola")
    web.post(f"/v1/sales/{sale}/reopen")
    assert parts.housekeeping.learn() == 0
    web.post(f"/v1/sales/{sale}/accept")
    assert parts.housekeeping.learn() == 2


def test_a_correction_that_was_undone_teaches_nothing(web, parts):
    web.post("/v1/products", json={"sku": "cola", "title": "Cola"})
    for _ in range(2):
        sale = confirmed(web, parts, "cola", "cola", accept=False)
        web.post(f"/v1/sales/{sale}/corrections", json={"kind": "undo"})
        web.post(f"/v1/sales/{sale}/accept")
    assert parts.housekeeping.learn() == 0


def test_without_a_gallery_nothing_is_learnt(tmp_path):
    parts = shop.server(tmp_path)
    assert isinstance(parts.gallery, GalleryService)
    assert parts.gallery.learn(parts.own) == 0
    parts.close()
