"""Names that would steer a terminal, a page or a spreadsheet go through every tool."""

import csv
import importlib
import json
import logging
import re
import sys

import numpy as np
import pytest
from rich.console import Console

from rpc.checkout.receipt import Receipt, ReceiptItem
from rpc.data.dataset import Annotation, Dataset, ImageInfo, read_dataset, write_dataset
from rpc.data.files import write_json
from rpc.data.images import write_image
from rpc.data.taxonomy import Category, Taxonomy
from rpc.retrieval.descriptors import recipes
from rpc.runs import progress, screen

NAMES = [
    "\x1b]0;x\x07", "[bold]loud[/bold]", "<script>alert(1)</script>", '=HYPERLINK("http://a";"b")',
    "a|b", "tea\nsoap", "\u202egpj.aet", "+1", "@SUM(A1)", "plain",
]  # fmt: skip
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|tea\nsoap")


@pytest.fixture
def store(tmp_path):
    """Two trays and exemplars whose SKUs, titles and files have such names."""
    skus = [Category(n, name, "drink\x1b[2J", title=name) for n, name in enumerate(NAMES, 1)]
    taxonomy = Taxonomy(skus)
    root = tmp_path / "store"
    for split in ("train", "test"):
        images, items = [], []
        for n in range(1, len(NAMES) + 1):
            name = f"{n}_\x1b[31m=[red]\u202e{n}.jpg"
            images.append(ImageInfo(n, name, 64, 48, "easy" if split == "test" else None))
            items.append(Annotation(n, n, n, (8, 8, 40, 40), 1024.0))
            folder = root / ("exemplars" if split == "train" else split)
            if n > 1:  # one is missing: it is named
                write_image(folder / f"{n}.jpg", np.full((48, 64, 3), 200, np.uint8))
                (folder / f"{n}.jpg").rename(folder / name)
        write_dataset(root / f"instances_{split}.json", Dataset(images, items, taxonomy))
    return root


def call(verb, monkeypatch, capsys, *words):
    """The tool's exit code and all that it printed."""
    monkeypatch.setattr(sys, "argv", [verb, *map(str, words)])
    monkeypatch.delenv("RPC_TRACEBACK", raising=False)
    main = importlib.import_module(f"rpc.cli.{verb}").main
    with pytest.raises(SystemExit) as left:
        importlib.import_module("rpc.cli.leave").run(main)
    out, err = capsys.readouterr()
    return left.value.code, out + err


def results(store, path):
    """Every item read as the next SKU: each name is printed as missed and as extra."""
    truth = read_dataset(store / "instances_test.json")
    entries = [
        {
            "image_id": a.image_id,
            "category_id": a.category_id % len(NAMES) + 1,
            "bbox": [8, 8, 32, 32],
            "score": 0.9,
        }
        for a in truth.annotations
    ]
    return write_json(path, entries)


def test_evaluate_and_compare_print_and_write_nothing_raw(store, tmp_path, monkeypatch, capsys):
    found = results(store, tmp_path / "results.json")
    for method in ("=1+1[red]", "\x1b[31mred\u202e"):
        gt = store / "instances_test.json"
        words = ("--gt", gt, "--results", found, "--threshold", 0.5, "--method", method)
        out = tmp_path / f"out{method[0] == '='}"
        code, printed = call("evaluate", monkeypatch, capsys, *words, "--out", out)
        assert code == 0
        assert not RAW.search(printed)
        for page in ("report.md", "report.html", "table.md", "table.csv", "table.tex"):
            text = (out / page).read_text(encoding="utf-8")
            assert not RAW.search(text), page
        html = (out / "report.html").read_text(encoding="utf-8")
        assert "<script" not in html
        assert "&lt;script&gt;" in html
        assert "<script" not in (out / "report.md").read_text(encoding="utf-8")
        rows = list(csv.reader((out / "table.csv").read_text(encoding="utf-8").splitlines()))
        assert rows[1][1] == ("'=1+1[red]" if method[0] == "=" else "\\u001b[31mred\\u202e")
        assert float(rows[1][4]) == 0  # cAcc is a number still
    assert "(supervision E)" in printed
    code, printed = call(
        "compare", monkeypatch, capsys,
        tmp_path / "outTrue", tmp_path / "outFalse", "--gt", gt, "--out", tmp_path / "c",
    )  # fmt: skip
    assert code == 0
    assert not RAW.search(printed)
    assert "=1+1[red]" in printed
    assert not RAW.search((tmp_path / "c" / "comparison.md").read_text(encoding="utf-8"))


