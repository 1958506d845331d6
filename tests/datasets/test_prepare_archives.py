"""What the command says of archives as they come, and that it writes nowhere else."""

from __future__ import annotations

import csv
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hear_fusion.cli import main
from tests.datasets.miniature import LFS_POINTER, Files, tar_of, write_files, zip_of
from tests.datasets.miniatures import MINIATURES

ANNEX_POINTER = b"/annex/objects/MD5E-s9--0.wav\n"
PAGE = b"<!DOCTYPE html><html><title>404</title>"


def run(name: str, source: Path, out: Path, *options: str) -> Result:
    result = CliRunner().invoke(
        main, ["tasks", "prepare", name, str(source), str(out), "--jobs", "1", *options]
    )
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def final(result: Result) -> str:
    assert result.exit_code == 1, result.output
    return result.output.partition("Error: ")[2]


ESC50 = MINIATURES["esc50"]()
WHOLE = zip_of(ESC50.files)
UNUSABLE = {
    "a page": (PAGE, "is a web page, not an archive; download it again"),
    "an answer": (b'{"error": 404}', "is a text ('{\"error\": 404}'), not an archive; download"),
    "nothing": (b"", "is empty (0 bytes), not an archive; download it again"),
    "a Git LFS pointer": (LFS_POINTER, "is a Git LFS pointer, not an archive; run 'git lfs pull'"),
    "a git-annex pointer": (ANNEX_POINTER, "is a git-annex pointer, not an archive; run 'git ann"),
    "a cut zip": (WHOLE[: len(WHOLE) // 2], "cannot be read to its end: it is cut short, "),
    "a cut tar": (tar_of(ESC50.files)[:400], "cannot be read to its end: it is cut short"),
    "another archive": (b"Rar!\x1a\x07\x01\x00", "is an archive of the kind RAR, which is not"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
@pytest.mark.parametrize("name", ["esc50", "voxforge"])
def test_an_archive_that_is_none_is_named_in_the_end(tmp_path: Path, kind: str, name: str) -> None:
    content, reason = UNUSABLE[kind]
    source = write_files(tmp_path / "source", {"data.zip": content})
    alone = final(run(name, source / "data.zip", tmp_path / "tasks"))
    in_folder = final(run(name, source, tmp_path / "tasks", "--allow-missing"))
    for told in (alone, in_folder):
        assert told.startswith(f"data.zip {reason}")


def test_a_piece_that_is_missing_is_named_in_the_end(tmp_path: Path) -> None:
    mini = MINIATURES["voxceleb1"]()
    packed = mini.packed(mini.files)
    for gone, told in (
        ("vox1_dev_wav_partab", "vox1_dev_wav.zip lacks its piece vox1_dev_wav_partab"),
        ("vox1_dev_wav_partac", "; a piece after vox1_dev_wav_partab may be missing"),
    ):
        rest = {path: content for path, content in packed.items() if path != gone}
        source = write_files(tmp_path / gone, rest)
        assert told in final(run("voxceleb1", source, tmp_path / f"tasks_{gone}"))


@pytest.mark.parametrize(
    ("pointer", "told"),
    [
        (LFS_POINTER, "is a Git LFS pointer; run 'git lfs pull' where it was cloned"),
        (ANNEX_POINTER, "is a git-annex pointer; run 'git annex get .' where it was cloned"),
    ],
)
@pytest.mark.parametrize("name", ["esc50", "crema_d", "gtzan"])
@pytest.mark.parametrize("packed", [False, True])
def test_pointers_are_counted_in_one_message(
    tmp_path: Path, pointer: bytes, told: str, name: str, packed: bool
) -> None:
    mini = MINIATURES[name]()
    files = {
        path: pointer if path.endswith((".wav", ".au", ".csv")) else content
        for path, content in mini.files.items()
    }
    source = write_files(tmp_path / "source", files)
    if packed:
        source = tmp_path / "source.zip"
        source.write_bytes(zip_of(files))
    count = len(mini.places) + (name == "esc50")  # its table is one as well
    line = final(run(name, source, tmp_path / "tasks")).splitlines()[0]
    assert line == f"{count} files of the source are not there, each {told}"


def test_a_clip_that_is_there_after_its_pointer_is_taken(tmp_path: Path) -> None:
    mini = MINIATURES["crema_d"]()
    pointers = {path: LFS_POINTER for path in mini.files if path.endswith(".wav")}
    source = write_files(tmp_path / "source", pointers | {"sounds.zip": zip_of(mini.files)})
    result = run("crema_d", source, tmp_path / "tasks", "--allow-missing")
    assert result.exit_code == 0, result.output
    assert "total          6 found" in result.output


def named_in_bytes(name: bytes, content: bytes) -> bytes:
    """Pack one member under a name in any encoding, which the zip file does not tell."""
    whole = zip_of({"#" * len(name): content})
    return whole.replace(b"#" * len(name), name)


def test_names_in_any_encoding_are_printed(tmp_path: Path) -> None:
    mini = MINIATURES["voxforge"]()
    sound = next(content for path, content in mini.files.items() if path.endswith(".wav"))
    latin = io.BytesIO()
    with tarfile.open(
        fileobj=latin, mode="w", encoding="latin-1", format=tarfile.GNU_FORMAT
    ) as archive:
        for name in ("J\u00fcrgen-20100101-abc/wav/a.wav", "n\u00e9 \x1b[2J.wav"):
            for _ in range(2):
                info = tarfile.TarInfo(name)
                info.size = len(sound)
                archive.addfile(info, io.BytesIO(sound))
    japanese = "de/\u97f3-20100101-abc/wav/\u97f3.wav".encode("shift-jis")
    source = write_files(
        tmp_path / "source",
        {"de/l.tar": latin.getvalue(), "j.zip": named_in_bytes(japanese, sound)},
    )
    result = run("voxforge", source, tmp_path / "tasks")
    assert "counts must be those of the data set" in final(result)
    assert "J\\udcfcrgen-20100101-abc/wav/a.wav: is another file of the clip" in result.output
    assert "n\\udce9 \\x1b[2J.wav" in result.output
    assert "\x1b" not in result.output
    assert "total          2 found" in result.output
    faults = next((tmp_path / "tasks").glob(".*/faults.csv"))
    with faults.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        assert len(list(csv.DictReader(file))) == 3


def backslashed(files: Files) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo("x")
            info.filename, info.create_system = name.replace("/", "\\"), 0
            archive.writestr(info, content)
    return packed.getvalue()


GOOD: dict[str, Callable[[Files], Files]] = {
    "packed on Windows": lambda files: {"a.zip": backslashed(files)},
    "a zip in a zip": lambda files: {"a.zip": zip_of({"b.zip": zip_of(files)})},
    "a tar.gz in a zip": lambda files: {"a.zip": zip_of({"b.tar.gz": tar_of(files)})},
    "a tar of another name": lambda files: {"a.zip": tar_of(files, mode="w")},
    "a zip of another name": lambda files: {"a.tar.gz": zip_of(files)},
    "unpacked by a browser": lambda files: {"a.tar.gz": tar_of(files, mode="w")},
    "three pieces": lambda files: {
        f"a.zip.00{i + 1}": zip_of(files)[i * 60000 : (i + 1) * 60000 if i < 2 else None]
        for i in range(3)
    },
}


@pytest.mark.parametrize("way", GOOD)
def test_what_is_unmistakable_is_read(tmp_path: Path, way: str) -> None:
    mini = MINIATURES["gtzan"]()
    source = write_files(tmp_path / "source", GOOD[way](mini.files))
    result = run("gtzan", source, tmp_path / "tasks", "--allow-missing")
    assert result.exit_code == 0, result.output
    assert "total          9 found" in result.output
    assert "unreadable" not in result.output
    kept = {path.relative_to(tmp_path / "tasks").parts[0] for path in tmp_path.glob("tasks/*")}
    assert kept == {"gtzan_filtered-v1.0.0-partial"}


HOSTILE = (
    "../../blues.00029.wav", "/tmp/blues.00029.wav", "..\\..\\blues.00029.wav",
    "C:\\blues.00029.wav", "\\\\host\\blues.00029.wav", "a/../../../blues.00029.wav",
    "blues.00029.wav\0.txt", "\0/blues.00029.wav", "./../blues.00029.wav",
)  # fmt: skip


def hostile_zip(sound: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in HOSTILE:
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, sound)
        link = zipfile.ZipInfo("genres/blues.00029.wav")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "../../secret.wav")
    return packed.getvalue()


def hostile_tar(sound: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in HOSTILE:
            info = tarfile.TarInfo(name.replace("\0", "0/../../"))
            info.size = len(sound)
            archive.addfile(info, io.BytesIO(sound))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            # A folder that leads out of the archive, and a file written through it.
            info = tarfile.TarInfo("genres")
            info.type, info.linkname = kind, "../.."
            archive.addfile(info)
            info = tarfile.TarInfo("genres/blues.00029.wav")
            info.type, info.linkname = kind, "../../secret.wav"
            archive.addfile(info)
    return packed.getvalue()


@pytest.mark.parametrize("pack", [hostile_zip, hostile_tar])
@pytest.mark.parametrize("nested", [False, True])
def test_nothing_is_written_or_read_elsewhere(
    tmp_path: Path, pack: Callable[[bytes], bytes], nested: bool
) -> None:
    mini = MINIATURES["gtzan"]()
    sound = mini.files["genres/blues/blues.00029.wav"]
    packed = pack(sound)
    work = tmp_path / "a" / "b"
    files = {"genres.zip": zip_of({"inner.zip": packed}) if nested else packed, "secret.wav": sound}
    write_files(work, files)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    result = run("gtzan", work / "genres.zip", work / "tasks")
    told = final(result)
    assert "names that point out of it, such as " in told
    assert "it is a link to '../../secret.wav'" in result.output
    assert "total          0 found" in result.output
    after = {
        path: path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file() and work / "tasks" not in path.parents
    }
    assert after == before
    assert not list((work / "tasks").rglob("*.wav"))
    assert not Path("/tmp/blues.00029.wav").exists()


def test_a_password_is_told_once(tmp_path: Path) -> None:
    whole = bytearray(zip_of(ESC50.files))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        begin = 0
        while (begin := whole.find(mark, begin)) >= 0:
            struct.pack_into("<H", whole, begin + at, 1)
            begin += 4
    (tmp_path / "a.zip").write_bytes(whole)
    told = final(run("esc50", tmp_path / "a.zip", tmp_path / "tasks"))
    n_files = len(ESC50.files) - 1  # one is hidden
    assert told.startswith(f"a.zip holds {n_files} files with a password; unpack it first\n")
