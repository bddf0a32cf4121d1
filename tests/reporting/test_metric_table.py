"""A metric that is added to the table of metrics appears in everything that prints metrics."""

import numpy as np
import pytest

from rpc.data import read_json, write_json
from rpc.metrics import rpctool_metrics
from rpc.metrics.specs import METRICS, MetricSpec, explanations, listed, metrics_of
from rpc.reporting import compare_results, evaluate, read_report_folder
from rpc.reporting.comparison.comparison_text import comparison_text
from rpc.reporting.comparison.seed_table import seed_rows, seed_table_text
from rpc.reporting.evaluation.level_rows import official_rows
from rpc.reporting.pages.html import report_page
from rpc.reporting.pages.markdown import report_text
from rpc.reporting.pages.paper_rows import paper_rows
from rpc.reporting.pages.paper_table import table_csv, table_latex, table_text
from rpc.reporting.pages.wording import levels_text, metrics_text
from tests.reporting.scored import spoil, write_folder, write_truth

NEW = MetricSpec("spoons", "%", 1, False, "spoons", "carts with a spoon", "boxes")


@pytest.fixture
def added(monkeypatch):
    """The table of metrics with one metric more."""
    monkeypatch.setitem(METRICS, NEW.name, NEW)


@pytest.fixture
def report(added, three_trays):
    """A report in which the new metric is 12.3 %."""
    made = evaluate(three_trays, [], threshold=0.5, bootstrap=5, method="m").report
    for row in made["levels"].values():
        assert row[NEW.name] is None  # the row has its place before anything computes it
        row[NEW.name] = 0.12345
    return made


@pytest.mark.parametrize(
    ("printer", "number"),
    [
        (report_text, "12.3"),
        (report_page, "12.3"),
        (lambda report: levels_text(report["levels"]), "12.3%"),
        (lambda report: table_text(paper_rows([report], ["m"])), "12.35%"),
        (lambda report: table_latex(paper_rows([report], ["m"])), "12.35\\%"),
        (lambda report: table_csv(paper_rows([report], ["m"])), "0.12345"),
        (lambda report: seed_table_text(seed_rows({"m": [report]})), "12.35%"),
    ],
    ids=["markdown", "html", "screen", "table", "latex", "csv", "seeds"],
)
def test_every_printer_of_a_report_shows_it(report, printer, number):
    text = printer(report)
    assert "spoons" in text
    assert number in text


def test_the_comparison_shows_it_and_says_which_way_is_better(added, tmp_path):
    truth = write_truth(tmp_path / "gt.json")
    folders = []
    for name, value in (("a", 0.5), ("b", 0.25)):
        folder = write_folder(tmp_path / name, truth, spoil(truth, 0.2, seed=1), method=name)
        report = read_json(folder / "report.json")
        for row in report["levels"].values():
            row["spoons"] = value
        write_json(folder / "report.json", report)
        folders.append(read_report_folder(folder))
    comparison = compare_results(folders, truth, resamples=5)
    change = comparison["levels"]["averaged"][0]["differences"]["spoons"]
    assert change == {"value": -0.25, "interval": None}
    text = comparison_text(comparison)
    assert "| spoons % |" in text
    assert "-25.0" in text
    assert "below 0 for ACD, mCCD and spoons" in text


def test_an_evaluation_and_the_sentences_have_it(added, three_trays):
    assert "spoons" in evaluate(three_trays, [], threshold=0.5).averaged
    assert "spoons: carts with a spoon." in metrics_text()


def test_the_older_tool_has_no_figure_of_a_metric_that_it_does_not_know(monkeypatch, three_trays):
    kitchen = MetricSpec("forks", "", 2, True, "forks", "forks", "counts")
    monkeypatch.setitem(METRICS, "forks", kitchen)
    scores, labels, rows = np.array([1.0, 1.0]), np.array([0, 1]), np.array([0, 0])
    counts = three_trays.counts()
    found = rpctool_metrics(scores, labels, rows, counts, three_trays.levels())
    table, _ = official_rows(found, ["averaged"])
    assert table["averaged"]["forks"] is None
    assert table["averaged"]["cAcc"] == 1


def test_the_sentences_join_neighbours_of_one_meaning():
    text = explanations()
    assert text.startswith("cAcc: carts that are right in every SKU. ACD: items wrong per cart.")
    assert text.endswith("mAP50 and mmAP: average precision of the raw boxes.")
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_numbers_are_printed_by_unit_and_decimals():
    rate, number = METRICS["cAcc"], METRICS["mCCD"]
    assert (rate.text(0.5), rate.unit_text(0.5), rate.paper_text(0.5)) == (
        "50.0",
        "50.0%",
        "50.00%",
    )
    assert (number.text(0.5), number.unit_text(0.5), number.paper_text(0.5)) == (
        "0.500", "0.500", "0.50",
    )  # fmt: skip
    assert (rate.change_text(-0.01), number.change_text(0.01)) == ("-1.0", "+0.010")
    assert {one.text(None) for one in METRICS.values()} == {"-"}
    assert rate.paper_number(0.12344) == rate.paper_number(0.12336) == 12.34
    assert (rate.heading, number.heading) == ("cAcc %", "mCCD")
    assert [spec.name for spec in metrics_of("counts")] == ["cAcc", "ACD", "mCCD", "mCIoU"]


def test_a_metric_without_a_name_or_with_negative_decimals_is_refused():
    with pytest.raises(ValueError, match="0 decimals or more"):
        MetricSpec("a", "", -1, True, "a", "a", "counts")
    with pytest.raises(ValueError, match="a name, a title and an explanation"):
        MetricSpec("a", "", 1, True, "", "a", "counts")
