"""One record, three forms: what is read back is what was meant."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from hear_fusion.report.formats import Number, Table, to_csv, to_latex, to_markdown, write_table
from hear_fusion.report.labels import slug, study_names, task_labels
from tests.report.studies import study

ODD = [
    "<script>alert('x')</script>",
    "a|b",
    "*bold* _it_ __x__ `c` ~s~",
    "[link](http://x)",
    r"back\slash \| {curly}",
    "&amp; & $x_1$ #1 100%",
    "tfds_gtzan-1.0.0-full",
    "~^",
]
TABLE = Table(
    "odd",
    "Odd <names>",
    "To be | escaped",
    ("task", "score", "p"),
    tuple((name, Number(12.34, 10.0, 14.0), Number(0.00004, digits=4)) for name in ODD),
    frozenset({1}),
)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (Number(12.345), "12.3"),
        (Number(12.35, 11.0, 13.0), "12.3 [11.0, 13.0]"),
        (Number(2.0, -1.0, 5.0, signed=True), "+2.0 [-1.0, +5.0]"),
        (Number(-0.04, signed=True), "0.0"),
        (Number(0.00004, digits=4), "<0.0001"),
        (Number(0.0, digits=4), "0.0000"),
        (Number(81261, digits=0), "81261"),
    ],
)
def test_numbers(number: Number, shown: str) -> None:
    assert str(number) == shown


def test_a_table_may_need_no_caption() -> None:
    table = replace(TABLE, caption="")
    assert to_markdown(table) == to_markdown(TABLE).removesuffix("\nTo be \\| escaped\n")
    assert r"\caption{Odd \textless{}names\textgreater{}.}" in to_latex(table)


def test_markdown_shows_every_name_as_it_is() -> None:
    html = (
        MarkdownIt("commonmark").enable("table").enable("strikethrough").render(to_markdown(TABLE))
    )
    cells = re.findall(r"<td>(.*?)</td>", html)
    cells += re.findall(r'<td style="text-align:[a-z]+">(.*?)</td>', html)
    bare = [re.sub(r"</?strong>", "", cell) for cell in cells]
    names = [
        cell.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
        for cell in bare[::3]
    ]
    assert names == ODD
    assert bare[1::3] == ["12.3 [10.0, 14.0]"] * len(ODD)
    assert "<strong>a|b</strong>" in html
    assert "<script" not in html
    assert "<a " not in html


def test_markdown_keeps_names_readable() -> None:
    assert "tfds_gtzan-1.0.0-full" in to_markdown(TABLE)


def test_csv_is_read_back_with_intervals_as_columns() -> None:
    head, *rows = csv.reader(io.StringIO(to_csv(TABLE)))
    assert head == ["task", "score", "score low", "score high", "p"]
    assert [row[0] for row in rows] == ODD
    assert {tuple(row[1:]) for row in rows} == {("12.34", "10.0", "14.0", "4e-05")}


def test_csv_runs_no_formula() -> None:
    table = replace(TABLE, rows=tuple((name, "", "-") for name in ("=1+1", "@x", "-1+1", "+1")))
    rows = list(csv.reader(io.StringIO(to_csv(table))))[1:]
    assert [row[0] for row in rows] == ["'=1+1", "'@x", "'-1+1", "'+1"]
    assert {row[2] for row in rows} == {"-"}


def test_csv_of_a_column_that_lacks_some_intervals() -> None:
    table = Table("t", "", "", ("a",), ((Number(1.0, 0.5, 1.5),), (Number(2.0),), ("-",)))
    assert to_csv(table).splitlines()[1:] == ["1.0,0.5,1.5", "2.0,,", "-,,"]


def test_latex_escapes_every_sign() -> None:
    text = to_latex(TABLE)
    assert r"\textless{}script\textgreater{}alert('x')" in text
    assert r"back\textbackslash{}slash \textbackslash{}\textbar{} \{curly\}" in text
    assert r"\&amp; \& \$x\_1\$ \#1 100\%" in text
    assert r"\textasciitilde{}\textasciicircum{}" in text
    assert r"\textbf{a\textbar{}b}" in text
    assert r"\begin{tabular}{lrr}" in text
    assert "$<$0.0001" in text
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    assert [len(re.findall(r"(?<!\\)&", line)) for line in body.splitlines()[1:]] == [2] * len(ODD)
    signed = replace(TABLE, rows=(("x", Number(1.0, -1.0, 3.0, signed=True), "-"),))
    assert "$+$1.0 [$-$1.0, $+$3.0]" in to_latex(signed)


def test_lines_and_control_signs_break_nothing() -> None:
    table = replace(TABLE, rows=(("a\nb\x00\x1b[31m\r\nc", "", ""),), strong=frozenset())
    assert "a b[31m c" in to_latex(table)
    assert len(to_csv(table).splitlines()) == 2
    assert len(to_markdown(table).splitlines()) == 7


def test_files(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "tables")
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        "odd.csv", "odd.md", "odd.tex"
    ]  # fmt: skip
    assert (tmp_path / "tables" / "odd.md").read_text(encoding="utf-8") == to_markdown(TABLE)


def test_labels_are_short_and_differ() -> None:
    long = ["x" * 40 + "a" + "y" * 40, "x" * 40 + "b" + "y" * 40, "", "esc50-v2.0.0-full"]
    labels = task_labels(long)
    assert len(set(labels.values())) == 4
    assert max(map(len, labels.values())) <= 20
    assert labels["esc50-v2.0.0-full"] == "esc50"
    assert labels[""] == "(no name)"


def test_studies_of_one_module_are_told_apart() -> None:
    one = study("ast")
    with_setting = [replace(one, config={**one.config, "statistics": flag}) for flag in (0, 1)]
    assert study_names(with_setting) == [f"{one.module} (statistics={flag})" for flag in (0, 1)]
    assert study_names([one, study("cnn14")]) == [one.module, study("cnn14").module]
    assert study_names([one, one]) == [one.module, f"{one.module} (study 2)"]


@pytest.mark.parametrize("name", ["../../etc/x", "a b/c", "<i>", "", "..", "-"])
def test_slugs_stay_in_their_folder(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", slug(name))
