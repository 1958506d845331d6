"""One record of a table, and its forms: Markdown, CSV, LaTeX."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hear_fusion.files.atomic import write_whole
from hear_fusion.files.space import make_folder


@dataclass(frozen=True)
class Number:
    """A number of a table.

    Attributes:
        value: As it was computed; forms round it.
        low, high: Its 95 % interval, if it has one.
        digits: Decimals to show; where there are more than two, as of a p, a positive value below
            the last one is shown as less than it.
        signed: Show a plus as well.
    """

    value: float
    low: float | None = None
    high: float | None = None
    digits: int = 1
    signed: bool = False

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return self._shown(self.value)
        return f"{self._shown(self.value)} [{self._shown(self.low)}, {self._shown(self.high)}]"

    def _shown(self, value: float) -> str:
        # Adding zero makes minus zero plain.
        rounded = round(value, self.digits) + 0.0
        if self.digits > 2 and value > 0 and not rounded:
            return f"<{10**-self.digits:.{self.digits}f}"
        return f"{rounded:{'+' if self.signed and rounded else ''}.{self.digits}f}"


Cell = str | Number
NONE = "-"
"""A cell without a value."""


@dataclass(frozen=True)
class Table:
    """A table, once for every form.

    Attributes:
        name: Stem of its files.
        title: One line.
        caption: How to read it.
        head: Names of the columns.
        rows: Cells; each row as long as the head.
        strong: Rows to stand out: averages, and what was measured here.
    """

    name: str
    title: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    strong: frozenset[int] = frozenset()

    @property
    def right(self) -> frozenset[int]:
        """Columns of numbers, which are aligned to the right."""
        return frozenset(
            i for i in range(len(self.head)) if any(isinstance(row[i], Number) for row in self.rows)
        )


def clean(text: str) -> str:
    r"""Make one line of printable text, fit for any format.

    >>> clean("a\tb\x00 c\n")
    'a b c'
    """
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def no_formula(text: str) -> str:
    """Quote a text that a spreadsheet would run as a formula.

    >>> [no_formula(text) for text in ("=1+1", "esc50", "-")]
    ["'=1+1", 'esc50', '-']
    """
    return f"'{text}" if text[:1] in "=+-@" and len(text) > 1 else text


def to_markdown(table: Table) -> str:
    r"""Write a table in Markdown, with its title above and its caption below.

    >>> print(to_markdown(Table("t", "T", "C", ("a|b",), (("x*y",),))))
    **T**
    <BLANKLINE>
    | a\|b |
    | ---- |
    | x\*y |
    <BLANKLINE>
    C
    <BLANKLINE>
    """
    rows = [[_markdown(cell) for cell in row] for row in (table.head, *table.rows)]
    for i in table.strong:
        rows[i + 1] = [f"**{cell}**" if cell else "" for cell in rows[i + 1]]
    lines = align(rows, right=set(table.right))
    below = ["", _markdown(table.caption)] if table.caption else []
    return "\n".join([f"**{_markdown(table.title)}**", "", *lines, *below, ""])


def align(rows: Sequence[Sequence[str]], right: set[int]) -> list[str]:
    """Make the lines of a Markdown table; the first row is its head.

    Args:
        rows: Cells.
        right: Columns of numbers.
    """
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(rows[0]))]
    lines = [
        "| "
        + " | ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        + " |"
        for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return lines


def to_csv(table: Table) -> str:
    """Write a table as CSV; an interval takes two columns of its own.

    >>> print(to_csv(Table("t", "", "", ("a", "b"), (("x,y", Number(1.25, 1.0, 1.5)),))))
    a,b,b low,b high
    "x,y",1.25,1.0,1.5
    <BLANKLINE>
    """
    spread = [
        any(isinstance(cell, Number) and cell.low is not None for cell in column)
        for column in zip(*table.rows, strict=True)
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        column
        for name, wide in zip(table.head, spread, strict=True)
        for column in ([name, f"{name} low", f"{name} high"] if wide else [name])
    )
    for row in table.rows:
        writer.writerow(
            field
            for cell, wide in zip(row, spread, strict=True)
            for field in _csv_fields(cell, 3 if wide else 1)
        )
    return text.getvalue()


def to_latex(table: Table) -> str:
    """Write a table for LaTeX with the package booktabs."""
    columns = "".join("r" if i in table.right else "l" for i in range(len(table.head)))
    body = []
    for i, row in enumerate(table.rows):
        cells = [_latex(cell) for cell in row]
        if i in table.strong:
            cells = [rf"\textbf{{{cell}}}" if cell else "" for cell in cells]
        body.append(" & ".join(cells) + r" \\")
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_latex(f'{table.title}. {table.caption}'.strip())}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(map(_latex, table.head)) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


FORMATS: Mapping[str, Callable[[Table], str]] = {
    "md": to_markdown,
    "csv": to_csv,
    "tex": to_latex,
}


def write_table(table: Table, folder: Path) -> None:
    """Write a table in every form, as ``<name>.md``, ``.csv`` and ``.tex``."""
    make_folder(folder)
    for suffix, write in FORMATS.items():
        write_whole(folder / f"{table.name}.{suffix}", write(table))


def _markdown(cell: Cell) -> str:
    if isinstance(cell, Number):
        return str(cell).replace("<", "&lt;")
    text = re.sub(r"([\\`*\[\]|~$])", r"\\\1", clean(cell))
    # Inside a word an underscore is one; at its end it would close an emphasis.
    text = re.sub(r"_(?![A-Za-z0-9])", r"\\_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _csv_fields(cell: Cell, n_fields: int) -> list[str]:
    if isinstance(cell, Number):
        numbers = [cell.value, cell.low, cell.high][:n_fields]
        return ["" if number is None else f"{round(number, 6)}" for number in numbers]
    return [no_formula(clean(cell)), "", ""][:n_fields]


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
} | {sign: f"\\{sign}" for sign in "{}#$%&_"}


def _latex(cell: Cell) -> str:
    if isinstance(cell, Number):
        # A hyphen is no minus, and without mathematics "<" is another sign.
        return re.sub(r"[+<-](?=\d)", lambda sign: f"${sign[0]}$", str(cell))
    return "".join(_LATEX.get(sign, sign) for sign in clean(cell))
