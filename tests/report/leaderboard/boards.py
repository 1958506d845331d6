"""Small leaderboards of invented models, and finished runs as heareval leaves them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

from hear_fusion.files.records import write_record
from hear_fusion.report.leaderboard.board import COLUMNS, DATE, MODEL, OFFICIAL_TASKS, URL
from hear_fusion.tasks.schema import TaskMetadata

FOLDERS = {task.column: task.folder for task in OFFICIAL_TASKS}
METRICS = {task.folder: task.metric for task in OFFICIAL_TASKS}


def board_text(models: Mapping[str, Mapping[str, float | str]]) -> str:
    """The text of a leaderboard file; scores by model and column."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [MODEL, URL, DATE, *COLUMNS], restval="")
    writer.writeheader()
    for model, scores in models.items():
        writer.writerow({MODEL: model, URL: "https://example.org", DATE: "2021", **scores})
    return text.getvalue()


def write_run(
    task_folder: Path,
    score: float,
    *,
    folds: bool = False,
    metric: str | None = None,
    done: bool = True,
    settings: Mapping[str, object] | None = None,
) -> Path:
    """Write what compare reads of a finished task."""
    metric = metric or METRICS.get(task_folder.name, "top1_acc")
    task_folder.mkdir(parents=True)
    task = TaskMetadata(
        "t", "v1", "full", "scene", "multiclass", ("test",), None, (metric, "d_prime")
    )
    (task_folder / "task_metadata.json").write_text(json.dumps(task.as_json()))
    found: dict[str, Mapping[str, float]] = {"test": {f"test_{metric}": score}}
    if folds:
        # The mean is heareval's; single folds must not be taken for it.
        found = {
            "fold00": {f"test_{metric}": 0.0},
            "fold01": {f"test_{metric}": 0.01},
            "aggregated_scores": {f"test_{metric}_mean": score, f"test_{metric}_std": 0.3},
        }
    (task_folder / "test.predicted-scores.json").write_text(json.dumps(found))
    if done:
        (task_folder / "prediction-done.json").write_text("{}")
    if settings is not None:
        write_record(task_folder / "prediction-settings.json", settings)
    return task_folder
