"""Products: search that forgives, CSV all or none, prices in cents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.files import DataError
from rpc.serving.products.catalogue_csv import (
    price_cents,
    price_text,
    read_catalogue,
    write_catalogue,
)
from rpc.serving.products.products import MOST_CENTS, Product, search, sku_of_title
from tests.serving.coloured_shop import jpeg

SHELF = [
    Product("tea", "Grüner Tee 20 Beutel", 249, "4006381333931"),
    Product("soap", "Nudori Chicken 65 g", 100),
    Product("cola", "Fizzo Cherry Zero 330 ml"),
    Product("old", "Fizzo Cherry 330 ml", 5, retired=True),
]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("tea", "tea"),
        ("gruner", "tea"),
        ("grüner te", "tea"),
        ("4006381333931", "tea"),
        ("nudorri chiken", "soap"),
        ("cherry zero", "cola"),
        ("zero chery", "cola"),
        ("fizzo cherry 330", "old"),
    ],
)
def test_what_a_person_types_finds_what_they_mean(query, first):
    assert search(SHELF, query)[0].sku == first


def test_a_word_of_something_else_finds_nothing_and_no_word_finds_all_by_title():
    assert search(SHELF, "bicycle") == []
    assert [one.sku for one in search(SHELF, " ")] == ["old", "cola", "tea", "soap"]


@given(st.integers(0, MOST_CENTS - 1))
def test_a_price_is_written_and_read_without_a_cent_lost(cents):
    assert price_cents(price_text(cents)) == cents
    assert price_cents(price_text(cents).replace(".", ",")) == cents


@pytest.mark.parametrize("text", ["1.234", "-1", "1e3", "nan", "€ 2", "2.4.9", "99999999"])
def test_a_price_of_no_use_is_refused(text):
    with pytest.raises(ValueError, match="price"):
        price_cents(text)


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=9)


@given(
    st.lists(
        st.builds(
            Product,
            words,
            words,
            st.none() | st.integers(0, 9999),
            st.sampled_from([None]),
            st.booleans(),
        ),
        unique_by=lambda one: one.sku,
        max_size=6,
    )
)
def test_a_catalogue_that_is_written_is_read_again_as_it_was(products):
    text = write_catalogue(products)
    read = read_catalogue(text.encode(), {})
    assert read == sorted(products, key=lambda one: one.sku)
    assert "=cmd" not in text.replace("'=cmd", "")


def test_a_missing_column_leaves_a_value_and_a_semicolon_is_understood():
    known = {"tea": Product("tea", "Tea", 249, "4006381333931", True)}
    read = read_catalogue("\ufeffSKU;Price\r\ntea;2,99\r\n\r\n".encode(), known)
    assert read == [Product("tea", "Tea", 299, "4006381333931", True)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("name,price\na,1", "line 1: expected the columns"),
        ("sku,sku\na,a", "line 1"),
        ("sku,title,price\ntea,Tea,2.49\nsoap,Soap,cheap", "line 3: price"),
        ("sku,title\ntea,Tea\ntea,Tea", "line 3: SKU 'tea' stands there twice"),
        ("sku,title\nnew,", "line 2: title"),
        ("sku,title,ean\na,A,123", "line 2: ean"),
        ("sku,title,ean\na,A,4006381333931\nb,B,4006381333931", "line 3: EAN"),
        ("sku,title\na,A,extra", "line 2: 3 cells"),
        ('sku,title\na,"A', "line 2"),
        ("sku,title,retired\na,A,perhaps", "line 2: retired"),
    ],
)
def test_an_error_of_a_catalogue_names_its_line(text, told):
    with pytest.raises(DataError, match=told):
        read_catalogue(text.encode(), {})


def test_a_catalogue_that_is_no_text_is_told_with_its_line():
    with pytest.raises(DataError, match="line 2: not UTF-8"):
        read_catalogue(b"sku,title\nt\xe9,x", {})


def test_a_sku_is_made_of_the_title_and_numbered_where_it_is_taken():
    assert sku_of_title("Grüner Tee, 20 Beutel!", ()) == "gruner_tee_20_beutel"
    assert sku_of_title("Tea", ["tea", "tea_2"]) == "tea_3"
    assert sku_of_title("茶", ()) == "product"


def test_products_begin_with_what_the_counter_knows(web):
    found = {one["sku"]: one for one in web.get("/v1/products").json()["products"]}
    assert set(found) == {"tea", "soap", "cola"}
    assert (found["tea"]["title"], found["tea"]["in_model"]) == ("Green tea", True)
    assert found["soap"]["photo"] is None
    assert web.get("/v1/products/soap/photo").status_code == 404


def test_a_product_is_added_changed_retired_and_each_change_is_an_event(web):
    made = web.post("/v1/products", json={"title": "Gum", "price_cents": 50})
    assert (made.status_code, made.json()["sku"], made.json()["in_model"]) == (201, "gum", False)
    taken = web.post("/v1/products", json={"sku": "gum", "title": "Other"})
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "sku_taken")
    for body in ({"title": "Chewing gum"}, {"price_cents": None}, {"ean": "4006381333931"}):
        assert web.patch("/v1/products/gum", json=body).status_code == 200
    retired = web.patch("/v1/products/gum", json={"retired": True}).json()
    assert (retired["title"], retired["price_cents"], retired["ean"]) == (
        "Chewing gum",
        None,
        "4006381333931",
    )
    assert "gum" not in [one["sku"] for one in web.get("/v1/products").json()["products"]]
    told = web.get("/v1/products?retired=true&query=gum").json()["products"]
    assert [one["sku"] for one in told] == ["gum"]
    events = [one for one in web.get("/v1/events").json() if one["type"] == "product.changed"]
    assert events[-1]["data"]["before"]["retired"] is False
    assert events[-1]["data"]["product"]["retired"] is True


NO_PRODUCTS = [
    {"title": ""},
    {"title": "a\nb"},
    {"title": "a" * 201},
    {"title": "Gum", "price_cents": -1},
    {"title": "Gum", "price_cents": 2.5},
    {"title": "Gum", "ean": "123"},
    {"title": "Gum", "colour": "red"},
    {"sku": "a\x00b", "title": "Gum"},
]


def test_a_product_of_no_use_is_refused(web):
    for body in NO_PRODUCTS:
        answer = web.post("/v1/products", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


def test_one_barcode_belongs_to_one_product(web):
    web.patch("/v1/products/tea", json={"ean": "4006381333931"})
    answer = web.patch("/v1/products/soap", json={"ean": "4006381333931"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ean_taken")


def test_a_catalogue_comes_in_whole_or_not_at_all(web):
    before = web.get("/v1/products.csv").text
    wrong = web.post("/v1/products.csv", content="sku,title,price\ngum,Gum,1\ntea,Tea,cheap")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "csv_wrong")
    assert "line 3" in wrong.json()["error"]["message"]
    assert web.get("/v1/products.csv").text == before
    right = web.post("/v1/products.csv", content="sku,title,price\ngum,Gum,1\ntea,Green tea,2.49")
    assert right.json() == {"added": 1, "changed": 0, "unchanged": 1}
    again = web.post("/v1/products.csv", content=web.get("/v1/products.csv").text)
    assert again.json() == {"added": 0, "changed": 0, "unchanged": 4}


def test_a_sku_may_hold_any_sign_that_an_address_carries(web):
    made = web.post("/v1/products", json={"sku": "a/b c?d#é", "title": "Odd"}).json()
    path = "/v1/products/a%2Fb%20c%3Fd%23%C3%A9"
    assert web.get(path).json() == made
    assert web.patch(path, json={"price_cents": 7}).json()["price_cents"] == 7


def test_a_price_counts_from_the_next_tray_on(web):
    before = web.post("/v1/sales", content=jpeg("tea")).json()
    web.patch("/v1/products/tea", json={"price_cents": 300})
    after = web.post("/v1/sales", content=jpeg("tea")).json()
    assert (before["total_cents"], after["total_cents"]) == (249, 300)
    assert web.get(f"/v1/sales/{before['id']}").json()["total_cents"] == 249
