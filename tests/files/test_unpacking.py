"""Archives of all kinds, whole and broken, and what is inside them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hear_fusion.files.archives import members
from hear_fusion.files.members import READ_ERRORS
from tests.datasets.miniature import LFS_POINTER, Files, tar_of, write_files, zip_of

FILES = {"audio/x.wav": b"x" * 5000, "b.txt": b"text"}
TAR = tar_of(FILES, mode="w")
ANNEX = ".git/annex/objects/K4/m8/MD5E-s9--0.wav/MD5E-s9--0.wav"


def read(source: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return members by their path; of those that cannot be read, and of archives, the reason."""
    problems: dict[str, str] = {}
    found = {}
    for member in members(source, scratch=source.parent, on_problem=problems.__setitem__):
        try:
            found[member.path] = member.read()
        except READ_ERRORS as err:
            problems[member.path] = str(err)
    return found, problems


def read_file(tmp_path: Path, name: str, content: bytes) -> tuple[dict[str, bytes], dict[str, str]]:
    (tmp_path / name).write_bytes(content)
    return read(tmp_path / name)


LAYERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "many gz": lambda data: b"".join(
        gzip.compress(data[i : i + 700]) for i in range(0, len(data), 700)
    ),
    "padded gz": lambda data: gzip.compress(data) + bytes(600),
    "gz of gz": lambda data: gzip.compress(gzip.compress(data)),
    "nothing": bytes,
}


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tgz", "a.tar", "a.zip.gz", "master"])
@pytest.mark.parametrize("packed", [zip_of(FILES), TAR], ids=["zip", "tar"])
@pytest.mark.parametrize("layer", LAYERS)
def test_a_name_decides_nothing(tmp_path: Path, name: str, packed: bytes, layer: str) -> None:
    found, problems = read_file(tmp_path, name, LAYERS[layer](packed))
    assert problems == {}
    assert found == {f"{name}/{path}": content for path, content in FILES.items()}
    assert read(tmp_path) == (found, {}), "in a folder"


INSIDE: dict[str, Callable[[Files], bytes]] = {
    "zip": zip_of,
    "tar": lambda files: tar_of(files, mode="w"),
    "tar.gz": tar_of,
}


@pytest.mark.parametrize("outer", INSIDE)
@pytest.mark.parametrize("inner", INSIDE)
def test_an_archive_in_an_archive_is_read(tmp_path: Path, outer: str, inner: str) -> None:
    packed = INSIDE[outer]({"first.txt": b"1", f"d/a.{inner}": INSIDE[inner](FILES), "z": b"2"})
    found, problems = read_file(tmp_path, f"o.{outer}", packed)
    assert problems == {}
    assert list(found.items()) == [
        (f"o.{outer}/first.txt", b"1"),
        *((f"o.{outer}/d/a.{inner}/{path}", content) for path, content in FILES.items()),
        (f"o.{outer}/z", b"2"),
    ]
    assert [file.name for file in tmp_path.iterdir()] == [f"o.{outer}"]


def test_archives_without_end_come_to_one(tmp_path: Path) -> None:
    packed = zip_of(FILES)
    for _ in range(5):
        packed = zip_of({"a.zip": packed})
    found, problems = read_file(tmp_path, "a.zip", packed)
    assert found == {}
    assert problems == {
        "a.zip/a.zip/a.zip/a.zip/a.zip": "lies in 3 archives around it; unpack them first"
    }


def test_an_inner_archive_that_is_broken_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    inner = {"a.zip": b"<html>", "b.tar": TAR[:3000], "c.zip": LFS_POINTER, "d.txt": b"d"}
    found, problems = read_file(tmp_path, "o.zip", zip_of(inner))
    assert found == {"o.zip/d.txt": b"d"}
    assert problems["o.zip/a.zip"] == "is a web page, not an archive; download it again"
    assert "it is cut short in or after file 1" in problems["o.zip/b.tar"]
    assert problems["o.zip/c.zip"].startswith("is a Git LFS pointer, not an archive")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (TAR[: 512 + 3000], "cannot be read to its end: it is cut short in or after file 1;"),
        (TAR[: 512 + 5120], "cannot be read to its end: it is cut short in or after file 1;"),
        (TAR[: 512 + 5120 + 100], "cannot be read to its end: it is cut short in or after file 1;"),
        (gzip.compress(TAR)[:-12], "cannot be read to its end: it is cut short"),
        (gzip.compress(TAR)[:9], "cannot be read to its end: it is cut short at its start; down"),
        (bz2.compress(TAR)[:-12], "cannot be read to its end: it is cut short"),
        (lzma.compress(TAR)[:-12], "cannot be read to its end: it is cut short"),
        (zip_of(FILES)[:-30], "cannot be read to its end: it is cut short, "),
        (zip_of(FILES)[30:], "cannot be read to its end: 30 bytes or more before its end are not"),
        (zip_of(FILES)[:10], "cannot be read to its end: it is cut short, 10 bytes are there and"),
        (TAR[:5632] + b"\x7f" * 512 + TAR[6144:], "cannot be read to its end: invalid header, in or"),
        (zip_of({}), "holds no files; download it again"),
        (tar_of({}, mode="w"), "begins with nothing but zeros, not an archive; download it again"),
    ],
)  # fmt: skip
def test_what_is_cut_or_damaged_is_called_so(tmp_path: Path, content: bytes, reason: str) -> None:
    found, problems = read_file(tmp_path, "a", content)
    assert problems["a"].startswith(reason)
    # What was there before is read.
    assert found.items() <= {f"a/{path}": data for path, data in FILES.items()}.items()


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_tar_may_lack_its_mark_of_the_end(
    tmp_path: Path, packed: Callable[[bytes], bytes]
) -> None:
    found, problems = read_file(tmp_path, "a", packed(TAR.rstrip(b"\0") + bytes(508)))
    assert (len(found), problems) == (2, {})


