"""One view of folders and archives."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from hear_fusion.files.archives import members
from tests.datasets.miniature import tar_of, write_files, zip_of

FILES = {"a/x.wav": b"x" * 5000, "a/.hidden": b"h", "__MACOSX/a/x.wav": b"m", "b.txt": b"text"}


def read(source: Path, skip: Path | None = None) -> tuple[dict[str, bytes], dict[str, str]]:
    problems: dict[str, str] = {}
    found = {}
    for member in members(source, skip=skip, on_problem=problems.__setitem__):
        found[member.path] = member.read()
        assert member.size == len(found[member.path])
        assert member.file is None or member.file.read_bytes() == found[member.path]
    return found, problems


def test_a_folder_is_read_without_what_is_hidden(tmp_path: Path) -> None:
    found, problems = read(write_files(tmp_path, FILES))
    assert found == {"a/x.wav": b"x" * 5000, "b.txt": b"text"}
    assert problems == {}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_read_whatever_its_name(tmp_path: Path, mode: str) -> None:
    (tmp_path / "download").write_bytes(tar_of(FILES, "./", mode))
    found, _ = read(tmp_path / "download")
    assert found == {"download/a/x.wav": b"x" * 5000, "download/b.txt": b"text"}


def test_archives_in_a_folder_come_after_its_files(tmp_path: Path) -> None:
    packed = {"a/1.tgz": tar_of(FILES), "0.ZIP": zip_of(FILES), "z.txt": b"z"}
    found, _ = read(write_files(tmp_path, packed))
    assert list(found) == [
        "z.txt",
        "0.ZIP/a/x.wav",
        "0.ZIP/b.txt",
        "a/1.tgz/a/x.wav",
        "a/1.tgz/b.txt",
    ]


def test_pieces_are_read_as_one(tmp_path: Path) -> None:
    whole = zip_of({f"{i}.bin": os.urandom(1000) for i in range(40)})
    for letter, begin in zip("abcd", (0, 7000, 7001, 30000), strict=True):
        end = {0: 7000, 7000: 7001, 7001: 30000, 30000: len(whole)}[begin]
        (tmp_path / f"vox1_dev_wav_parta{letter}").write_bytes(whole[begin:end])
    found, problems = read(tmp_path)
    assert problems == {}
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        expected = {f"vox1_dev_wav.zip/{name}": archive.read(name) for name in archive.namelist()}
    assert found == expected
    (tmp_path / "vox1_dev_wav_partab").unlink()
    assert read(tmp_path) == ({}, {"vox1_dev_wav.zip": "lacks its piece vox1_dev_wav_partab"})


def broken(kind: str) -> bytes:
    if kind == "zip":
        return zip_of(FILES)[:-30]
    if kind == "tar":
        return tar_of(FILES, mode="w")[:3000]
    if kind == "tgz":
        return tar_of({"a.bin": os.urandom(50000), **FILES})[:20000]
    return b"<html>not found</html>" if kind == "html.tgz" else b""


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("zip", "cannot be read to its end: it is cut short, "),
        ("tar", "cannot be read to its end: it is cut short in or after file 1; download it"),
        ("tgz", "cannot be read to its end: it is cut short in or after file 1; download it"),
        ("html.tgz", "is a web page, not an archive; download it again"),
        ("empty.zip", "is empty (0 bytes), not an archive; download it again"),
    ],
)
def test_a_broken_archive_is_named_and_the_others_are_read(
    tmp_path: Path, kind: str, reason: str
) -> None:
    name = f"broken.{kind}"
    write_files(tmp_path, {name: broken(kind), "whole.tgz": tar_of(FILES)})
    problems: dict[str, str] = {}
    found = []
    for member in members(tmp_path, on_problem=problems.__setitem__):
        try:
            member.read()
        except (OSError, EOFError, tarfile.TarError):
            continue
        found.append(member.path)
    assert set(problems) == {name}
    assert problems[name].startswith(reason)
    assert found[-2:] == ["whole.tgz/a/x.wav", "whole.tgz/b.txt"]


def test_links_in_a_folder_are_followed_once(tmp_path: Path) -> None:
    write_files(tmp_path / "elsewhere", {"x.wav": b"x"})
    source = write_files(tmp_path / "source", {"b.txt": b"b"})
    (source / "audio").symlink_to(tmp_path / "elsewhere")
    (source / "loop").symlink_to(source)
    (source / "lost.wav").symlink_to(tmp_path / "nowhere")
    found, problems = read(source)
    assert found == {"b.txt": b"b", "audio/x.wav": b"x"}
    assert problems == {"lost.wav": "is no file, or a link to nothing"}


def test_one_folder_can_be_left_out(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.txt": b"a", "tasks/b.txt": b"b"})
    assert read(tmp_path, skip=tmp_path / "tasks" / ".." / "tasks")[0] == {"a.txt": b"a"}
