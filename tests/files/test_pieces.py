"""Files in pieces."""

from __future__ import annotations

import re
import struct
from itertools import pairwise
from pathlib import Path

import pytest

from hear_fusion.files.archives import members
from tests.datasets.miniature import tar_of, write_files, zip_of

CONTENT = {f"{i}.bin": bytes([i]) * 3000 + str(i).encode() for i in range(20)}
ZIP, TGZ = zip_of(CONTENT), tar_of(CONTENT)


def read(source: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    problems: dict[str, str] = {}
    found = {}
    for member in members(source, on_problem=problems.__setitem__):
        found[member.path] = member.read()
    return found, problems


def cut(whole: bytes, names: list[str]) -> dict[str, bytes]:
    """Cut a file in as many pieces of one size, and a shorter last one."""
    size = -(-len(whole) // len(names))
    return {name: whole[i * size : (i + 1) * size] for i, name in enumerate(names)}


def disks(names: list[str]) -> dict[str, bytes]:
    """Cut a zip file as zip programs do: places count from the start of each disk."""
    pieces = cut(b"PK\x07\x08" + ZIP, names)
    starts = [0]
    for piece in pieces.values():
        starts.append(starts[-1] + len(piece))
    whole = bytearray(b"PK\x07\x08" + ZIP)

    def place(offset: int) -> tuple[int, int]:
        at = offset + 4
        disk = max(i for i, start in enumerate(starts[:-1]) if start <= at)
        return disk, at - starts[disk]

    for found in re.finditer(b"PK\x01\x02", bytes(whole)):
        (offset,) = struct.unpack_from("<I", whole, found.start() + 42)
        disk, within = place(offset)
        struct.pack_into("<H", whole, found.start() + 34, disk)
        struct.pack_into("<I", whole, found.start() + 42, within)
    end = whole.rfind(b"PK\x05\x06")
    disk, within = place(struct.unpack_from("<I", whole, end + 16)[0])
    struct.pack_into("<2H", whole, end + 4, len(names) - 1, disk)
    struct.pack_into("<I", whole, end + 16, within)
    return {
        name: bytes(whole[a:b])
        for name, (a, b) in zip(names, pairwise(starts), strict=True)
    }  # fmt: skip


FORMS = {
    "vox1_dev_wav.zip": [f"vox1_dev_wav_parta{letter}" for letter in "abcd"],
    "a/b.zip": [f"a/b.zip.00{i}" for i in (1, 2, 3)],
    "c.zip": ["c.zip.00", "c.zip.01", "c.zip.02"],
    "d.tar.gz": ["d.tar.gz.aa", "d.tar.gz.ab", "d.tar.gz.ac"],
    "e.tgz": ["e.tgz.part1", "e.tgz.part2", "e.tgz.part3"],
    "f.tar.gz": [f"f.tar.gz.part-{i:02d}" for i in range(12)],
    "g.tar.gz": ["g.tar.gzaa", "g.tar.gzab"],
    "h.ZIP": ["h.ZIP.001", "h.ZIP.002"],
    "i.zip": ["i.part1", "i.part2"],
    "j.zip": [f"j.zip.part{i}" for i in range(1, 12)],
}


def packed(path: str, names: list[str]) -> dict[str, bytes]:
    return cut(ZIP if path.lower().endswith("zip") else TGZ, names)


@pytest.mark.parametrize("path", FORMS)
def test_all_pieces_are_read_as_one(tmp_path: Path, path: str) -> None:
    write_files(tmp_path, packed(path, FORMS[path]))
    found, problems = read(tmp_path)
    assert problems == {}
    assert found == {f"{path}/{name}": content for name, content in CONTENT.items()}
    # Any one of them stands for all.
    alone, problems = read(tmp_path / FORMS[path][-1])
    assert problems == {}
    assert list(alone.values()) == list(CONTENT.values())


@pytest.mark.parametrize("path", FORMS)
def test_a_gap_is_named(tmp_path: Path, path: str) -> None:
    pieces = packed(path, FORMS[path])
    if len(pieces) > 2:
        del pieces[FORMS[path][1]]
        write_files(tmp_path, pieces)
        lost = Path(FORMS[path][1]).name
        assert read(tmp_path) == ({}, {path: f"lacks its piece {lost}"})


@pytest.mark.parametrize("path", FORMS)
def test_a_last_piece_that_is_missing_is_suspected(tmp_path: Path, path: str) -> None:
    pieces = packed(path, FORMS[path])
    pieces.popitem()
    write_files(tmp_path, pieces)
    _, problems = read_members_alone(tmp_path)
    last = Path(FORMS[path][-2]).name
    assert set(problems) == {path}
    assert "cannot be read to its end: it is cut short" in problems[path]
    assert problems[path].endswith(f"; a piece after {last} may be missing")


def read_members_alone(source: Path) -> tuple[list[str], dict[str, str]]:
    problems: dict[str, str] = {}
    return [m.path for m in members(source, on_problem=problems.__setitem__)], problems


@pytest.mark.parametrize(
    ("names", "lost"),
    [
        (["a.zip.002", "a.zip.003"], "a.zip.001"),
        (["a_partab"], "a_partaa"),
        (["a.tar.gz.ac"], "a.tar.gz.aa"),
        (["a.zip.part3"], "a.zip.part1"),
    ],
)
def test_a_first_piece_that_is_missing_is_named(
    tmp_path: Path, names: list[str], lost: str
) -> None:
    write_files(tmp_path, dict.fromkeys(names, b"middle"))
    (reason,) = read(tmp_path)[1].values()
    assert reason == f"lacks its piece {lost}"


def test_a_zip_file_without_its_start_is_named(tmp_path: Path) -> None:
    pieces = cut(ZIP, ["a.zip.00", "a.zip.01", "a.zip.02"])
    lost = len(pieces.pop("a.zip.00"))
    write_files(tmp_path, pieces)
    found, problems = read_members_alone(tmp_path)
    assert found == []
    assert f"{lost} bytes or more before its end are not there" in problems["a.zip"]


def test_a_tar_file_without_its_start_is_suspected(tmp_path: Path) -> None:
    pieces = cut(TGZ, ["a.tgz.00", "a.tgz.01", "a.tgz.02"])
    del pieces["a.tgz.00"]
    write_files(tmp_path, pieces)
    assert read(tmp_path)[1]["a.tgz"].endswith("; a piece before a.tgz.01 may be missing")


def test_a_piece_that_is_cut_is_named(tmp_path: Path) -> None:
    pieces = cut(TGZ, ["a.tgz.aa", "a.tgz.ab", "a.tgz.ac"])
    pieces["a.tgz.ab"] = pieces["a.tgz.ab"][:-20]
    write_files(tmp_path, pieces)
    (reason,) = read_members_alone(tmp_path)[1].values()
    assert reason.endswith("; its piece a.tgz.ab is shorter than the first one")


@pytest.mark.parametrize(
    "name", ["README.part1", "x_partof", "x.tar.gz.md", "spartan", "a.zip.sha256", "b.zip.md5"]
)
def test_what_only_looks_like_a_piece_is_a_file(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {name: b"text"})
    assert read(tmp_path) == ({name: b"text"}, {})


def test_pieces_beside_their_whole_are_not_read_twice(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.zip": ZIP, **cut(ZIP, ["a_partaa", "a_partab"])})
    found, problems = read_members_alone(tmp_path)
    assert sorted(found) == sorted(["a_partaa", "a_partab", *(f"a.zip/{n}" for n in CONTENT)])
    assert problems == {}
    (tmp_path / "a.zip").write_bytes(ZIP[:-100])
    found, problems = read_members_alone(tmp_path)
    assert sorted(found) == sorted(f"a.zip/{n}" for n in CONTENT)
    assert list(problems) == ["a.zip"], "a whole that was joined by half"


DISKS = ["a.z01", "a.z02", "a.z03", "a.zip"]


@pytest.mark.parametrize("source", ["", "a.zip", "a.z02"])
def test_disks_of_a_zip_file_are_read_as_one(tmp_path: Path, source: str) -> None:
    write_files(tmp_path, disks(DISKS))
    found, problems = read(tmp_path / source)
    assert problems == {}
    assert found == {f"a.zip/{name}": content for name, content in CONTENT.items()}


@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        (["a.zip"], "lacks its piece a.zip"),
        (["a.z01"], "lacks its piece a.z01"),
        (["a.z02"], "lacks its piece a.z02"),
        (["a.z03"], "lacks its piece a.z03, out of 4"),
        (DISKS[:3], "lacks its piece a.z01, out of 4"),
    ],
)
def test_a_disk_that_is_missing_is_named(tmp_path: Path, gone: list[str], reason: str) -> None:
    write_files(tmp_path, {n: piece for n, piece in disks(DISKS).items() if n not in gone})
    assert read(tmp_path) == ({}, {"a.zip": reason})


def test_disks_that_zipfile_cannot_read_are_to_be_joined(tmp_path: Path) -> None:
    pieces = disks(DISKS)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 3, 0, 4)
    pieces["a.zip"] = pieces["a.zip"][:-22] + locator + pieces["a.zip"][-22:]
    write_files(tmp_path, pieces)
    told = "is split in the form for large archives; join it first: zip -s 0 a.zip --out all.zip"
    assert read(tmp_path) == ({}, {"a.zip": told})
