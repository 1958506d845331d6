"""A folder in which every verb has done its work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from hear_fusion.cli import main
from hear_fusion.report.formats import Number, Table
from hear_fusion.report.sections import Section, write_section
from tests.report.leaderboard.boards import board_text, write_run
from tests.tasks.hear_tasks import write_event_task, write_scene_task

STUDY = "backbone: cnn14\nlayers: [2, 5]\nlearning_rates: [1e-2]\nseeds: [1]\nmax_epochs: 2\n"
SHARED = ["--tasks-dir", "tasks", "--weights", "cnn14.pth", "--store", "store"]
VERBS = {
    "embed": ["embed", "--backbone", "cnn14", *SHARED, "--modules", "cnn14_3_6", "cnn14_3_80ms"],
    "study": ["study", "study.yaml", *SHARED],
    "report": ["report", "results", "--out", "page/report.html"],
    "compare": ["compare", "submitted", "--leaderboard", "board.csv"],
}
KEPT = ("results", "store", "embeddings", "submitted")
GIVEN = ("tasks", "cnn14.pth", "study.yaml", "board.csv")


def do_all(folder: Path, weights: Path) -> None:
    """Run all verbs on a small task of scenes and one of events."""
    write_scene_task(folder / "tasks" / "scene", n_clips=4)
    write_event_task(folder / "tasks" / "event", n_clips=1)
    shutil.copy(weights, folder / "cnn14.pth")
    (folder / "study.yaml").write_text(STUDY)
    table = Table("t", "T", "", ("a", "b"), (("x", Number(1.0)),))
    write_section(Section("extra", "Extra", tables=(table,)), folder / "results")
    for name in ("esc50-v2.0.0-full", "tfds_gtzan-1.0.0-full"):
        write_run(folder / "submitted" / name, 0.5, settings={"grid_points": 8, "grid": "default"})
    (folder / "board.csv").write_text(board_text({"One": {"ESC-50": 0.4}}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for verb in VERBS.values():
            shown = CliRunner().invoke(main, verb)
            assert shown.exit_code == 0, shown.output
