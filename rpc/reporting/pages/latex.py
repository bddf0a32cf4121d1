"""Tables in LaTeX, with the rules of the `booktabs` package; names of files cannot break them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rpc.data.plain_text import plain_text

_SPECIAL: Final = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
    }
)


def latex_text(value: object) -> str:
    """Text of a file as LaTeX prints it: on one line, with no command or special character."""
    return plain_text(" ".join(str(value).split())).translate(_SPECIAL)


def latex_table(
    head: Sequence[str],
    groups: Sequence[Sequence[Sequence[str]]],
    *,
    texts: int,
    caption: str,
    footnote: str,
) -> str:
    r"""A `table` environment; needs `\usepackage{booktabs}`.

    Args:
        head: names of the columns, as LaTeX.
        groups: rows of cells, as LaTeX; a rule parts the groups.
        texts: how many columns from the left are text; the others are numbers and stand right.
        caption: as plain text.
        footnote: below the table, as plain text.
    """
    body = [[f"{' & '.join(row)} \\\\" for row in group] for group in groups if group]
    ruled = [line for group in body for line in ("\\midrule", *group)]
    return "\n".join(
        [
            "% needs \\usepackage{booktabs} and UTF-8",
            "\\begin{table}",
            "\\centering",
            f"\\caption{{{latex_text(caption)}}}",
            f"\\begin{{tabular}}{{{'l' * texts}{'r' * (len(head) - texts)}}}",
            "\\toprule",
            f"{' & '.join(head)} \\\\",
            *ruled,
            "\\bottomrule",
            "\\end{tabular}",
            "",
            f"{{\\footnotesize {latex_text(footnote)}\\par}}",
            "\\end{table}",
            "",
        ]
    )
