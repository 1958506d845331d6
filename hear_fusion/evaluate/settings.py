"""How the predictions in a task folder were made.

heareval's ``prediction-done.json`` lacks the grid, and its runner skips a finished task whatever
was asked for this time.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hear_fusion.errors import InvalidError
from hear_fusion.evaluate.layout import PREDICTIONS_DONE_FILE, SCORES_FILE, SETTINGS_FILE
from hear_fusion.files.records import read_record, write_record


@dataclass(frozen=True)
class PredictionSettings:
    """heareval's options that change scores."""

    grid_points: int = 8
    grid: str = "default"

    def arguments(self) -> list[str]:
        """Make the arguments of heareval's predictions runner."""
        return ["--grid-points", str(self.grid_points), "--grid", self.grid]

    def write(self, task_folder: Path) -> None:
        """Keep the settings beside the predictions to be made, whole or not at all."""
        write_record(task_folder / SETTINGS_FILE, asdict(self))


def is_predicted(task_folder: Path, settings: PredictionSettings) -> bool:
    """Tell whether a folder holds finished predictions made with these settings.

    Where mark, settings or scores are damaged, or from before, the mark is removed: the task is to
    be done again.

    Raises:
        ValueError: If they were made with other settings.
        NewerFormatError: If the settings are a newer version's.
    """
    done = task_folder / PREDICTIONS_DONE_FILE
    if not done.exists():
        return False
    recorded, scores = _recorded(task_folder), task_folder / SCORES_FILE
    if recorded is None or (scores.exists() and _read_object(scores) is None):
        done.unlink()
        return False
    other = _differing(recorded, settings)
    if other:
        raise InvalidError(
            f"predictions in {task_folder} must be made with {asdict(settings)}, got {other}; ask "
            f"for those settings or delete {done} to make them anew"
        )
    return True


def other_settings(task_folder: Path, settings: PredictionSettings) -> dict[str, Any]:
    """Read in which settings finished predictions differ, as far as these were recorded.

    Raises:
        ValueError: If what was recorded is damaged, from before, or a newer version's.
    """
    recorded = _recorded(task_folder)
    if recorded is None:
        raise InvalidError(
            f"not finished (no whole {SETTINGS_FILE}); run 'hear-fusion evaluate' again to finish "
            "it"
        )
    return _differing(recorded, settings)


def _recorded(task_folder: Path) -> dict[str, Any] | None:
    """Join heareval's mark and our record, if there is one; None where one is not whole."""
    mark = _read_object(task_folder / PREDICTIONS_DONE_FILE)
    own_file = task_folder / SETTINGS_FILE
    own = read_record(own_file) if own_file.exists() else {}
    return None if mark is None or own is None else mark | own


def _read_object(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _differing(recorded: dict[str, Any], settings: PredictionSettings) -> dict[str, Any]:
    wanted = asdict(settings)
    return {
        key: recorded[key] for key in wanted if key in recorded and recorded[key] != wanted[key]
    }
