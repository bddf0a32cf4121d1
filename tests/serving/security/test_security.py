"""Keys, roles, sessions, and what strangers must not do."""

import io
import zlib

import pytest
from PIL import Image

from rpc.data.files import DataError
from rpc.serving.photos.photo_input import MOST_BYTES
from rpc.serving.photos.pictures import Pictures
from rpc.serving.routes.middleware import RateLimit
from rpc.serving.security.doorkeeper import is_loopback
from tests.serving import coloured_shop as shop
from tests.serving.coloured_shop import jpeg


@pytest.fixture
def keyed(parts):
    """A counter with a key of each role; the client shows none by itself."""
    keys = {role: parts.keys.add(role, role) for role in ("till", "manager")}
    with shop.client(parts) as web:
        yield web, keys


def bearer(key):
    return {"authorization": f"Bearer {key}"}


MANAGERS_ALONE = [
    ("POST", "/v1/products"),
    ("PATCH", "/v1/products/tea"),
    ("POST", "/v1/products.csv"),
    ("POST", "/v1/products/tea/photos"),
    ("GET", "/v1/gallery"),
    ("POST", "/v1/gallery/undo"),
    ("GET", "/v1/health"),
    ("GET", "/v1/webhooks"),
    ("POST", "/v1/webhooks"),
    ("DELETE", "/v1/webhooks/x"),
]
WITHOUT_KEY = {"/v1/settings", "/v1/session", "/healthz"}


def test_a_till_may_not_do_what_managers_do(keyed):
    web, keys = keyed
    for method, path in MANAGERS_ALONE:
        refused = web.request(method, path, headers=bearer(keys["till"]))
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
        assert web.request(method, path, headers=bearer(keys["manager"])).status_code != 403


def test_every_endpoint_needs_a_key_but_those_that_say_so(keyed):
    web, _ = keyed
    for path, methods in web.get("/openapi.json").json()["paths"].items():
        for method in methods:
            answer = web.request(method.upper(), path.replace("{", "").replace("}", ""))
            needs_none = path in WITHOUT_KEY and (method, path) != ("delete", "/v1/session")
            assert (answer.status_code == 401) == (not needs_none), (method, path)


def test_a_till_counts_sells_and_reads_products(keyed):
    web, keys = keyed
    web.headers.update(bearer(keys["till"]))
    sale = web.post("/v1/sales", content=jpeg("tea")).json()
    assert (sale["till"], sale["by"]) == ("till", "till")
    assert web.post(f"/v1/sales/{sale['id']}/accept").status_code == 200
    assert web.get("/v1/products").status_code == 200
    void = web.post(f"/v1/sales/{sale['id']}/void")
    assert void.json()["error"]["code"] == "not_open"  # accepted: a manager's work


def test_an_accepted_sale_is_voided_by_a_manager(keyed):
    web, keys = keyed
    web.headers.update(bearer(keys["manager"]))
    sale = web.post("/v1/sales", content=jpeg("tea")).json()
    web.post(f"/v1/sales/{sale['id']}/accept")
    assert web.post(f"/v1/sales/{sale['id']}/void").json()["state"] == "void"


def test_a_revoked_key_and_its_sessions_open_nothing(keyed, parts):
    web, keys = keyed
    assert web.post("/v1/session", json={"key": keys["till"]}).status_code == 204
    assert web.get("/v1/sales").status_code == 200
    parts.keys.revoke("till")
    assert web.get("/v1/sales").status_code == 401
    wrong = web.get("/v1/sales", headers=bearer(keys["till"]))
    assert wrong.json()["error"]["code"] == "wrong_key"
    with pytest.raises(DataError, match="no such key"):
        parts.keys.revoke("till")


def test_keys_are_kept_as_digests_alone(keyed, tmp_path):
    _, keys = keyed
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("counter.sqlite*"))
    assert all(key.encode() not in stored for key in keys.values())
    assert len(set(keys.values())) == 2
    assert min(map(len, keys.values())) > 40


def test_a_browser_session_needs_the_csrf_word_for_whatever_changes_something(keyed):
    web, keys = keyed
    made = web.post("/v1/session", json={"key": keys["manager"]})
    cookies = made.headers.get_list("set-cookie")
    hidden = next(one for one in cookies if one.startswith("session="))
    assert "HttpOnly" in hidden
    assert all("samesite=strict" in one.casefold() for one in cookies)
    assert web.get("/v1/sales").status_code == 200
    body = {"title": "Gum"}
    assert web.post("/v1/products", json=body).status_code == 403
    wrong = {"x-csrf-token": "guess"}
    assert web.post("/v1/products", json=body, headers=wrong).status_code == 403
    right = {"x-csrf-token": web.cookies["csrf"]}
    assert web.post("/v1/products", json=body, headers=right).status_code == 201
    strange = {**right, "origin": "https://evil.example"}
    assert web.post("/v1/products", json=body, headers=strange).status_code == 403
    assert web.delete("/v1/session", headers=right).status_code == 204
    assert web.get("/v1/sales").status_code == 401


