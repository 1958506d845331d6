"""What a file is, by its first bytes."""

from __future__ import annotations

import bz2
import gzip
import lzma

import pytest

from hear_fusion.files.contents import archive_kind, pointer_kind, why_no_archive
from tests.datasets.miniature import LFS_POINTER, tar_of, zip_of

FILES = {"a.wav": b"a"}
PAGE = b"<!DOCTYPE html>\n<html><head><title>404</title>"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (zip_of(FILES), "zip"),
        (zip_of({}), "zip"),
        (b"PK\x07\x08PK\x03\x04", "zip"),
        (tar_of(FILES, mode="w"), "tar"),
        (tar_of({"x" * 200: b"long name"}, mode="w"), "tar"),
        (tar_of(FILES, mode="w:gz"), "gzip"),
        (tar_of(FILES, mode="w:bz2"), "bzip2"),
        (tar_of(FILES, mode="w:xz"), "xz"),
        (lzma.compress(b"a", lzma.FORMAT_ALONE), "xz"),
        (gzip.compress(b"a"), "gzip"),
        (bz2.compress(b"a"), "bzip2"),
        (PAGE, None),
        (b"", None),
        (bytes(1024), None),
        (b"RIFF....WAVE", None),
    ],
)
def test_archives_are_known_by_their_start(content: bytes, kind: str | None) -> None:
    assert archive_kind(content[:1024]) == kind


PAGES = [
    PAGE,
    PAGE.upper(),
    b"\n\n \t<html lang='de'>",
    b"\xef\xbb\xbf<!doctype HTML>",
    "<html><p>Zugriff verweigert f\u00fcr".encode("latin-1"),
    "<html><body>".encode("utf-16"),
    b"<!-- a portal --><script>location='/login'</script>",
    b"<?xml version='1.0'?><!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0'><html>",
    b"<head><title>Sign in</title>",
]
ANSWERS = [
    b'{"message": "Not Found", "status": 404}',
    b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>",
    b"404: Not Found",
    b"Quota exceeded\r\n",
]
FOREIGN = {
    b"Rar!\x1a\x07\x01\x00": "RAR",
    b"7z\xbc\xaf\x27\x1c\x00\x04": "7-Zip",
    b"\x28\xb5\x2f\xfd\x24": "Zstandard",
    b"\x04\x22\x4d\x18": "LZ4",
    b"\x1f\x9d\x90": "compress",
    b"MSCF\0\0": "cabinet",
}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty (0 bytes), not an archive; download it again"),
        (bytes(100), "begins with nothing but zeros, not an archive; download it again"),
        (b"\x00\x9f\xa0", "is in no known form, not an archive; download it again"),
        *((page, "is a web page, not an archive; download it again") for page in PAGES),
        *((text, f"is a text ({text.decode().strip()!r}), not an archive;") for text in ANSWERS),
        (b"word " * 100, f"is a text ({'word ' * 12!r}".rstrip("'") + "...'), not an archive;"),
        (LFS_POINTER, "is a Git LFS pointer, not an archive; run 'git lfs pull' where"),
        (b"/annex/objects/MD5E-s9--a.zip\n", "is a git-annex pointer, not an archive; run 'git"),
        *((head, f"is an archive of the kind {kind}, which is") for head, kind in FOREIGN.items()),
    ],
)
def test_what_is_no_archive_is_called_what_it_is(content: bytes, reason: str) -> None:
    assert why_no_archive(content).startswith(reason)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (LFS_POINTER, "Git LFS pointer"),
        (b"/annex/objects/SHA256E-s220544--0a.wav\n", "git-annex pointer"),
        (b".git/annex/objects/K4/m8/MD5E-s9--0.wav/MD5E-s9--0.wav", "git-annex pointer"),
        (b"../../.git/annex/objects/K4/m8/MD5E-s9--0.wav/MD5E-s9--0.wav", "git-annex pointer"),
        (b"..\\.git\\annex\\objects\\K4\\m8\\MD5E-s9--0.wav", "git-annex pointer"),
        (b"RIFF....WAVE", None),
        (b"", None),
        (b"see /annex/objects/", None),
    ],
)
def test_pointers_are_known(content: bytes, name: str | None) -> None:
    pointer = pointer_kind(content)
    assert (pointer and pointer.name) == name
