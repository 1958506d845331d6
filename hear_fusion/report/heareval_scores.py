"""heareval's scores: side by side as text, CSV or JSON; their differences as a section."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hear_fusion.evaluate.difference import Difference
from hear_fusion.evaluate.scores import Score
from hear_fusion.files.atomic import write_whole
from hear_fusion.report.formats import Number, Table, align
from hear_fusion.report.sections import Section


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
    write_whole(path, json.dumps(records, indent=4, allow_nan=False) + "\n")


def write_csv(scores: Sequence[Score], path: Path) -> None:
    """Write scores as CSV, one row a module and task."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(Score.__dataclass_fields__))
    writer.writeheader()
    writer.writerows(asdict(score) for score in scores)
    write_whole(path, text.getvalue())


def heareval_section(differences: Sequence[Difference]) -> Section:
    """Show what a fusion gains over the original embedding by heareval's scores.

    Args:
        differences: One a task, of any of heareval's metrics.
    """
    rows = tuple(
        (
            row.first.task,
            row.first.metric,
            Number(row.first.n, digits=0),
            Number(row.first.value, row.first.low, row.first.high, digits=2),
            Number(row.second.value, row.second.low, row.second.high, digits=2),
            Number(row.value, row.low, row.high, digits=2, signed=True),
        )
        for row in differences
    )
    modules = sorted({row.second.module for row in differences}, key=len)
    table = Table(
        "heareval",
        "Original and fused under heareval's own head",
        "Scores as heareval computes them, between 0 and 1, with 95 % intervals over n test clips "
        "(files where events are scored); differences are paired.",
        ("task", "metric", "n", "original", "fused", "difference"),
        rows,
    )
    words = (
        "heareval's predictor, a small multilayer perceptron, takes features as they are, so that "
        "layers of large variance dominate a fusion; the linear evaluation above standardises "
        f"them. Fused: {', '.join(modules) or 'nothing was scored'}."
    )
    return Section("heareval", "The official HEAR head", (words,), (table,))


def _finite_or_none(item: Any) -> Any:
    return None if isinstance(item, float) and not math.isfinite(item) else item