def test_a_wrong_key_opens_no_session(keyed):
    web, _ = keyed
    answer = web.post("/v1/session", json={"key": "rpc_guess"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "wrong_key")
    settings = web.get("/v1/settings").json()
    assert (settings["role"], settings["needs_key"]) == (None, True)
    assert settings["today"] == {"trays": 0, "total_cents": 0}


STRANGE = [
    {"host": "evil.example"},
    {"host": "evil.example:8080"},
    {"host": "localhost.evil.example"},
    {"host": "127.0.0.1.evil.example"},
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:9999"},
    {"origin": "http://[bad"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]


def test_another_sites_page_changes_nothing_at_an_open_counter(web):
    for headers in STRANGE:
        answer = web.post("/v1/products", json={"title": "Gum"}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


def test_this_machines_own_page_does(web):
    for host in ("127.0.0.1:8080", "localhost:8080", "[::1]:8080", "LOCALHOST"):
        headers = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
        assert web.post("/v1/products", json={"title": "Gum"}, headers=headers).status_code == 201


def test_a_foreign_name_reads_nothing_at_an_open_counter(web):
    assert web.get("/v1/sales", headers={"host": "evil.example"}).status_code == 403
    assert web.get("/v1/settings", headers={"host": "evil.example"}).status_code == 403


def test_a_counter_that_others_reach_is_never_open(tmp_path):
    parts = shop.server(tmp_path, loopback=False)
    with shop.client(parts) as web:
        assert web.get("/v1/sales").status_code == 401


HOSTILE = [
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/counter.sqlite",
    "....//counter.sqlite",
    "C:\\windows\\win.ini",
    "%00",
    "/etc/passwd",
    "2026-03-02/../../counter.sqlite",
    "\u2025/x",
]
PLACES = [
    "/v1/sales/{}",
    "/v1/sales/{}/picture",
    "/v1/products/{}",
    "/v1/products/{}/photo",
    "/assets/{}",
    "/{}",
]


def test_no_path_of_a_request_reaches_the_disk(web):
    for place in PLACES:
        for name in HOSTILE:
            answer = web.get(place.format(name))
            assert answer.status_code in (200, 400, 404, 405), (place, name)
            assert b"SQLite format" not in answer.content
            assert b"root:" not in answer.content


@pytest.mark.parametrize("name", ["../counter.sqlite", "2026-03-02/../../x.jpg", "", "a.jpg"])
def test_pictures_are_read_by_names_of_ours_alone(tmp_path, name):
    with pytest.raises(ValueError, match="name of ours"):
        Pictures(tmp_path).read(name)


def bomb(width, height):
    """A PNG of a few bytes that says it is huge."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + crc

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99))


def truncated():
    return jpeg("tea")[:400]


def small():
    return shop.encoded(shop.tray(side=8))


PHOTOS = [
    (b"", 400, "photo_unreadable"),
    (b"hello", 400, "photo_unreadable"),
    (b"<svg onload=alert(1)>", 400, "photo_unreadable"),
    (truncated(), 400, "photo_unreadable"),
    (small(), 400, "photo_unreadable"),
    (bomb(30_000, 30_000), 413, "photo_too_large"),
    (bomb(8_000, 6_300), 413, "photo_too_large"),
    (b"\xff" * (MOST_BYTES + 1), 413, "photo_too_large"),
    (b"\xff" * (MOST_BYTES + 200_000), 413, "photo_too_large"),
]


def test_what_is_no_photo_of_a_sane_size_is_refused(web):
    for data, status, code in PHOTOS:
        answer = web.post("/v1/count", content=data, headers={"content-type": "image/jpeg"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_body_that_does_not_say_its_size_is_cut_off(web):
    def pieces():
        for _ in range(300):
            yield b"\xff" * 100_000

    answer = web.post("/v1/count", content=pieces(), headers={"content-type": "image/jpeg"})
    assert answer.status_code == 413


def test_a_photo_is_turned_upright_and_its_boxes_lie_in_the_stored_picture(web):
    image = Image.fromarray(shop.tray("tea", "soap")[:120])
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, quality=95)
    sale = web.post("/v1/sales", content=file.getvalue()).json()
    assert (sale["width"], sale["height"]) == (120, 240)
    stored = Image.open(io.BytesIO(web.get(sale["picture"]).content))
    assert stored.size == (120, 240)
    assert all(0 <= x1 < x2 <= 120 for x1, _, x2, _ in (item["box"] for item in sale["items"]))


def test_a_client_that_asks_too_often_waits_and_others_do_not():
    now = [0.0]
    limit = RateLimit(None, per_second=2, burst=3, clock=lambda: now[0])
    assert [limit.allows("a") for _ in range(5)] == [True, True, True, False, False]
    assert limit.allows("b")
    now[0] = 0.5
    assert [limit.allows("a") for _ in range(2)] == [True, False]


def test_too_many_requests_are_told_with_the_time_to_wait(tmp_path):
    parts = shop.server(tmp_path)
    parts.settings.__dict__["requests_per_second"] = 1.0
    with shop.client(parts) as web:
        statuses = [web.get("/healthz").status_code for _ in range(8)]
        assert 429 in statuses
        answer = web.get("/healthz")
    assert answer.json()["error"]["code"] == "too_many_requests"
    assert answer.headers["retry-after"] == "1"


def test_safe_headers_are_on_every_answer(web):
    for path in ("/", "/v1/settings", "/nothing", "/v1/sales/x"):
        headers = web.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_loopback_is_told_from_what_looks_like_it():
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8")] == [
        True
    ] * 4
    assert not any(
        is_loopback(host) for host in ("0.0.0.0", "", "192.168.0.1", "localhost.a", "127.1.a")
    )
