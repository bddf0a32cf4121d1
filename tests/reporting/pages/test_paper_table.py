import csv
import re

import pytest

from rpc.data import DataError
from rpc.reporting.pages.latex import latex_text
from rpc.reporting.pages.paper_table import write_paper_table

METRICS = ("cAcc", "ACD", "mCCD", "mCIoU", "mAP50", "mmAP")
# Of the paper: "RPC: A Large-Scale Retail Product Checkout Dataset", table 3, averaged.
SYN = dict(zip(METRICS, (0.0927, 4.27, 0.35, 0.6965, 0.8066, 0.5308), strict=True))
RENDER = dict(zip(METRICS, (0.4560, 1.25, 0.10, 0.9058, 0.9550, 0.7276), strict=True))


def report(method, protocol="honest", supervision="E", **rows):
    return {"method": method, "protocol": protocol, "supervision": supervision, "levels": rows}


def tables(tmp_path, reports, **options):
    write_paper_table(tmp_path, reports, **options)
    names = ("table.md", "table.csv", "table.tex")
    return [(tmp_path / name).read_text(encoding="utf-8") for name in names]


def test_the_table_has_the_papers_layout(tmp_path):
    reports = [
        report("Syn", averaged=SYN, easy=SYN),
        report("Render", easy=RENDER, averaged=RENDER),
    ]
    text, _, latex = tables(tmp_path, reports)
    lines = text.splitlines()
    assert lines[0] == (
        "| Clutter mode | Methods | cAcc (↑) | ACD (↓) | mCCD (↓) | mCIoU (↑) | mAP50 (↑) "
        "| mmAP (↑) |"
    )
    assert [line.split(" | ")[:2] for line in lines[2:6]] == [
        ["| easy", "Syn"], ["| easy", "Render"], ["| averaged", "Syn"], ["| averaged", "Render"],
    ]  # fmt: skip
    assert lines[4] == "| averaged | Syn | 9.27% | 4.27 | 0.35 | 69.65% | 80.66% | 53.08% |"
    assert lines[5] == (
        "| averaged | Render | **45.60%** | **1.25** | **0.10** | **90.58%** | **95.50%** "
        "| **72.76%** |"
    )
    assert "Protocol honest, supervision E. E: training saw single-product" in text
    assert "averaged & Syn & 9.27\\% & 4.27 & 0.35 & 69.65\\% & 80.66\\% & 53.08\\% \\\\" in latex
    assert " & Render & \\textbf{45.60\\%} & \\textbf{1.25} &" in latex
    assert latex.count("\\midrule") == 2
    assert [latex.count(rule) for rule in ("\\toprule", "\\bottomrule")] == [1, 1]


def test_every_line_of_the_latex_table_has_as_many_cells_as_columns(tmp_path):
    reports = [report("a & b", easy=SYN), report("c", "rpctool", "V", easy=RENDER)]
    latex = tables(tmp_path, reports, mix=True)[2]
    (columns,) = re.findall(r"begin\{tabular\}\{([lr]+)\}", latex)
    rows = [line for line in latex.splitlines() if line.endswith("\\\\")]
    assert columns == "llllrrrrrr"
    assert [len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows] == [10, 10, 10]


def test_csv_holds_the_plain_numbers_and_nothing_where_not_measured(tmp_path):
    third = {**SYN, "cAcc": 1 / 3, "mmAP": None}
    text, table, _ = tables(tmp_path, [report('a, "b"', hard=third)])
    (row,) = csv.DictReader(table.splitlines())
    assert row["method"] == 'a, "b"'
    assert float(row["cAcc"]) == 1 / 3
    assert (row["mmAP"], row["level"], row["supervision"]) == ("", "hard", "E")
    assert "| 33.33% | 4.27 | 0.35 | 69.65% | 80.66% | - |" in text


def test_one_method_alone_is_not_the_best(tmp_path):
    text, _, latex = tables(tmp_path, [report("", averaged=SYN)])
    assert "**" not in text
    assert "textbf" not in latex
    assert "| averaged | results |" in text


def test_values_that_print_alike_are_both_best_and_missing_ones_never(tmp_path):
    one, other = {**SYN, "ACD": 0.891, "mmAP": None}, {**RENDER, "ACD": 0.889}
    lines = tables(tmp_path, [report("x", easy=one), report("y", easy=other)])[0].splitlines()
    assert lines[2] == "| easy | x | 9.27% | **0.89** | 0.35 | 69.65% | 80.66% | - |"
    assert lines[3].endswith(
        "| **45.60%** | **0.89** | **0.10** | **90.58%** | **95.50%** | 72.76% |"
    )


@pytest.mark.parametrize(
    ("protocol", "supervision", "message"),
    [
        ("honest", "V", "supervision: x has 'E', y has 'V': their figures are not comparable"),
        ("rpctool", "E", "protocol: x has 'honest', y has 'rpctool'"),
    ],
)
def test_results_of_two_kinds_refuse_to_share_a_table(tmp_path, protocol, supervision, message):
    reports = [report("x", easy=SYN), report("y", protocol, supervision, easy=RENDER)]
    with pytest.raises(DataError, match=message):
        write_paper_table(tmp_path / "out", reports)
    assert not (tmp_path / "out").exists()


def test_a_mixed_table_says_so_and_marks_the_best_of_each_kind(tmp_path):
    reports = [
        report("x", easy=SYN), report("y", easy=RENDER), report("z", supervision="V", easy=RENDER),
    ]  # fmt: skip
    text, table, latex = tables(tmp_path, reports, mix=True)
    lines = text.splitlines()
    assert lines[0].startswith("| Clutter mode | Methods | Protocol | Supervision | cAcc")
    assert lines[3].startswith("| easy | y | honest | E | **45.60%** |")
    assert lines[4].startswith("| easy | z | honest | V | 45.60% |")
    assert "Rows that differ in protocol or supervision are not comparable" in text
    assert "V: training also saw labelled checkout images" in text
    assert "not comparable" in latex
    assert [row["supervision"] for row in csv.DictReader(table.splitlines())] == ["E", "E", "V"]


def test_only_the_levels_asked_for_are_there_and_names_may_be_given(tmp_path):
    reports = [report("x", easy=SYN, hard=SYN)]
    text = tables(tmp_path, reports, levels=["hard"], names=["new"])[0]
    assert "| hard | new |" in text
    assert "easy" not in text


def test_no_name_breaks_a_table(tmp_path):
    name = "a_b|c & 50% $x^2$ #1 {d} ~\\e\n<f>"
    text, table, latex = tables(tmp_path, [report(name, easy=SYN)])
    assert "| easy | a_b\\|c & 50% $x^2$ #1 {d} ~\\\\e &lt;f&gt; | 9.27% |" in text
    assert next(csv.DictReader(table.splitlines(keepends=True)))["method"] == name.replace(
        "\n", "\\n"
    )
    assert (
        "a\\_b\\textbar{}c \\& 50\\% \\$x\\textasciicircum{}2\\$ \\#1 \\{d\\} "
        "\\textasciitilde{}\\textbackslash{}e \\textless{}f\\textgreater{} & 9.27"
    ) in latex


@pytest.mark.parametrize("character", "&%$#_{}\\~^<>|")
def test_no_special_character_of_latex_stays_bare(character):
    escaped = latex_text(f"a{character}b")
    assert escaped.startswith("a\\")
    assert escaped.endswith("b")
    assert latex_text("Ünï 1.5") == "Ünï 1.5"
