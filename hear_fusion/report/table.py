"""Scores of several modules side by side: as text, CSV or JSON."""

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hear_fusion.evaluate.scores import Score


def format_table(scores: Sequence[Score]) -> str:
    """Make an aligned Markdown table: one row a task, one column a module.

    Cells read ``value [low, high]``, a dash where a module has no score.

    >>> print(format_table([Score("m", "esc50", "top1_acc", 0.935, 0.91, 0.957, 400, "clips")]))
    | task  | metric   |   n | m                    |
    | ----- | -------- | --- | -------------------- |
    | esc50 | top1_acc | 400 | 0.935 [0.910, 0.957] |
    """
    modules = list(dict.fromkeys(score.module for score in scores))
    rows = [["task", "metric", "n", *modules]]
    for task, metric, n in sorted({(score.task, score.metric, score.n) for score in scores}):
        row_scores = {
            score.module: score
            for score in scores
            if (score.task, score.metric, score.n) == (task, metric, n)
        }
        lower = any(score.lower_is_better for score in row_scores.values())
        cells = [format_cell(row_scores[name]) if name in row_scores else "-" for name in modules]
        rows.append([task, metric + (" (lower is better)" if lower else ""), str(n), *cells])
    return "\n".join(align(rows, right={2}))


def format_cell(score: Score) -> str:
    """Format one score with its interval."""
    if math.isnan(score.low):
        return f"{score.value:.3f}"
    return f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"


def write_json(scores: Sequence[Score], path: Path) -> None:
    """Write scores as a JSON list of objects; what is not a number becomes null."""
    records = [{key: _finite_or_none(item) for key, item in asdict(s).items()} for s in scores]
    path.write_text(json.dumps(records, indent=4, allow_nan=False) + "\n", encoding="utf-8")


def write_csv(scores: Sequence[Score], path: Path) -> None:
    """Write scores as CSV, one row a module and task."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(Score.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(asdict(score) for score in scores)


def _finite_or_none(item: Any) -> Any:
    return None if isinstance(item, float) and not math.isfinite(item) else item


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
