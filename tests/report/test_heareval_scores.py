"""heareval's scores line up, and files hold all of them."""

import csv
import json
import math
from pathlib import Path

from hear_fusion.evaluate.scores import Score
from hear_fusion.report.heareval_scores import format_table, write_csv, write_json

ONE = Score("m1", "esc50", "top1_acc", 0.935, 0.91, 0.957, 400, "clips")
TWO = Score("m2", "esc50", "top1_acc", 0.5, math.nan, math.nan, 400, "clips")
EVENTS = Score("m2", "maestro", "segment_1s_er", 0.25, 0.2, 0.3, 30, "files")


def test_table_lines_up() -> None:
    columns = [
        ["task   ", "-------", "esc50  ", "maestro"],
        ["metric" + 25 * " ", 31 * "-", "top1_acc" + 23 * " ", "segment_1s_er (lower is better)"],
        ["  n", "---", "400", " 30"],
        ["m1" + 18 * " ", 20 * "-", "0.935 [0.910, 0.957]", "-" + 19 * " "],
        ["m2" + 18 * " ", 20 * "-", "0.500" + 15 * " ", "0.250 [0.200, 0.300]"],
    ]
    rows = [f"| {' | '.join(row)} |" for row in zip(*columns, strict=True)]
    assert format_table([ONE, EVENTS, TWO]).splitlines() == rows


def test_files_hold_all_scores(tmp_path: Path) -> None:
    write_json([ONE, TWO], tmp_path / "scores.json")
    records = json.loads((tmp_path / "scores.json").read_text())
    assert records[0]["value"] == 0.935
    assert records[1]["low"] is None
    write_csv([ONE, TWO], tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["module"] for row in rows] == ["m1", "m2"]
    assert rows[0]["high"] == "0.957"
