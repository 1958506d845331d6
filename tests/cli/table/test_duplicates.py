"""``hear-fusion duplicates``."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hear_fusion.cli import main


def _duplicates(*words: object) -> Result:
    return CliRunner().invoke(main, ["duplicates", *map(str, words)])


def test_a_copy_is_found(folder: Path) -> None:
    result = _duplicates(folder / "a.npz", "--threshold", 0.999, "--out", folder / "out.csv")
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    assert [Path(cell).name for cell in line.split("\t")[1::4]] == ["00.wav", "59.wav"]
    assert "1 pairs of 60 rows at 0.999 or more" in result.stderr
    header = (folder / "out.csv").read_text().splitlines()[0]
    assert header.startswith("cosine,path,start,stop,split,other_path")


@pytest.mark.parametrize(("last", "n"), [("train", 0), ("test", 1), ("", 0)])
def test_only_leaks_are_told(folder: Path, last: str, n: int) -> None:
    rows = ["file,split", "in/00.wav,train", *([f"59.wav,{last}"] if last else [])]
    (folder / "labels.csv").write_text("\n".join(rows))
    words = ("--splits", "split", "--labels", folder / "labels.csv", "--threshold", 0.999)
    result = _duplicates(folder / "a.npz", *words)
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == n
    if n:
        assert result.stdout.split("\t")[4::4] == ["train", "test\n"]


@pytest.mark.parametrize(
    ("sheet", "why"),
    [
        ("file,label\n00.wav,a\n", "must have a column 'split'"),
        ("name,split\n00.wav,a\n", "must have a column 'file'"),
        ("", "must have a column 'file'"),
        ("file,split\n00.wav\n", "labels.csv, line 2, must have 2 cells, got 1"),
        ("file,split\n00.wav,a\n00.wav,b\n", "line 3, must say of 00.wav what it said before, 'a'"),
        ("file,split\nx.wav,a\n", "the sheet must tell of files of the table"),
    ],
)
def test_a_sheet_that_is_wrong_is_told(folder: Path, sheet: str, why: str) -> None:
    (folder / "labels.csv").write_text(sheet)
    words = ("--splits", "split", "--labels", folder / "labels.csv")
    result = _duplicates(folder / "a.npz", *words)
    assert result.exit_code == 1
    assert why in result.output


def test_splits_need_labels(folder: Path) -> None:
    assert _duplicates(folder / "a.npz", "--splits", "split").exit_code == 2