def test_any_damage_ends_in_words(tmp_path: Path) -> None:
    draw = random.Random(0)
    many = {f"d{'o' * 60}/{'x' * (i * 30)}.wav": bytes(200) for i in range(8)}
    pax = io.BytesIO()
    with tarfile.open(fileobj=pax, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in many:
            info = tarfile.TarInfo(f"\u00fc{name}")
            info.size = 200
            archive.addfile(info, io.BytesIO(bytes(200)))
    for whole in (zip_of(many), tar_of(many, mode="w"), tar_of(many), pax.getvalue()):
        for _ in range(150):
            broken = bytearray(whole)
            for _ in range(draw.choice((1, 2, 8))):
                broken[draw.randrange(len(broken))] = draw.randrange(256)
            read_file(tmp_path, "a", bytes(broken))


def zip_with(names: dict[str, bytes], system: int = 0, flags: int = 0) -> bytes:
    """Pack members under names that zipfile itself would not write."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in names.items():
            info = zipfile.ZipInfo("x")
            info.filename, info.create_system, info.flag_bits = name, system, flags
            archive.writestr(info, content)
    return packed.getvalue()


def tar_with(names: dict[str, bytes]) -> bytes:
    return tar_of(names, mode="w")


@pytest.mark.parametrize("pack", [zip_with, tar_with])
def test_separators_of_windows_are_read(
    tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    names = {"a\\b\\x.wav": b"1", "a\\c/y.wav": b"2", ".\\z.wav": b"3", "a\\.hidden\\w.wav": b"4"}
    found, problems = read_file(tmp_path, "a", pack(names))
    assert problems == {}
    assert found == {"a/a/b/x.wav": b"1", "a/a/c/y.wav": b"2", "a/z.wav": b"3"}


def test_a_folder_with_a_separator_of_windows_is_none(tmp_path: Path) -> None:
    assert read_file(tmp_path, "a", zip_with({"d\\": b"", "d/": b""})) == ({}, {})


OUTSIDE = (
    "../up.wav", "a/../../up.wav", "..\\up.wav", "..\\..\\up.wav", "a/..\\../up.wav", "/root.wav",
    "\\root.wav", "\\\\server\\share\\x.wav", "//server/x.wav", "C:\\x.wav", "c:x.wav", "C:/x.wav",
    "..", "x.wav/..", "zero\0.wav",
)  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_point_out_are_named_and_left_out(tmp_path: Path, name: str) -> None:
    packs = [zip_with] if "\0" in name else [zip_with, tar_with]
    for pack in packs:
        found, problems = read_file(tmp_path, "a", pack({name: b"bad", "fine.wav": b"f"}))
        assert found == {"a/fine.wav": b"f"}
        assert problems == {
            "a": f"holds 1 names that point out of it, such as {name!r}; they are left out"
        }
        assert [file.name for file in tmp_path.iterdir()] == ["a"]


def linked_tar(target: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            info = tarfile.TarInfo(f"odd{kind.decode()}.wav")
            info.type, info.linkname = kind, target
            archive.addfile(info)
        for kind in (tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo(f"odd{kind.decode()}.wav")
            info.type = kind
            archive.addfile(info)
    return packed.getvalue()


def linked_zip(target: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in (1, 2):
            link = zipfile.ZipInfo(f"odd{number}.wav")
            link.external_attr = 0o120777 << 16
            archive.writestr(link, target)
    return packed.getvalue()


@pytest.mark.parametrize("pack", [linked_tar, linked_zip])
def test_links_are_not_followed(tmp_path: Path, pack: Callable[[str], bytes]) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"secret")
    for target in ("/etc/passwd", str(secret), "../secret.wav", "fine.wav"):
        found, problems = read_file(tmp_path, "a", pack(target))
        assert found == {}
        assert problems == dict.fromkeys(
            ("a/odd1.wav", "a/odd2.wav"),
            f"it is a link to {target!r}, and links in archives are not followed",
        )
    found, problems = read_file(tmp_path, "a", pack(f"../{ANNEX}"))
    assert found == dict.fromkeys(("a/odd1.wav", "a/odd2.wav"), f"../{ANNEX}".encode())


@pytest.mark.parametrize(
    ("written", "flags", "shown"),
    [
        ("J\u00fcrgen".encode(), 0, "J\u00fcrgen"),  # UTF-8 that does not say so
        ("J\u00fcrgen".encode(), 0x800, "J\u00fcrgen"),
        ("J\u00fcrgen".encode("cp437"), 0, "J\u00fcrgen"),
        ("\u97f3".encode("shift-jis"), 0, "\u2264\u2563"),
        ("J\u00fcrgen".encode("latin-1"), 0, "J\u207frgen"),
    ],
)
def test_names_of_zip_files_in_any_encoding(
    tmp_path: Path, written: bytes, flags: int, shown: str
) -> None:
    whole = zip_with({"#" * len(written) + "/1.wav": b"1"}, flags=flags)
    whole = whole.replace(b"#" * len(written), written)
    for at in (whole.find(b"PK\x03\x04") + 6, whole.find(b"PK\x01\x02") + 8):
        whole = whole[:at] + struct.pack("<H", flags) + whole[at + 2 :]
    found, problems = read_file(tmp_path, "a", whole)
    assert problems == {}
    assert [path.rpartition("/")[2] for path in found] == ["1.wav"]
    if "\u2264" not in shown:
        assert list(found) == [f"a/{shown}/1.wav"]


def test_a_name_that_is_not_in_the_encoding_it_says_is_named(tmp_path: Path) -> None:
    whole = zip_with({"\u00fc.wav": b"1"}).replace("\u00fc".encode(), b"\xff\xff")
    found, problems = read_file(tmp_path, "a", whole)
    assert found == {}
    assert "codec can't decode" in problems["a"]


def test_names_of_tar_files_in_any_encoding(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(
        fileobj=packed, mode="w", encoding="latin-1", format=tarfile.GNU_FORMAT
    ) as archive:
        archive.addfile(tarfile.TarInfo("J\u00fcrgen/1.wav"))
    found, problems = read_file(tmp_path, "a", packed.getvalue())
    assert (list(found), problems) == (["a/J\udcfcrgen/1.wav"], {})


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ((6, 8), 0x1, "holds 2 files with a password; unpack it first"),
        ((8, 10), 9, "holds 2 files compressed by deflate64, which is not known here; unpack"),
        ((8, 10), 93, "holds 2 files compressed by method 93, which is not known here; unpack"),
    ],
)
def test_what_cannot_be_unpacked_is_said_once(
    tmp_path: Path, field: tuple[int, int], value: int, reason: str
) -> None:
    whole = bytearray(zip_of({"a.wav": b"1", "b.wav": b"2"}))
    for mark, at in ((b"PK\x03\x04", field[0]), (b"PK\x01\x02", field[1])):
        begin = 0
        while (begin := whole.find(mark, begin)) >= 0:
            struct.pack_into("<H", whole, begin + at, value)
            begin += 4
    found, problems = read_file(tmp_path, "a", bytes(whole))
    assert found == {}
    assert problems["a"].startswith(reason)


@pytest.mark.parametrize(
    "name", ["a.zip.part", "a.tar.gz.crdownload", "a.zip.aria2", "Unconfirmed 1.crdownload"]
)
def test_an_unfinished_download_is_named(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {name: zip_of(FILES)[:100]})
    assert read(tmp_path) == ({}, {name: "is an unfinished download; download it again"})


@pytest.mark.parametrize("name", ["a.zip?download=1", "a.tar.gz.1", "download", "a.tar.bz"])
def test_names_that_downloads_get_are_known(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {name: zip_of(FILES), "README": b"text"})
    found, problems = read(tmp_path)
    assert problems == {}
    assert set(found) == {"README", *(f"{name}/{path}" for path in FILES)}


@pytest.mark.parametrize("target", [ANNEX, f"../../{ANNEX}"])
def test_links_of_git_annex_without_content_are_pointers(tmp_path: Path, target: str) -> None:
    (tmp_path / "x.wav").symlink_to(target)
    (tmp_path / "x.zip").symlink_to(target)
    found, problems = read(tmp_path)
    assert found == {"x.wav": target.encode()}
    step = "run 'git annex get .' where it was cloned"
    assert problems == {"x.zip": f"is a git-annex pointer, not an archive; {step}"}
