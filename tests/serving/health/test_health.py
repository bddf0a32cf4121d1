"""Health: shares, confusions, and warnings that chance alone does not give."""

import numpy as np
import pytest

from rpc.serving.health import tray_looks
from rpc.serving.health.health import Tray, pack_changed, shares
from rpc.serving.health.tray_looks import look_of, warnings_of
from tests.serving.coloured_shop import jpeg


def test_shares_are_of_accepted_trays_by_day():
    trays = [
        Tray("a", "2026-03-01T09", passed=True, corrections=0),
        Tray("b", "2026-03-01T10", passed=True, corrections=2),
        Tray("c", "2026-03-02T10", passed=False, corrections=0),
        Tray("d", "2026-03-02T11", passed=False, corrections=1),
    ]
    told = shares(trays)
    assert told["days"] == [
        {"day": "2026-03-01", "trays": 2, "uncorrected": 1, "passed": 2},
        {"day": "2026-03-02", "trays": 2, "uncorrected": 1, "passed": 0},
    ]
    assert (told["uncorrected_share"], told["passed_share"]) == (0.5, 0.5)
    assert told["passed_right_share"] == 0.5


def test_a_share_of_nothing_is_none():
    told = shares([])
    assert told["trays"] == 0
    assert [told[name] for name in ("uncorrected_share", "passed_share")] == [None, None]


def test_what_is_confused_is_told_by_the_renames_that_stand(web):
    ids = []
    for undone in (False, False, True):
        sale = web.post("/v1/sales", content=jpeg("tea")).json()
        path = f"/v1/sales/{sale['id']}"
        web.post(f"{path}/corrections", json={"kind": "rename", "item": 1, "sku": "soap"})
        if undone:
            web.post(f"{path}/corrections", json={"kind": "undo"})
        web.post(f"{path}/accept")
        ids.append(sale["id"])
    (pair,) = web.get("/v1/health").json()["confused"]
    assert (pair["sku"], pair["read_as"], pair["times"]) == ("soap", "tea", 2)
    assert (pair["title"], pair["read_as_title"], pair["last_sale"]) == (
        "Soap",
        "Green tea",
        ids[1],
    )


def test_open_sales_and_old_ones_say_nothing(web, parts):
    sale = web.post("/v1/sales", content=jpeg("tea")).json()
    assert web.get("/v1/health").json()["trays"] == 0
    web.post(f"/v1/sales/{sale['id']}/accept")
    assert web.get("/v1/health").json()["trays"] == 1
    parts.clock.now = parts.clock.now.replace(day=20)
    assert web.get("/v1/health?days=7").json()["trays"] == 0
    assert web.get("/v1/health?days=0").status_code == 422


def test_a_pack_that_is_read_worse_of_late_is_told_and_a_steady_one_is_not():
    assert pack_changed([False] * 50 + [True] * 20)
    assert not pack_changed([True, False] * 40)
    assert not pack_changed([True] * 20 + [False] * 50)
    assert not pack_changed([False] * 5 + [True] * 20)  # too little is known of before


def test_chance_alone_seldom_calls_a_pack_changed():
    rng = np.random.default_rng(0)
    called = sum(pack_changed((rng.random(120) < 0.1).tolist()) for _ in range(2000))
    assert called <= 6  # one in a thousand


def scene(rng, *, light=1.0, blur=0, shift=0):
    """A tray on a table: a border with stripes, some items, noise."""
    import cv2

    rgb = np.full((200, 200, 3), 120, np.uint8)
    rgb[:, 0:30] = rgb[0:25] = 60
    rgb = np.roll(rgb, shift, axis=1)
    for _ in range(rng.integers(3, 8)):
        y, x = rng.integers(40, 140, 2)
        rgb[y : y + 30, x : x + 30] = rng.integers(0, 255, 3)
    if blur:
        rgb = cv2.GaussianBlur(rgb, (blur, blur), 0)
    noisy = rgb.astype(float) * light * rng.uniform(0.9, 1.1) + rng.normal(0, 2, rgb.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def looks(seed, count, **changes):
    rng = np.random.default_rng(seed)
    return [look_of(scene(rng, **changes)) for _ in range(count)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"light": 0.1}, "dark"), ({"blur": 11}, "camera_dirty"), ({"shift": 80}, "camera_moved")],
)
def test_a_change_of_the_camera_is_told(changes, code):
    found = warnings_of([*looks(0, 40), *looks(1, tray_looks.NEW, **changes)])
    assert set(found) == {code}


@pytest.mark.parametrize("seed", range(5))
def test_trays_that_differ_as_always_give_no_warning(seed):
    assert warnings_of(looks(seed, 60)) == {}


def test_a_few_trays_say_nothing_but_darkness():
    assert warnings_of(looks(0, tray_looks.NEW - 1, light=0.05)) == {}
    assert set(warnings_of(looks(0, tray_looks.NEW, light=0.05))) == {"dark"}
    assert warnings_of([*looks(0, 5), *looks(1, tray_looks.NEW, blur=11)]) == {}


def test_a_warning_is_an_event_once(web, parts, monkeypatch):
    told = [{"code": "dark", "text": "pictures are dark", "sku": None, "since": None}]
    monkeypatch.setattr(parts.health, "warnings", lambda: told)
    parts.housekeeping.tidy()
    parts.housekeeping.tidy()
    events = [one for one in web.get("/v1/events").json() if one["type"] == "health.warning"]
    assert [one["data"]["code"] for one in events] == ["dark"]
