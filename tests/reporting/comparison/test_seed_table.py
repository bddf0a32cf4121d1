import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.metrics.specs import METRICS
from rpc.reporting.comparison.seed_table import order_steps, seed_rows, seed_table_text


def report(value, levels=("easy", "averaged"), **other):
    return {"levels": {level: dict.fromkeys(METRICS, value) | other for level in levels}}


def test_mean_and_spread_are_over_the_seeds():
    rows = seed_rows({"Syn": [report(0.5), report(0.7)]})
    cell = rows["Syn"]["averaged"]["cAcc"]
    assert cell["mean"] == pytest.approx(0.6)
    assert cell["std"] == pytest.approx(math.sqrt(0.02))
    assert cell["values"] == [0.5, 0.7]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_the_spread_is_that_of_a_sample_and_seeds_may_be_permuted(values):
    forward, backward = (
        seed_rows({"Syn": [report(v) for v in order]})["Syn"]["easy"]["ACD"]
        for order in (values, values[::-1])
    )
    assert forward["std"] == pytest.approx(statistics.stdev(values))
    assert forward["mean"] == pytest.approx(backward["mean"])
    assert forward["std"] == pytest.approx(backward["std"])


def test_one_seed_has_no_spread_and_a_metric_that_is_missing_once_has_no_mean():
    assert seed_rows({"Syn": [report(0.5)]})["Syn"]["easy"]["cAcc"]["std"] is None
    cell = seed_rows({"Syn": [report(0.5), report(0.5, mAP50=None)]})["Syn"]["easy"]["mAP50"]
    assert (cell["mean"], cell["std"]) == (None, None)


def test_a_level_counts_where_every_seed_has_it():
    rows = seed_rows({"Syn": [report(0.5), report(0.6, levels=("averaged",))], "Render": []})
    assert list(rows["Syn"]) == ["averaged"]
    assert rows["Render"] == {}


def test_steps_are_paired_by_seed_and_say_whether_the_order_holds():
    rows = seed_rows(
        {
            "Single": [report(0.0), report(0.1)],
            "Syn": [report(0.5), report(0.6)],
            "Render": [report(0.4), report(0.6)],
        }
    )
    first, second = order_steps(rows, ["Single", "Syn", "Render", "Syn+Render"])
    assert (first["from"], first["to"], first["rises"]) == ("Single", "Syn", True)
    assert first["difference"] == pytest.approx(0.5)
    assert first["std"] == pytest.approx(0.0)
    assert second["difference"] == pytest.approx(-0.05)
    assert second["rises"] is False


def test_the_table_reads_like_the_papers_and_marks_the_best_mean():
    rows = seed_rows({"Syn": [report(0.25), report(0.27)], "Render": [report(0.5), report(0.5)]})
    lines = seed_table_text(rows).splitlines()
    assert lines[0].startswith("| Clutter mode | Methods | cAcc (↑) | ACD (↓) |")
    easy = [line for line in lines if line.startswith("| easy")]
    assert "| 26.00% ± 1.41 | **0.26 ± 0.01** |" in easy[0]
    assert "| **50.00% ± 0.00** | 0.50 ± 0.00 |" in easy[1]


def test_nothing_is_marked_where_there_is_no_rival():
    assert "**" not in seed_table_text(seed_rows({"Syn": [report(0.25)]}))
