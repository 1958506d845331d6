"""Runs of a module: what joins the leaderboard, what does not and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hear_fusion.report.leaderboard.runs import read_all_runs, read_runs
from tests.files.damaged import changed
from tests.report.leaderboard.boards import FOLDERS, write_run


@pytest.fixture
def module(tmp_path: Path) -> Path:
    write_run(tmp_path / "my.module" / FOLDERS["FSD50K"], 0.4)
    return tmp_path / "my.module"


def test_means_over_folds_are_read(module: Path) -> None:
    write_run(module / FOLDERS["ESC-50"], 0.875, folds=True)
    for fold, score in ((0, 0.5), (1, 0.7)):
        write_run(module / f"beehive_states_fold{fold}-v2-full", score)
    runs = read_runs(module)
    assert runs.module == "my.module"
    assert runs.scores == {"Beehive": pytest.approx(0.6), "ESC-50": 0.875, "FSD50K": 0.4}
    assert (runs.refused, runs.cautions) == ({}, {})


def test_other_tasks_do_not_join(module: Path) -> None:
    for name in ("gtzan-v1-full", "esc50-v2.0.0-5h", "crema_d"):
        write_run(module / name, 0.9)
    (module / "notes").mkdir()
    runs = read_runs(module)
    assert runs.scores == {"FSD50K": 0.4}
    assert set(runs.refused) == {"gtzan-v1-full", "esc50-v2.0.0-5h", "crema_d"}
    assert "no published HEAR task folder has this name" in runs.refused["crema_d"]


def test_half_of_beehive_does_not_join(module: Path) -> None:
    name = "beehive_states_fold1-v2-full"
    write_run(module / name, 0.7, settings={"grid_points": 2})
    runs = read_runs(module)
    assert runs.scores == {"FSD50K": 0.4}
    assert runs.refused == {name: "the column Beehive needs both of its folds"}
    assert runs.cautions == {}


def test_a_score_of_another_metric_does_not_join(module: Path) -> None:
    write_run(module / FOLDERS["Vocal Imitation"], 0.9, metric="top1_acc")
    reason = read_runs(module).refused[FOLDERS["Vocal Imitation"]]
    assert reason == "scored by top1_acc, the leaderboard by mAP; use the published task"


@pytest.mark.parametrize("broken", ["prediction-done.json", "test.predicted-scores.json"])
@pytest.mark.parametrize("content", [None, '{"test": ', "[]"])
def test_unfinished_runs_are_refused_with_the_next_step(
    module: Path, broken: str, content: str | None
) -> None:
    task = write_run(module / FOLDERS["ESC-50"], 0.9)
    (task / broken).unlink()
    if content is not None:
        (task / broken).write_text(content)
    runs = read_runs(module)
    assert runs.scores == {"FSD50K": 0.4}
    assert runs.refused[task.name] == (
        f"not finished (no whole {broken}); run 'hear-fusion evaluate' again to finish it"
    )
    assert (task / broken).exists() == (content is not None)


def test_settings_that_are_lost_are_refused(module: Path) -> None:
    task = write_run(module / FOLDERS["ESC-50"], 0.9, settings={"grid_points": 8})
    changed(format=...)(task / "prediction-settings.json")
    runs = read_runs(module)
    assert runs.scores == {"FSD50K": 0.4}
    assert "no whole prediction-settings.json" in runs.refused[task.name]


@pytest.mark.parametrize("score", [float("nan"), 1.5, -0.2])
def test_what_is_no_score_does_not_join(module: Path, score: float) -> None:
    write_run(module / FOLDERS["ESC-50"], score)
    assert "no score in [0, 1]" in read_runs(module).refused[FOLDERS["ESC-50"]]


def test_a_score_file_without_the_metric_does_not_join(module: Path) -> None:
    task = write_run(module / FOLDERS["ESC-50"], 0.9)
    (task / "test.predicted-scores.json").write_text(json.dumps({"test": {"test_mAP": 0.9}}))
    assert "must hold test_top1_acc" in read_runs(module).refused[task.name]


def test_other_settings_than_the_defaults_are_a_caution(module: Path) -> None:
    default = {"grid_points": 8, "grid": "default"}
    write_run(module / FOLDERS["ESC-50"], 0.9, settings=default)
    write_run(module / FOLDERS["Gunshot"], 0.9, settings=default | {"grid_points": 2})
    runs = read_runs(module)
    assert runs.scores["Gunshot"] == 0.9
    assert runs.cautions == {
        FOLDERS["Gunshot"]: "made with grid_points 2, not with heareval's defaults"
    }


def test_folders_without_a_run_are_errors(module: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give EMBEDDINGS/MODULE as 'hear-fusion evaluate' makes"):
        read_runs(tmp_path)
    write_run(tmp_path / "other" / FOLDERS["ESC-50"], 0.9, done=False)
    with pytest.raises(ValueError, match=r"got none in .*run 'hear-fusion evaluate' again"):
        read_runs(tmp_path / "other")


def test_two_modules_of_one_name_are_an_error(module: Path, tmp_path: Path) -> None:
    write_run(tmp_path / "E" / "my.module" / FOLDERS["ESC-50"], 0.9)
    with pytest.raises(ValueError, match=r"different names, got my\.module twice"):
        read_all_runs([module, tmp_path / "E" / "my.module"])
