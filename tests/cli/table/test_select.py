"""``hear-fusion select``."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from hear_fusion.cli import main


def _select(*words: object) -> Result:
    return CliRunner().invoke(main, ["select", *map(str, words)])


def test_sounds_unlike_each_other_are_chosen(folder: Path) -> None:
    result = _select(folder / "a.npz", 59, "--out", folder / "next.csv")
    assert result.exit_code == 0, result.output
    names = [Path(line.split("\t")[0]).name for line in result.stdout.splitlines()]
    assert len(set(names)) == 59
    assert {"00.wav", "59.wav"} - set(names)  # of the two that are one
    assert (folder / "next.csv").read_text().splitlines()[0] == "path,start,stop,id"
    assert _select(folder / "a.npz", 5).stdout.splitlines() == result.stdout.splitlines()[:5]


def test_what_is_labelled_is_not_chosen(folder: Path) -> None:
    (folder / "labels.csv").write_text("file\n" + "".join(f"{i:02d}.wav\n" for i in range(55)))
    result = _select(folder / "a.npz", 5, "--labelled", folder / "labels.csv")
    names = [Path(line.split("\t")[0]).name for line in result.stdout.splitlines()]
    assert sorted(names[:4]) == ["55.wav", "56.wav", "57.wav", "58.wav"]


def test_a_number_is_needed(folder: Path) -> None:
    assert _select(folder / "a.npz", 0).exit_code == 2
