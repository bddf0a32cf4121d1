"""The page, the description of the interface, metrics, and that nothing leaves the machine."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import coloured_shop as shop
from tests.serving.coloured_shop import jpeg

ROOT = Path(__file__).parents[3]


@pytest.fixture
def built(tmp_path):
    """A counter with a page of two files."""
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>Counter</title>")
    (page / "assets/app.js").write_text("'use strict'")
    (page / ".secret").write_text("no")
    with shop.client(shop.server(tmp_path / "data", static=page)) as web:
        yield web


def test_the_page_comes_from_memory_with_its_kinds_and_is_asked_for_anew(built):
    page, script = built.get("/"), built.get("/assets/app.js")
    assert page.headers["content-type"].startswith("text/html")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cache-control"] == "no-cache"
    again = built.get("/assets/app.js", headers={"if-none-match": script.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for path in ("/.secret", "/assets/", "/index.htm", "/assets/other.js"):
        missing = built.get(path)
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")


def test_without_a_page_it_says_so_in_plain_words(tmp_path):
    with shop.client(shop.server(tmp_path, static=tmp_path / "none")) as web:
        assert "The page was not built" in web.get("/").text


def test_the_description_is_a_page_of_its_own_that_asks_nobody_else(web):
    page = web.get("/docs").text
    for path in web.get("/openapi.json").json()["paths"]:
        assert path.replace("{sku:path}", "{sku}") in page
    assert "<script" not in page
    assert re.findall(r"""(?:src|href)=["']?(\S+?)["'>]""", page) == ["/openapi.json"]


def test_every_answer_is_described(web):
    described = web.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            answers = dict(told["responses"])
            error = answers.pop("default")["content"]["application/json"]["schema"]
            assert error == {"$ref": "#/components/schemas/ErrorAnswer"}
            for status, answer in answers.items():
                kinds = answer.get("content", {})
                assert kinds or status == "204", (method, path)
                for kind, content in kinds.items():
                    schema = content["schema"]
                    assert schema.get("$ref") or schema.get("type") in ("array", "string")
                    assert kind == "application/json" or schema["type"] == "string"
    page = web.get("/docs").text
    assert "Answer, 201: <code>application/json</code> Sale<" in page
    assert "<code>total_cents</code>: integer" in page


def test_requests_tell_how_long_the_server_took(web):
    named, _, spent = web.get("/v1/products").headers["server-timing"].partition(";dur=")
    assert named == "app"
    assert 0 < float(spent) < 60_000


def test_errors_have_one_shape_whoever_finds_them(web):
    for answer in (
        web.get("/v1/nothing"),
        web.put("/v1/settings"),
        web.get("/v1/sales?limit=many"),
        web.post("/v1/products", content=b"{", headers={"content-type": "application/json"}),
        web.post("/v1/sales", content=b"x", headers={"content-type": "text/plain"}),
        web.post("/v1/sales", content=b"x", headers={"content-type": "multipart/form-data"}),
    ):
        error = answer.json()["error"]
        assert set(error) == {"code", "message"}
        assert re.fullmatch(r"[a-z_]+", error["code"])
        assert "\n" not in error["message"]


def test_a_fault_of_ours_is_told_without_its_insides(tmp_path, monkeypatch, caplog):
    parts = shop.server(tmp_path)
    monkeypatch.setattr(parts.sales, "get", lambda number: 1 / 0)
    client = shop.client(parts)
    client._transport.raise_server_exceptions = False
    with client as web:
        answer = web.get("/v1/sales/x")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "division" not in answer.text


def test_settings_say_what_a_page_needs(web):
    told = web.get("/v1/settings").json()
    assert set(told) == {
        "shop", "till", "currency", "version", "model", "role", "needs_key", "camera",
        "can_add_products", "demo", "keep_days", "languages", "today",
    }  # fmt: skip
    assert (told["role"], told["needs_key"], told["camera"]) == ("manager", False, "none")


def test_metrics_count_requests_by_route_and_not_by_address(web):
    sale = web.post("/v1/sales", content=jpeg("tea")).json()
    web.get(f"/v1/sales/{sale['id']}")
    text = web.get("/metrics").text
    assert 'rpc_requests_total{method="GET",route="/v1/sales/{number}",status="200"} 1.0' in text
    assert "rpc_counting_seconds_count 1.0" in text
    assert sale["id"] not in text
    assert web.get("/healthz").json() == {"ok": True, "counting": True, "queue": 0}


def test_not_one_request_leaves_the_machine(web, monkeypatch):
    real = socket.socket.connect

    def connect(self, address):
        assert self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1"), address
        return real(self, address)

    def resolve(*words, **options):
        raise AssertionError(f"a name was looked up: {words}")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    sale = web.post("/v1/sales", content=jpeg("tea", "olive")).json()
    web.post(f"/v1/sales/{sale['id']}/accept")
    for path in ("/", "/docs", "/v1/health", "/v1/products", "/metrics"):
        assert web.get(path).status_code == 200


def test_serving_imports_no_torch():
    text = (
        "import sys, rpc.serving.app, rpc.serving.demo, rpc.serving.security.certificate\n"
        "import rpc.cli.serve, rpc.pipelines.gallery.live\n"
        "wrong = [m for m in sys.modules if m.partition('.')[0] in ('torch', 'mmdet', 'mmcv')]\n"
        "assert not wrong, wrong"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1000:]
