"""How the predictions in a task folder were made.

heareval's ``prediction-done.json`` lacks the grid, and its runner skips a finished task whatever
was asked for this time.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hear_fusion.evaluate.layout import PREDICTIONS_DONE_FILE
from hear_fusion.files.atomic import write_whole

_SETTINGS_FILE = "prediction-settings.json"


@dataclass(frozen=True)
class PredictionSettings:
    """heareval's options that change scores."""

    grid_points: int = 8
    grid: str = "default"

    def arguments(self) -> list[str]:
        """Arguments of heareval's predictions runner."""
        return ["--grid-points", str(self.grid_points), "--grid", self.grid]

    def write(self, task_folder: Path) -> None:
        """Keep the settings beside the predictions to be made, whole or not at all."""
        write_whole(task_folder / _SETTINGS_FILE, json.dumps(asdict(self), indent=4) + "\n")


def is_predicted(task_folder: Path, settings: PredictionSettings) -> bool:
    """Tell whether a folder holds finished predictions made with these settings.

    A mark that was cut off while it was written is removed: the task is to be done again.

    Raises:
        ValueError: If they were made with other settings.
    """
    done = task_folder / PREDICTIONS_DONE_FILE
    if not done.exists():
        return False
    try:
        other = other_settings(task_folder, settings)
    except json.JSONDecodeError:
        done.unlink()
        return False
    if other:
        raise ValueError(
            f"predictions in {task_folder} must be made with {asdict(settings)}, got {other}; ask "
            f"for those settings or delete {done} to make them anew"
        )
    return True


def other_settings(task_folder: Path, settings: PredictionSettings) -> dict[str, Any]:
    """Read in which settings finished predictions differ, as far as these were recorded.

    Raises:
        json.JSONDecodeError: If the mark was cut off while it was written.
    """
    found = json.loads((task_folder / PREDICTIONS_DONE_FILE).read_text(encoding="utf-8"))
    own_record = task_folder / _SETTINGS_FILE
    if own_record.exists():
        found |= json.loads(own_record.read_text(encoding="utf-8"))
    wanted = asdict(settings)
    return {key: found[key] for key in wanted if key in found and found[key] != wanted[key]}
