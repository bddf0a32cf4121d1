import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from rpc.counting import CountingRule, CurvePoint, truth_of
from rpc.data import Annotation, Category, Dataset, ImageInfo, Taxonomy
from rpc.reporting import (
    CountedCarts,
    build_report,
    manifest,
    read_boxes,
    read_carts,
    results_of_detections,
)
from rpc.reporting.pages.html import report_page

EVIL = "<script>alert('x')</script>\"&"


class Page(HTMLParser):
    """Tags and texts of a page; fails where tags are not closed in order."""

    VOID = ("meta", "img", "br", "link", "input")

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture
def evil_trays():
    """One tray, and markup in every name."""
    items = [
        Annotation(1, 1, 1, (0, 0, 10, 10), 100.0),
        Annotation(2, 1, 2, (20, 0, 30, 10), 100.0),
    ]
    return Dataset(
        (ImageInfo(1, f"{EVIL}.jpg".replace("/", "|"), 100, 100),),
        items,
        Taxonomy([Category(1, EVIL, EVIL, EVIL, EVIL), Category(2, "b" + EVIL, EVIL, EVIL)]),
    )


def page_of(dataset, detections, **options):
    reading = read_boxes(results_of_detections(detections, dataset), CountingRule.plain(0.5))
    options = {"manifest": {}, "chosen_on": "val", "resamples": 20} | options
    return report_page(build_report(dataset, reading, **options))


def test_the_page_has_every_part_and_needs_nothing_from_elsewhere(three_trays, three_readings):
    facts = manifest(threshold=0.5, chosen_on="val", split="test", seeds={"train": 3}, argv=["t"])
    curve = [CurvePoint(t / 10, 0.5, 2.0 - t / 10) for t in range(1, 10)]
    text = page_of(three_trays, three_readings, manifest=facts, threshold_curve=curve, method="Syn")
    page = Page(text)
    words = " ".join(page.texts)
    for word in (
        "Checkout report: Syn", "33.3", "averaged", "By clutter level", "Cart size",
        "score of 0.50", "How well certainty orders the carts", "SKUs taken for each other",
            "Carts counted wrong",
        "seeds, train",
    ):  # fmt: skip
        assert word in words
    assert page.all("script") == page.all("link") == []
    assert not re.search(r"(src|href)=\"(?!worst_carts/)", text)
    assert not re.search(r"url\(|@import", text)
    assert page.all("html") == [{"lang": "en"}]


def test_every_chart_has_a_text_to_be_read_aloud_and_is_sound_xml(three_trays, three_readings):
    curve = [CurvePoint(0.4, 0.5, 2.0), CurvePoint(0.5, 0.6, 1.0)]
    text = page_of(three_trays, three_readings, threshold_curve=curve)
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(charts) == 8  # four metrics, threshold, sizes, coverage, look-alikes
    for chart in charts:
        root = ElementTree.fromstring(chart)
        assert root.get("role") == "img"
        assert len(root.get("aria-label")) > 20
        width = float(root.get("viewBox").split()[2])
        for circle in root.iter("{http://www.w3.org/2000/svg}circle"):
            assert 0 <= float(circle.get("cx")) <= width
    assert any("chosen threshold 0.50 had cAcc 60.0 %" in chart for chart in charts)


def test_names_of_files_skus_and_methods_are_text_and_no_markup(evil_trays):
    one = truth_of(evil_trays, 1)
    swapped = type(one)(one.boxes, one.scores, one.labels[::-1].copy())
    wrong = type(one)(swapped.boxes, swapped.scores, np.array([1, 1]))
    for reading in (swapped, wrong):
        options = {"method": EVIL, "notes": [EVIL], "timings": {EVIL: 1.0}, "chosen_on": EVIL}
        text = page_of(evil_trays, [reading], manifest={EVIL: {EVIL: [EVIL]}}, **options)
        page = Page(text)
        assert page.all("script") == []
        assert "<script" not in text
        assert EVIL in " ".join(page.texts)


def test_the_worst_carts_are_linked_and_missing_photos_are_named(three_trays, three_readings):
    reading = read_boxes(
        results_of_detections(three_readings, three_trays), CountingRule.plain(0.5)
    )
    report = build_report(three_trays, reading, manifest={}, chosen_on="val", resamples=0)
    row = {"image_id": 30, "file_name": "c.jpg", "wrong": 2, "picture": "worst_carts/001_30.jpg"}
    report["worst_carts"] = {"pictures": [row], "missing": ["b.jpg"]}
    page = Page(report_page(report))
    assert page.all("img")[0]["src"] == "worst_carts/001_30.jpg"
    assert page.all("img")[0]["alt"] == "c.jpg: 2 items wrong"
    assert page.all("a") == [{"href": "worst_carts/001_30.jpg"}]
    words = " ".join(page.texts)
    assert "no readable photo: b.jpg" in words
    assert "Missed: 1 x Soap | 1 <kg>" in words


def test_lists_without_boxes_and_perfect_carts_make_a_page_too(three_trays):
    lists = read_carts(CountedCarts(three_trays.counts(), None, 0))
    report = build_report(three_trays, lists, manifest={}, chosen_on="lists")
    words = " ".join(Page(report_page(report)).texts)
    assert "Every cart is right." in words
    assert "no mAP, no threshold" in words
    assert "certainty orders the carts" not in words


def test_an_image_without_items_or_boxes_makes_a_page_too():
    bare = Dataset((ImageInfo(1, "a.jpg", 9, 9),), (), Taxonomy([Category(1, "tea")]))
    empty = truth_of(bare, 1)
    assert "Every cart is right." in page_of(bare, [empty])