def test_check_names_the_missing_photo_in_plain_text(store, monkeypatch, capsys):
    code, printed = call("check", monkeypatch, capsys, store)
    assert code == 1
    assert not RAW.search(printed)
    assert "\\u001b[31m=[red]\\u202e" in printed


def test_an_error_and_a_wrong_option_are_plain_lines(tmp_path, monkeypatch, capsys):
    for words in ([tmp_path / "\x1b[2J\u202eno"], ["a", "--\x1b[2J"], ["a", "\x1b]0;x\x07"]):
        code, printed = call("check", monkeypatch, capsys, *words)
        assert code == 2
        assert not RAW.search(printed)
        assert "\\u001b" in printed


def test_a_receipt_lists_its_titles_line_by_line(capsys):
    taxonomy = Taxonomy([Category(n, name, title=name) for n, name in enumerate(NAMES, 1)])
    items = [ReceiptItem((0, 0, 9, 9), name, name, 0.9, ((name, 1.0),)) for name in taxonomy.names]
    receipt = Receipt(tuple(items), 1.0, np.zeros((9, 9, 3), np.uint8), taxonomy)
    screen.say_lines(f"{receipt}, 0.10 s")
    printed = capsys.readouterr().out
    assert not RAW.search(printed)
    assert printed.count("\n") == len(NAMES) + 1


def test_a_gallery_lists_its_skus_in_plain_text(store, tmp_path, monkeypatch, capsys):
    class Mean:
        recipe = {"name": "mean"}  # noqa: RUF012  as a descriptor has it

        def __init__(self, device="cpu"):
            pass

        def __call__(self, pictures):
            return np.full((len(pictures), 2), 0.5**0.5, np.float32)

    monkeypatch.setattr(recipes, "DESCRIBERS", {"mean": Mean})
    monkeypatch.setattr(recipes, "DEFAULT", "mean")
    photo = write_image(tmp_path / "a.jpg", np.full((48, 64, 3), 99, np.uint8))
    for name in NAMES:
        sku = ["--title", f"{name}!", "--whole", "--", tmp_path / "g", name, photo]
        code, printed = call("gallery", monkeypatch, capsys, "add", *sku)
        if code:  # a name may be refused, in one plain line
            assert printed.startswith("error: ")
        assert not RAW.search(printed)
    code, printed = call("gallery", monkeypatch, capsys, "info", tmp_path / "g")
    assert code == 0
    assert not RAW.search(printed)
    assert "[bold]loud[/bold]" in printed
    code, printed = call("gallery", monkeypatch, capsys, "info", tmp_path / "g", "--json")
    assert not RAW.search(printed)
    assert "[bold]loud[/bold]" in json.loads(printed)["photos"]


def test_words_of_a_moving_bar_are_no_markup(monkeypatch, capsys):
    console = Console(force_terminal=True, color_system=None, width=90, stderr=True)
    monkeypatch.setattr(progress, "Console", lambda stderr: console)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress.bar("[red]\x1b]0;x\x07") as report:
        report(1, 1, "[bold]\u202e")
    printed = capsys.readouterr().err
    assert "[red]\\u001b]0;x" in printed
    assert "[bold]\\u202e" in printed


def test_notes_of_the_library_are_plain_lines(monkeypatch, capsys):
    logger = logging.getLogger("rpc.data")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", True)
    importlib.import_module("rpc.cli.notes").show_notes()
    logger.warning("%s", "a\x1b[2J\u202eb\nc")
    assert capsys.readouterr().err == "note: a\\u001b[2J\\u202eb\\nc\n"
