"""``hear-fusion compare`` from folders and a file to tables and a row to submit."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from hear_fusion.cli import main
from hear_fusion.report.leaderboard.board import load_leaderboard
from tests.report.leaderboard.boards import FOLDERS, board_text, write_run


@pytest.fixture
def board(tmp_path: Path) -> Path:
    path = tmp_path / "board.csv"
    path.write_text(board_text({"One": {"ESC-50": 0.9}, "Two": {"ESC-50": 0.5}}))
    return path


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    write_run(tmp_path / "E" / "hf.a" / FOLDERS["ESC-50"], 0.7, folds=True)
    write_run(tmp_path / "E" / "hf.b" / FOLDERS["ESC-50"], 0.6, folds=True)
    write_run(tmp_path / "E" / "hf.b" / FOLDERS["Gunshot"], 0.6, done=False)
    return [str(tmp_path / "E" / name) for name in ("hf.a", "hf.b")]


def run(*arguments: str) -> tuple[int, str]:
    shown = CliRunner().invoke(main, ["compare", *arguments])
    return shown.exit_code, shown.output


def test_tables_are_printed_and_files_written(
    board: Path, folders: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code, shown = run(
        *folders,
        *("--leaderboard", str(board), "--out", str(out)),
        *("--name", "Fusion, A", "--name", "Base", "--url", "https://example.org/x"),
    )
    assert code == 0, shown
    assert "| **hf.a (ours)** | **2** | **0.700** |" in shown
    assert f"| hf.b  | {FOLDERS['Gunshot']} | not finished (no whole prediction-done.json)" in shown
    assert "0.600 (3 of 4)" in shown
    submitted = load_leaderboard(str(out / "submission.csv")).entries
    assert [(entry.model, entry.scores) for entry in submitted] == [
        ("Fusion, A", {"ESC-50": 0.7}),
        ("Base", {"ESC-50": 0.6}),
    ]
    assert "https://example.org/x" in (out / "submission.csv").read_text()


def test_the_name_to_submit_is_the_folder_unless_given(
    board: Path, folders: list[str], tmp_path: Path
) -> None:
    run(folders[0], "--leaderboard", str(board), "--out", str(tmp_path / "out"))
    (entry,) = load_leaderboard(str(tmp_path / "out" / "submission.csv")).entries
    assert entry.model == "hf.a"
    code, shown = run(*folders, "--leaderboard", str(board), "--name", "one for two")
    assert code == 1
    assert "--name must be given once for each of 2 FOLDERs, got 1" in shown


def test_errors_are_told_without_a_traceback(
    board: Path, folders: list[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.csv"
    page.write_text("<html></html>")
    code, shown = run(*folders, "--leaderboard", str(page))
    assert (code, shown.startswith("Error: leaderboard must be the CSV file")) == (1, True)
    code, shown = run(str(tmp_path / "E"), "--leaderboard", str(board))
    assert (code, shown.startswith("Error: module folder must hold task folders")) == (1, True)
    (tmp_path / "taken").write_text("")
    code, shown = run(*folders, "--leaderboard", str(board), "--out", str(tmp_path / "taken"))
    assert code == 2
