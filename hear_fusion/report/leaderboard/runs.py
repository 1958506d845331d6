"""Finished runs of a module on the published HEAR tasks, ready to stand beside the leaderboard."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hear_fusion.errors import InvalidError
from hear_fusion.evaluate.layout import PREDICTIONS_DONE_FILE, SCORES_FILE
from hear_fusion.evaluate.predictions import read_official_score
from hear_fusion.evaluate.settings import PredictionSettings, other_settings
from hear_fusion.report.leaderboard.board import OFFICIAL_TASKS, OfficialTask
from hear_fusion.report.leaderboard.ranking import join
from hear_fusion.tasks.schema import METADATA_FILE, TaskMetadata

_BY_FOLDER = {task.folder: task for task in OFFICIAL_TASKS}


@dataclass(frozen=True)
class Runs:
    """What heareval found out about a module.

    Attributes:
        module: Folder of its embeddings: import name and options.
        scores: heareval's score by column of the leaderboard; over folds the mean.
        refused: By task folder, why its score is not comparable.
        cautions: By task folder that is compared, what limits the comparison.
    """

    module: str
    scores: Mapping[str, float]
    refused: Mapping[str, str]
    cautions: Mapping[str, str]


def read_all_runs(folders: Sequence[Path]) -> list[Runs]:
    """Read the runs of several modules.

    Args:
        folders: ``<embeddings dir>/<module>``, each.

    Raises:
        ValueError: If two have the same name, or one has no comparable run.
    """
    names = [folder.resolve().name for folder in folders]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidError(
            f"module folders must have different names, got {', '.join(twice)} twice; rename one "
            "or compare them one by one"
        )
    return [read_runs(folder) for folder in folders]


def read_runs(folder: Path) -> Runs:
    """Read every task folder of a module that holds, or should hold, official scores.

    Args:
        folder: ``<embeddings dir>/<module>``.

    Raises:
        ValueError: If there is no such folder, or no run in it that can be compared.
    """
    tasks = sorted(path.parent for path in folder.glob(f"[!.]*/{METADATA_FILE}"))
    if not tasks:
        raise InvalidError(
            f"module folder must hold task folders with a {METADATA_FILE}, got none in {folder}; "
            "give EMBEDDINGS/MODULE as 'hear-fusion evaluate' makes it"
        )
    scored, refused, cautions = {}, {}, {}
    for task_folder in tasks:
        name = task_folder.name
        try:
            score = _comparable_score(task_folder)
            other = other_settings(task_folder, PredictionSettings())
        except ValueError as err:
            refused[name] = str(err)
        else:
            scored[name] = score
            if other:
                words = ", ".join(f"{key} {value}" for key, value in other.items())
                cautions[name] = f"made with {words}, not with heareval's defaults"
    scores = join(scored)
    for name in scored:
        if _BY_FOLDER[name].column not in scores:
            refused[name] = f"the column {_BY_FOLDER[name].column} needs both of its folds"
            cautions.pop(name, None)
    if not scores:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
        raise InvalidError(
            f"module folder must hold a finished run on a published HEAR task, got none in "
            f"{folder} ({reasons})"
        )
    return Runs(folder.resolve().name, scores, refused, cautions)


def _comparable_score(task_folder: Path) -> float:
    task = _BY_FOLDER.get(task_folder.name)
    if task is None:
        raise InvalidError(
            "no published HEAR task folder has this name; other versions and splits do not compare"
        )
    _require_finished(task_folder)
    _require_metric(task_folder, task)
    score = read_official_score(task_folder, task.metric)
    if not 0 <= score <= 1:
        raise InvalidError(f"its {task.metric} is {score}, which is no score in [0, 1]")
    return score


def _require_finished(task_folder: Path) -> None:
    for name in (PREDICTIONS_DONE_FILE, SCORES_FILE):
        try:
            record = json.loads((task_folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise InvalidError(
                f"not finished (no whole {name}); run 'hear-fusion evaluate' again to finish it"
            )


def _require_metric(task_folder: Path, task: OfficialTask) -> None:
    evaluation = TaskMetadata.read(task_folder).evaluation
    metric = evaluation[0] if evaluation else "nothing"
    if metric != task.metric:
        raise InvalidError(
            f"scored by {metric}, the leaderboard by {task.metric}; use the published task"
        )
