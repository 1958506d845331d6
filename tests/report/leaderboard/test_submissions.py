"""Tables, files and heat map of a comparison, with names that try to break them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from hear_fusion.report.drawing import to_svg
from hear_fusion.report.formats import Table, to_markdown
from hear_fusion.report.leaderboard.board import Entry, parse_leaderboard
from hear_fusion.report.leaderboard.heatmap import heat_map
from hear_fusion.report.leaderboard.ranking import Standing, stand
from hear_fusion.report.leaderboard.runs import Runs
from hear_fusion.report.leaderboard.submissions import make_tables, standing_csv, write_comparison
from tests.report.leaderboard.boards import board_text

ODD = "a|b <script>$x_1$ & *c*\n\x1b[31m"
SHOWN = "a|b <script>$x_1$ & *c* [31m"


def shown(table: Table) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(map(str, row)) for row in table.rows)


def strings(record: object) -> Iterator[str]:
    if isinstance(record, str):
        yield record
    elif isinstance(record, list | dict):
        for item in record.values() if isinstance(record, dict) else record:
            yield from strings(item)


@pytest.fixture
def runs() -> list[Runs]:
    return [
        Runs("hf.mine", {"ESC-50": 0.7, "Gunshot": 0.4}, {"gtzan": "other|splits"}, {}),
        Runs("hf.base", {"ESC-50": 0.6}, {}, {"esc50-v2.0.0-full": "made with grid_points 2"}),
    ]


@pytest.fixture
def standing(runs: list[Runs]) -> Standing:
    models = {
        ODD: {"ESC-50": 0.9, "Gunshot": 0.6},
        "=1+1": {"ESC-50": 0.65, "Gunshot": 0.2},
        "none": {"CREMA-D": 0.5},
    }
    board = parse_leaderboard(board_text(models), "here")
    return stand(board.entries, [Entry(run.module, run.scores, is_ours=True) for run in runs])


def test_tables_by_hand(standing: Standing, runs: list[Runs]) -> None:
    overall, by_task, missing, refused, cautions = make_tables(standing, runs, "a file")
    # Normalised, ESC-50: mean 0.775, deviation 0.125; Gunshot: mean 0.4, deviation 0.2.
    assert shown(overall) == (
        (SHOWN, "1", "0.900", "1", "1.000", "2"),
        ("hf.mine (ours)", "2", "0.700", "2", "-0.300", "2"),
        ("=1+1", "3", "0.650", "3", "-1.000", "2"),
        ("hf.base (ours)", "4", "0.600", "3", "-1.000", "1"),
    )
    assert overall.strong == {1, 3}
    assert "beside 3 submissions (a file)" in overall.title
    assert "over the 1 tasks that all of ours have (ESC-50)" in overall.caption
    assert "1 submissions lack one and have none" in overall.caption
    assert by_task.head[3:] == ("hf.mine", "hf.base")
    assert by_task.rows == (
        ("ESC-50", "top1_acc", f"0.900 {SHOWN}", "0.700 (2 of 4)", "0.600 (4 of 4)"),
        ("Gunshot", "top1_acc", f"0.600 {SHOWN}", "0.400 (2 of 3)", "-"),
    )
    assert [row[:2] for row in shown(missing)] == [("hf.mine", "17"), ("hf.base", "18")]
    assert shown(missing)[1][2].startswith("Beehive, Beijing Opera, CREMA-D, DCASE 2016, FSD50K")
    assert refused.rows == (("hf.mine", "gtzan", "other|splits"),)
    assert cautions.rows == (("hf.base", "esc50-v2.0.0-full", "made with grid_points 2"),)


def test_the_mean_decides_the_order_and_ours_are_no_submissions() -> None:
    # Normalised, ESC-50: mean 0.6, deviation 0.24; Gunshot: mean 0.35, deviation 0.04.
    board = {
        "steady": Entry("steady", {"ESC-50": 0.6, "Gunshot": 0.4}),
        "uneven": Entry("uneven", {"ESC-50": 0.9, "Gunshot": 0.3}),
        "low": Entry("low", {"ESC-50": 0.3, "Gunshot": 0.35}),
    }
    mine = Entry("mine", {"ESC-50": 0.95, "Gunshot": 0.5}, is_ours=True)
    overall, by_task, *_ = make_tables(stand([*board.values()], [mine]), [], "a file")
    assert [row[:2] + row[3:4] for row in shown(overall)] == [
        ("mine (ours)", "1", "1"),
        ("uneven", "2", "3"),
        ("steady", "3", "2"),
        ("low", "4", "4"),
    ]
    assert [row[2] for row in by_task.rows] == ["0.900 uneven", "0.400 steady"]


def test_tables_without_rows_are_left_out_and_no_mean_is_explained() -> None:
    ours = [Entry("a", {"ESC-50": 0.5}, is_ours=True), Entry("b", {"Gunshot": 0.5}, is_ours=True)]
    tables = make_tables(stand([Entry("c", {"ESC-50": 0.4})], ours), [], "a file")
    assert [table.head[0] for table in tables] == ["model", "task", "model"]
    assert "Mean: none, since ours have no task in common." in tables[0].caption


def test_csv_reads_back(standing: Standing) -> None:
    rows = list(csv.DictReader(io.StringIO(standing_csv(standing))))
    assert [row["model"] for row in rows] == [SHOWN, "'=1+1", "none", "hf.mine", "hf.base"]
    assert [row["ours"] for row in rows] == ["no", "no", "no", "yes", "yes"]
    mine, none = rows[3], rows[2]
    assert (mine["mean"], mine["mean rank"], mine["tasks"]) == ("0.7", "2", "2")
    assert (mine["Gunshot score"], mine["Gunshot rank"], mine["Gunshot normalised"]) == (
        "0.4",
        "2",
        "0",
    )
    assert float(mine["overall"]) == pytest.approx(-0.3)
    assert (none["mean"], none["overall"], none["ESC-50 score"]) == ("", "", "")


def test_heat_map_shows_scores_and_marks_ours(standing: Standing) -> None:
    svg = to_svg(heat_map(standing))
    assert svg == to_svg(heat_map(standing))
    assert "<script>" not in svg
    texts = {
        "".join(node.itertext()): node.get("style", "")
        for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    }
    assert SHOWN in texts
    assert "none" not in texts
    assert {".900", ".650", ".700", ".600", "-0.30 (2)"} <= set(texts)
    assert "font-weight: 700" in texts["hf.mine"]
    assert "font-weight: 700" in texts[".700"]
    assert "font-weight" not in texts[SHOWN]
    assert "font-weight" not in texts[".900"]
    assert texts["ESC-50"] != texts["CREMA-D"]


def test_heat_map_has_the_best_on_top_and_frames_ours(standing: Standing) -> None:
    axes = heat_map(standing).figure.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[:2] == [SHOWN, "hf.mine"]
    assert set(labels[2:]) == {"=1+1", "hf.base"}
    frames = [patch.get_y() for patch in axes.patches[1:]]  # type: ignore[attr-defined]
    assert frames == [labels.index("hf.mine"), labels.index("hf.base")]
    assert axes.yaxis_inverted()
    colours = np.ma.masked_invalid(axes.collections[0].get_array())  # type: ignore[arg-type]
    np.testing.assert_allclose(colours[0].compressed(), [1, 1], atol=1e-12)


def test_files_are_written_whole(standing: Standing, runs: list[Runs], tmp_path: Path) -> None:
    tables = make_tables(standing, runs, "a file")
    write_comparison(tmp_path / "new" / "out", standing, tables, "head\nrow\n")
    out = tmp_path / "new" / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "comparison.csv",
        "comparison.md",
        "heatmap.png",
        "heatmap.svg",
        "sections",
        "submission.csv",
    ]
    assert (out / "heatmap.png").read_bytes().startswith(b"\x89PNG")
    # Plain text, which the page escapes, and the drawing, in whatever shape the page wants.
    section = out / "sections" / "leaderboard.json"
    texts = list(strings(json.loads(section.read_text(encoding="utf-8"))))
    assert {SHOWN, "hf.mine (ours)", "Among the HEAR submissions"} <= set(texts)
    assert (out / "heatmap.svg").read_text(encoding="utf-8") in texts
    assert (out / "submission.csv").read_text(encoding="utf-8") == "head\nrow\n"
    text = (out / "comparison.md").read_text(encoding="utf-8")
    assert all(to_markdown(table) in text for table in tables)
