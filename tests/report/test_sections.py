"""Sections of several verbs: each in a file of its own, all on one page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hear_fusion.evaluate.difference import Difference
from hear_fusion.evaluate.scores import Score
from hear_fusion.report.formats import Number, Table
from hear_fusion.report.heareval_scores import heareval_section
from hear_fusion.report.leaderboard.board import Entry
from hear_fusion.report.leaderboard.ranking import stand
from hear_fusion.report.leaderboard.submissions import write_comparison
from hear_fusion.report.page import write_report
from hear_fusion.report.sections import Picture, Section, read_sections, write_section
from tests.report.studies import DEMO, study

EXTRA = Section(
    "extra",
    "More <b>",
    ("Text & <i>more</i>",),
    (Table("extra", "T <u>", "C & c", ("a<", "b"), (("<em>", Number(1.0, 0.5, 1.5)),)),),
    (Picture("board", "P <s>", "How", "<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),),
)


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")


def test_sections_are_read_back_in_the_order_of_their_names(tmp_path: Path) -> None:
    strong = replace(
        EXTRA, name="a-first", tables=(replace(EXTRA.tables[0], strong=frozenset({0})),)
    )
    assert read_sections(tmp_path) == []
    paths = [write_section(section, tmp_path / "results") for section in (EXTRA, strong)]
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "results/sections/extra.json",
        "results/sections/a-first.json",
    ]
    assert read_sections(tmp_path / "results") == [strong, EXTRA]
    assert sorted(paths[0].parent.iterdir()) == sorted(paths)


def test_a_section_takes_the_place_of_its_namesake_only(tmp_path: Path) -> None:
    other = replace(EXTRA, name="other")
    for section in (EXTRA, other, replace(EXTRA, title="anew")):
        write_section(section, tmp_path)
    assert [section.title for section in read_sections(tmp_path)] == ["anew", "More <b>"]


@pytest.mark.parametrize("first", ["compare", "demo"])
def test_what_compare_and_demo_add_lives_side_by_side(first: str, tmp_path: Path) -> None:
    study("yamnet", DEMO[:2]).write(tmp_path / "yamnet")
    ours = [Entry("mine", {"ESC-50": 0.7}, is_ours=True)]
    standing = stand([Entry("theirs", {"ESC-50": 0.9})], ours)
    original = Score("a", "words", "top1_acc", 0.3, 0.0, 1.0, 9, "clips")
    fused = replace(original, module="b", value=0.9)

    def compare() -> None:
        write_comparison(tmp_path, standing, [], "")

    def demo() -> None:
        write_section(heareval_section([Difference(original, fused, 0.6, 0.5, 0.7)]), tmp_path)

    for verb in (compare, demo) if first == "compare" else (demo, compare):
        verb()
    page = write_report(tmp_path, tmp_path / "report.html")[0].read_text(encoding="utf-8")
    titles = ("The official HEAR head", "Among the HEAR submissions")
    places = [page.index(f"<h2>{title}</h2>") for title in titles]
    assert places == sorted(places)


def test_sections_write_nowhere_else(tmp_path: Path) -> None:
    table = replace(EXTRA.tables[0], name="../../t")
    picture = replace(EXTRA.pictures[0], name="/p/../q")
    write_section(Section("x", "X", (), (table,), (picture,)), tmp_path)
    (section,) = read_sections(tmp_path)
    assert [section.tables[0].name, section.pictures[0].name] == ["t", "p-..-q"]


def test_what_a_later_release_adds_is_no_error(tmp_path: Path) -> None:
    def add(record: dict[str, Any]) -> None:
        (table,), (picture,) = record["tables"], record["pictures"]
        for part in (record, table, picture, table["rows"][0][1]):
            part["colour"] = "blue"

    edit(write_section(EXTRA, tmp_path), add)
    assert read_sections(tmp_path) == [EXTRA]


def test_a_file_without_a_format_is_left_out_and_a_newer_one_named(tmp_path: Path) -> None:
    path = write_section(EXTRA, tmp_path)
    edit(path, lambda record: record.update(format="1"))
    assert read_sections(tmp_path) == []
    edit(path, lambda record: record.pop("format"))
    assert read_sections(tmp_path) == []
    edit(path, lambda record: record.update(format=2))
    with pytest.raises(
        ValueError, match=r"extra\.json must be of format 1, got 2, of a newer version"
    ):
        read_sections(tmp_path)


@pytest.mark.parametrize("text", ["{", "[1]", '{"format": 1, "title": "x"}'])
def test_a_broken_section_is_named(text: str, tmp_path: Path) -> None:
    write_section(EXTRA, tmp_path).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"extra\.json must be a section of the page"):
        read_sections(tmp_path)
