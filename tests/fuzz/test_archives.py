"""Archives: damaged, of hostile names; read to their end or named, and nothing unpacked."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import tarfile
import zipfile
from pathlib import Path

from click.testing import CliRunner
from hypothesis import strategies as st

from hear_fusion.cli import main
from hear_fusion.files.archives import members
from hear_fusion.files.members import READ_ERRORS
from tests.datasets.miniature import encoded, sound, tar_of, zip_of
from tests.datasets.miniatures import MINIATURES
from tests.fuzz.harness import Fuzz, Outcome, tree
from tests.fuzz.mutations import Draw, damaged, mutated

FILES = {"a/x.wav": b"RIFF" * 500, "a/y.csv": b"1,2\n" * 99, "b.txt": b"text", "\u00e9/z.wav": b"z"}
NAMES = (
    "../out.wav", "/tmp/out.wav", "a/../../out.wav", "..\\out.wav", "C:\\out.wav", "a\\b.wav",
    "a//b.wav", "./a.wav", "a/./b.wav", "", ".", "..", "/", "a\0b.wav", "a/" * 300 + "b.wav",
    "a" * 5000, "caf\u00e9.wav", "\U0001f600.wav", "\udcff.wav", "a\nb.wav", "CON", "~/a.wav",
    "$(touch canary).wav", "-rf", "a b.wav", "a.wav/", "\u202evaw.a", "a.zip", "a.tar.gz",
)  # fmt: skip


def seeds() -> dict[str, bytes]:
    tar = tar_of(FILES, mode="w:")
    split = len(tar) // 3
    return {
        "a.zip": zip_of(FILES),
        "stored.zip": zip_of({"a.zip": zip_of(FILES), "b.tar": tar}),
        "a.tar": tar,
        "a.tar.gz": tar_of(FILES),
        "a.tar.bz2": tar_of(FILES, mode="w:bz2"),
        "a.tar.xz": tar_of(FILES, mode="w:xz"),
        "twice.tgz": gzip.compress(gzip.compress(tar)),
        "a.tgz.zip": zip_of({"a.tgz": tar_of(FILES)}),
        "a.wav.gz": gzip.compress(FILES["a/x.wav"]),
        "a.bz2": bz2.compress(tar),
        "a.xz": lzma.compress(tar),
        "a.zip.001": zip_of(FILES)[:90],
        "a_partaa": tar[:split],
        "page.zip": b"<!DOCTYPE html><html>sign in</html>",
        "pointer.zip": b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n",
    }


def read_all(source: Path) -> Outcome:
    """Read all members of a source; what cannot be read has been reported."""
    problems: list[str] = []
    n_read = 0
    for member in members(source, on_problem=lambda path, why: problems.append(f"{path} {why}")):
        assert not member.path.startswith("/")
        assert ".." not in member.path.split("/")
        try:
            assert len(member.read()) <= member.size  # a directory may promise more than there is
            n_read += 1
        except READ_ERRORS:
            problems.append(member.path)
    assert all(problems)
    return "read" if n_read else "refused"


def test_damaged_archives_are_read_or_reported(fuzz: Fuzz, tmp_path: Path) -> None:
    source = tmp_path / "source"

    def read(case: tuple[str, bytes]) -> Outcome:
        name, data = case
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir()
        (source / name).write_bytes(data)
        before = tree(tmp_path)
        outcome = read_all(source)
        assert read_all(source / name) in ("read", "refused")
        assert tree(tmp_path) == before
        return outcome

    fuzz.run(damaged(seeds()), read, n=1000, few=40)


@st.composite
def hostile(draw: Draw) -> bytes:
    """A zip or tar with names, kinds and sizes that no friend writes."""
    file = io.BytesIO()
    chosen = draw(st.lists(st.sampled_from(NAMES) | st.text(max_size=12), max_size=5))
    if draw(st.booleans()):
        with zipfile.ZipFile(file, "w") as archive:
            for name in chosen:
                safe = name.encode(errors="replace").decode()
                info = zipfile.ZipInfo(safe[:60000])
                info.external_attr = draw(st.sampled_from((0, 0o120777 << 16, 0o40755 << 16)))
                archive.writestr(info, draw(st.sampled_from((b"", b"/etc/passwd", b"\0" * 9000))))
    else:
        kind = draw(st.sampled_from((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)))
        with tarfile.open(fileobj=file, mode="w", format=kind) as tar:
            for name in chosen:
                entry = tarfile.TarInfo(
                    name.encode("utf-8", "surrogateescape").decode(errors="replace")
                )
                entry.type = draw(st.sampled_from((b"0", b"1", b"2", b"3", b"5", b"6", b"S", b"x")))
                entry.linkname = draw(st.sampled_from(("", "/etc/passwd", name, "../..")))
                entry.size = draw(st.sampled_from((0, 4)))
                tar.addfile(entry, io.BytesIO(b"text"))
    return bytes(draw(mutated(file.getvalue(), most=1)))


def test_no_name_leads_out_of_an_archive(fuzz: Fuzz, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()

    def read(data: bytes) -> Outcome:
        (source / "a.zip").write_bytes(data)
        before = tree(tmp_path)
        outcome = read_all(source)
        assert tree(tmp_path) == before
        return outcome

    fuzz.run(hostile(), read, n=600, few=30)


def test_prepare_makes_no_task_of_a_damaged_archive(fuzz: Fuzz, tmp_path: Path) -> None:
    clip = encoded(sound(1, 0.1, 8000), 8000, "PCM_16")
    data: dict[str, bytes] = {}
    for name in ("esc50", "us8k"):
        mini = MINIATURES[name]()
        files = {path: clip if path.endswith(".wav") else file for path, file in mini.files.items()}
        data |= {f"{name}/{path}": bytes(file) for path, file in mini.packed(files).items()}
    work = tmp_path / "work"

    def make(case: tuple[str, bytes]) -> Outcome:
        path, content = case
        task, name = path.split("/")
        shutil.rmtree(work, ignore_errors=True)
        (work / "source").mkdir(parents=True)
        (work / "source" / name).write_bytes(content)
        before = tree(work / "source")
        words = ["tasks", "prepare", task, str(work / "source"), str(work / "out"), "--jobs", "1"]
        shown = CliRunner().invoke(main, words)
        assert isinstance(shown.exception, SystemExit), shown.exception
        # The counts of a miniature are not the official ones: nothing may look finished.
        assert shown.exit_code == 1
        assert "Error: " in shown.output
        assert not list((work / "out").glob("*/task_metadata.json"))
        assert tree(work / "source") == before
        assert {file.name for file in work.iterdir()} <= {"source", "out"}
        return "refused"

    fuzz.run(damaged(data), make, n=200, few=5)
