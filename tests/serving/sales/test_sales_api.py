"""Counting, correcting, accepting: the interface of a till."""

import pytest

from rpc.serving.products import products
from tests.serving.coloured_shop import jpeg


def opened(web, *names, **options):
    answer = web.post(
        "/v1/sales", content=jpeg(*names), headers={"content-type": "image/jpeg"}, **options
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def correct(web, sale, status=200, **body):
    answer = web.post(f"/v1/sales/{sale['id']}/corrections", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_tray_becomes_a_priced_list(web):
    sale = opened(web, "tea", "tea", "cola")
    assert [(line["sku"], line["count"], line["sum_cents"]) for line in sale["lines"]] == [
        ("cola", 1, 5),
        ("tea", 2, 498),
    ]
    assert (sale["total_cents"], sale["unpriced"], sale["state"]) == (503, 0, "open")
    assert (sale["passes"], sale["questions"], sale["corrections"]) == (True, 0, 0)
    assert {"id", "created_at", "accepted_at", "till", "by", "currency", "picture", "width",
            "height", "seconds", "certainty", "can_undo", "items"} <= set(sale)  # fmt: skip
    picture = web.get(sale["picture"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    assert web.get(f"/v1/sales/{sale['id']}").json() == sale


def test_counting_alone_keeps_nothing(web, tmp_path):
    answer = web.post("/v1/count", files={"photo": ("a.jpg", jpeg("soap"), "image/jpeg")})
    assert answer.status_code == 200
    assert answer.json()["total_cents"] == 100
    assert web.get("/v1/sales").json() == {"sales": [], "next": None}
    assert not (tmp_path / "pictures").exists()


def test_a_doubtful_item_is_a_question_that_comes_first_and_is_answered_by_one_correction(web):
    sale = opened(web, "soap", "olive")
    first = sale["items"][0]
    assert (first["sku"], first["open"], first["counted"], first["reason"]) == (
        "tea",
        True,
        True,
        "name",
    )
    assert first["text"].startswith("not sure which")
    assert len(first["alternatives"]) == 3
    assert (sale["passes"], sale["questions"]) == (False, 1)
    done = correct(web, sale, kind="confirm", item=first["id"])
    assert (done["passes"], done["questions"], done["corrections"]) == (True, 0, 1)
    assert done["total_cents"] == sale["total_cents"]


def test_each_correction_changes_the_sum_and_undo_takes_the_last_one_back(web):
    sale = opened(web, "tea", "soap")
    by_sku = {item["sku"]: item["id"] for item in sale["items"]}
    steps = [
        ({"kind": "rename", "item": by_sku["tea"], "sku": "cola"}, 105),
        ({"kind": "remove", "item": by_sku["soap"]}, 5),
        ({"kind": "add", "sku": "tea", "box": [1, 1, 30, 30]}, 254),
        ({"kind": "count", "sku": "tea", "count": 4}, 5 + 4 * 249),
        ({"kind": "count", "sku": "cola", "count": 0}, 4 * 249),
    ]
    seen = [sale]
    for body, total in steps:
        seen.append(correct(web, sale, **body))
        assert seen[-1]["total_cents"] == total
        assert seen[-1]["corrections"] == len(seen) - 1
    for before in reversed(seen[:-1]):
        assert correct(web, sale, kind="undo") == before
    assert correct(web, sale, 409, kind="undo")["error"]["code"] == "nothing_to_undo"


def test_an_undone_id_is_not_given_again(web):
    sale = opened(web, "tea")
    first = correct(web, sale, kind="add", sku="soap")["items"][-1]["id"]
    correct(web, sale, kind="undo")
    again = correct(web, sale, kind="add", sku="soap")["items"][-1]["id"]
    assert again > first


NONSENSE = [
    ({"kind": "rename", "item": 99, "sku": "tea"}, 404, "not_found"),
    ({"kind": "rename", "item": 1, "sku": "bread"}, 404, "not_found"),
    ({"kind": "remove", "item": 99}, 404, "not_found"),
    ({"kind": "add", "sku": "tea", "box": [500, 500, 600, 600]}, 422, "invalid"),
    ({"kind": "add", "sku": "tea", "box": [1, 2, 3]}, 422, "invalid"),
    ({"kind": "count", "sku": "tea", "count": -1}, 422, "invalid"),
    ({"kind": "count", "sku": "tea", "count": 10**9}, 422, "invalid"),
    ({"kind": "burn", "item": 1}, 422, "invalid"),
    ({"kind": "remove", "item": "1"}, 422, "invalid"),
    ({}, 422, "invalid"),
]


def test_a_correction_that_makes_no_sense_is_told_in_one_line(web):
    sale = opened(web, "tea")
    for body, status, code in NONSENSE:
        error = correct(web, sale, status, **body)["error"]
        assert error["code"] == code
        assert "\n" not in error["message"]
    assert web.get(f"/v1/sales/{sale['id']}").json() == sale


def test_only_open_sales_change_and_a_closed_one_opens_again_for_ten_minutes(web, parts):
    sale = opened(web, "tea")
    accepted = web.post(f"/v1/sales/{sale['id']}/accept").json()
    assert (accepted["state"], accepted["can_undo"]) == ("accepted", False)
    assert accepted["accepted_at"] is not None
    assert correct(web, sale, 409, kind="remove", item=1)["error"]["code"] == "not_open"
    assert web.post(f"/v1/sales/{sale['id']}/accept").status_code == 409
    assert web.post(f"/v1/sales/{sale['id']}/reopen").json()["state"] == "open"
    assert web.post(f"/v1/sales/{sale['id']}/reopen").status_code == 409
    web.post(f"/v1/sales/{sale['id']}/void")
    parts.clock.now = parts.clock.now.replace(hour=parts.clock.now.hour + 1)
    late = web.post(f"/v1/sales/{sale['id']}/reopen")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "too_late")


def test_only_accepted_sales_count_as_sold(web, parts):
    ids = [opened(web, "tea")["id"] for _ in range(3)]
    web.post(f"/v1/sales/{ids[0]}/accept")
    web.post(f"/v1/sales/{ids[1]}/void")
    found = web.get("/v1/sales?state=accepted").json()["sales"]
    assert [sale["id"] for sale in found] == ids[:1]


def test_the_same_idempotency_key_gives_the_same_sale(web):
    headers = {"idempotency-key": "tray 7"}
    first = web.post("/v1/sales", content=jpeg("tea"), headers=headers)
    again = web.post("/v1/sales", content=jpeg("soap"), headers=headers)
    other = web.post("/v1/sales", content=jpeg("soap"), headers={"idempotency-key": "tray 8"})
    assert first.json() == again.json()
    assert other.json()["id"] != first.json()["id"]


def test_a_correction_or_acceptance_that_is_sent_twice_is_done_once(web):
    sale = opened(web, "tea")
    path = f"/v1/sales/{sale['id']}"

    def twice(place, body, key):
        answers = [
            web.post(f"{path}/{place}", json=body, headers={"idempotency-key": key})
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
        return answers[0].json()

    assert twice("corrections", {"kind": "add", "sku": "tea"}, "a")["total_cents"] == 498
    assert twice("corrections", {"kind": "add", "sku": "tea"}, "b")["total_cents"] == 747
    assert twice("corrections", {"kind": "undo"}, "c")["total_cents"] == 498
    assert twice("accept", None, "d")["state"] == "accepted"


def test_lists_go_page_by_page_newest_first(web):
    ids = [opened(web, "tea")["id"] for _ in range(5)]
    assert ids == sorted(ids)
    found, before = [], ""
    while True:
        page = web.get(f"/v1/sales?limit=2{before}").json()
        found += [sale["id"] for sale in page["sales"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert found == ids[::-1]
    assert {"items_count", "lines_count"} <= set(page["sales"][0])
    assert "items" not in page["sales"][0]


def test_lists_are_filtered_by_time_and_correction(web):
    sale = opened(web, "tea")
    opened(web, "soap")
    correct(web, sale, kind="remove", item=1)
    for query, count in [
        ("corrected=true", 1),
        ("corrected=false", 1),
        ("from=2026-03-02&to=2026-03-02", 2),
        ("to=2026-03-01", 0),
        ("from=2026-03-03T00:00:00Z", 0),
    ]:
        assert len(web.get(f"/v1/sales?{query}").json()["sales"]) == count, query
    assert web.get("/v1/sales?from=soon").json()["error"]["code"] == "invalid"


def test_a_point_that_was_passed_over_is_suggested_with_its_five_likeliest(web):
    sale = opened(web, "tea", "faint")
    boxes = [item["box"] for item in sale["items"]]
    found = web.post(f"/v1/sales/{sale['id']}/suggest", json={"point": [90, 35]}).json()
    assert found["box"] not in boxes
    x1, y1, x2, y2 = found["box"]
    assert x1 < 90 < x2
    assert y1 < 35 < y2
    assert {one["sku"] for one in found["alternatives"]} == {"tea", "soap", "cola"}


def test_a_point_with_nothing_gets_a_box_of_the_usual_size_around_it_and_names_it(web):
    sale = opened(web, "tea")
    found = web.post(f"/v1/sales/{sale['id']}/suggest", json={"point": [35, 35]}).json()
    assert found["alternatives"][0]["sku"] == "tea"
    x1, y1, x2, y2 = found["box"]
    assert (x2 - x1, y2 - y1) == pytest.approx((CELL_SIZE, CELL_SIZE), abs=4)
    outside = web.post(f"/v1/sales/{sale['id']}/suggest", json={"point": [9000, 35]})
    assert outside.status_code == 422


CELL_SIZE = 40


def test_suggestions_need_no_memory_of_the_counting(web, parts):
    sale = opened(web, "tea", "faint")
    before = web.post(f"/v1/sales/{sale['id']}/suggest", json={"point": [90, 35]}).json()
    parts._trays.clear()
    assert web.post(f"/v1/sales/{sale['id']}/suggest", json={"point": [90, 35]}).json() == before


def test_sales_are_exported_as_csv_without_formulas(web):
    web.patch("/v1/products/tea", json={"title": "=cmd()"})
    sale = opened(web, "tea", "soap", "soap")
    rows = web.get("/v1/sales.csv").text.splitlines()
    assert rows[0].startswith("sale,state,created_at")
    assert len(rows) == 3
    assert all(row.startswith(sale["id"]) for row in rows[1:])
    assert any(",soap,Soap,2,1.00,2.00,EUR,0" in row for row in rows)
    assert any(",tea,'=cmd(),1,2.49" in row for row in rows)


def test_pictures_go_with_age_and_the_sale_stays(web, parts):
    sale = opened(web, "tea")
    parts.clock.now = parts.clock.now.replace(month=parts.clock.now.month + 2)
    parts.housekeeping.tidy()
    gone = web.get(sale["picture"])
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "picture_deleted")
    assert web.get(f"/v1/sales/{sale['id']}").status_code == 200
    assert web.post(f"/v1/sales/{sale['id']}/suggest", json={"point": [9, 9]}).status_code == 410


def test_what_happened_to_a_sale_is_listed(web):
    sale = opened(web, "tea")
    correct(web, sale, kind="rename", item=1, sku="soap")
    web.post(f"/v1/sales/{sale['id']}/accept")
    events = web.get(f"/v1/sales/{sale['id']}/events").json()
    assert [event["type"] for event in events] == [
        "sale.counted",
        "sale.corrected",
        "sale.accepted",
    ]
    data = events[1]["data"]
    assert (data["schema"], data["kind"], data["item"]) == (1, "renamed", 1)
    assert (data["sku_before"], data["sku"], data["model"]) == ("tea", "soap", "squares")
    assert data["alternatives"][0]["sku"] == "tea"
    assert data["picture"].endswith(".jpg")
    assert len(data["box"]) == 4


def test_a_sale_reads_the_products_that_it_names_and_no_others(web, monkeypatch):
    web.post("/v1/products", json={"sku": "bread", "title": "Bread"})
    read, kept = [], products._product
    monkeypatch.setattr(products, "_product", lambda row: read.append(row.sku) or kept(row))
    sale = web.post("/v1/sales", content=jpeg("tea")).json()
    assert "bread" not in read
    named = {one["sku"] for item in sale["items"] for one in [item, *item["alternatives"]]}
    assert set(read) == named >= {"tea"}
    assert [item["title"] for item in sale["items"]] == ["Green tea"]
