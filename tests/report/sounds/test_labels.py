"""Sheets of labels, and the sounds that they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from hear_fusion.errors import InvalidError
from hear_fusion.report.sounds.labels import read_labels

PATHS = ["/data/a/dog.wav", "/data/b/cat.wav"]


def sheet(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "file,label\ndog.wav,bark\ncat.wav,mew\n",
        "label;file\nbark;a/dog.wav\nmew;b\\cat.wav\n",
        "file\tlabel\n/data/a/dog.wav\tbark\ncat.wav\tmew\n",
        '\ufefffile,label\n"dog.wav", bark \n\ncat.wav,mew',
        "file,label\ndog.wav,purr\na/dog.wav,bark\ncat.wav,mew\nbig/b/cat.wav,purr\n",
    ],
    ids=["names", "semicolons", "tabs", "excel", "longest name counts"],
)
def test_a_name_is_that_of_a_path_that_ends_so(tmp_path: Path, text: str) -> None:
    assert read_labels(sheet(tmp_path, text), PATHS).names == ("bark", "mew")


def test_segments_of_a_file_share_its_label_and_what_is_left_is_counted(tmp_path: Path) -> None:
    labels = read_labels(sheet(tmp_path, "file,label\ndog.wav,bark\nx.wav,y\n"), [*PATHS, PATHS[0]])
    assert labels.names == ("bark", "", "bark")
    assert (labels.n_missing, labels.n_unused) == (1, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\ndog.wav,x\n", r"must have a column 'file', got 'name, label'.*--file-column"),
        ("file,class\ndog.wav,x\n", r"must have a column 'label'.*--label-column"),
        ("", r"must have a column 'file'"),
        ("file,label\ndog.wav,x\ndog.wav,y\n", r"line 3, must give 'dog.wav' the label .* 'x', got 'y'"),
        ("file,label\ndog.wav\n", r"line 2, must have 2 cells"),
        ("file,label\ncow.wav,moo\n", r"must name sounds of the table such as /data/a/dog.wav, got 'cow.wav'"),
        ("file,label\n", r"must name sounds of the table"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_sheet_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidError, match=message):
        read_labels(sheet(tmp_path, text), PATHS)


def test_one_name_for_sounds_in_two_folders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match=r"must tell /a/dog\.wav from /b/dog\.wav"):
        read_labels(sheet(tmp_path, "file,label\ndog.wav,x\n"), ["/a/dog.wav", "/b/dog.wav"])
