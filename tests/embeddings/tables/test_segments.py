"""Lists of segments: people's tables, Raven's selections, Audacity's labels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hear_fusion.embeddings.tables.segments import Segment, read_segments

RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)"


def _write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "list.txt"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_table_is_read_by_its_header(tmp_path: Path, delimiter: str, encoding: str) -> None:
    rows = ["ID,Path,stop,start,note", 'a,é.wav,2.5,1,"x\ny"', "", "b,c.wav,,,"]
    path = _write(tmp_path, "\r\n".join(rows).replace(",", delimiter), encoding)
    assert read_segments(path) == [
        Segment("é.wav", 1.0, 2.5, "a"),
        Segment("c.wav", None, None, "b"),
    ]


def test_one_column_is_a_table_and_its_files_may_stand_beside_it(tmp_path: Path) -> None:
    (tmp_path / "here.wav").touch()
    path = _write(tmp_path, "file\nhere.wav\nelsewhere.wav\n")
    assert read_segments(path) == [Segment(str(tmp_path / "here.wav")), Segment("elsewhere.wav")]


def test_of_two_views_of_a_selection_one_is_kept(tmp_path: Path) -> None:
    rows = [RAVEN, "1\tWaveform 1\t1\t0.5\t1.5", "1\tSpectrogram 1\t1\t0.5\t1.5"]
    rows.append("2\tSpectrogram 1\t1\t0.5\t1.5")
    assert read_segments(_write(tmp_path, "\n".join(rows)), "a.wav") == [
        Segment("a.wav", 0.5, 1.5, "1"),
        Segment("a.wav", 0.5, 1.5, "2"),
    ]


def test_selections_of_several_files_count_from_their_own(tmp_path: Path) -> None:
    header = f"{RAVEN}\tBegin File\tFile Offset (s)"
    path = _write(tmp_path, f"{header}\n1\tSpectrogram 1\t1\t70\t72.5\tb.wav\t10\n")
    assert read_segments(path, "a.wav") == [Segment("b.wav", 10.0, 12.5, "1")]


def test_labels_are_read_without_their_frequencies(tmp_path: Path) -> None:
    path = _write(tmp_path, '0.5\t1.5\t"ka\n\\\t100.0\t2000.0\n2\t3\n')
    assert read_segments(path, "a.wav") == [
        Segment("a.wav", 0.5, 1.5, '"ka'),
        Segment("a.wav", 2.0, 3.0),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a CSV or TSV with a column path, a Raven selection table, or an Audacity label track (start, stop, label), got a first line ''; give it a header"),
        ("name,start\na,1\n", "got a first line 'name,start'; give it a header"),
        ("path,start\na.wav,1\n\nb.wav,x\n", "line 4, must have times in s of at least 0, got 'x'; correct it"),
        ("path,start\na.wav,nan\n", "line 2, must have times in s of at least 0, got 'nan'; correct it"),
        ("path;start\na.wav;1,5\n", "line 2, must have times with a decimal point, got '1,5'; replace the commas"),
        ("path,id\na,b.wav,1\n", "line 2, must have 2 cells as the header, got 3; put names with ',' in quotes"),
        ("path,stop\n,1\n", "line 2, must name a sound file, got none; say which recording the list is about, or add a column path"),
        ("path,stop\na.wav,0\n", "line 2, must stop after its start, got 0 s to 0 s; make a region of a point"),
        ("0,5\t1,5\ta\n", "line 1, must name a sound file, got none; say which recording the list is about, or add a column path"),
        (f"{RAVEN}\n1\t\t1\t0,5\t1\n", "line 2, must name a sound file, got none; say which recording the list is about, or add a column path"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}.*{re.escape(message)}$"):
        read_segments(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\t1\tclick\n", "line 1, must stop after its start, got 1 s to 1 s; make a region of a point"),
        ("0\t1\n0,5\t1,5\ta\n", "line 2, must have times with a decimal point, got '0,5'; replace the commas"),
        ("0,5\t1,5\ta\n", "line 1, must have times with a decimal point, got '0,5'; replace the commas"),
        (f"{RAVEN}\n1\t\t1\t0,5\t1\n", "line 2, must have times with a decimal point, got '0,5'; replace the commas"),
    ],
)  # fmt: skip
def test_times_of_other_programs_are_checked(tmp_path: Path, text: str, message: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(ValueError, match=re.escape(f"{path}, {message}")):
        read_segments(path, "a.wav")


def test_another_encoding_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be text in UTF-8"):
        read_segments(_write(tmp_path, "path\né.wav\n", "latin-1"))
