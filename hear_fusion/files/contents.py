"""What a file is, told by its first bytes and never by its name."""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass
from typing import BinaryIO, Literal

HEAD_BYTES = 1024

ArchiveKind = Literal["zip", "tar", "gzip", "bzip2", "xz"]
_ARCHIVES: dict[bytes, ArchiveKind] = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # without a file in it
    b"PK\x07\x08": "zip",  # the first of several disks
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x5d\x00\x00\x80": "xz",  # its forerunner, lzma
}
_FOREIGN = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"\x04\x22\x4d\x18": "LZ4",
    b"\x1f\x9d": "compress",
    b"MSCF": "cabinet",
}
_PAGE = re.compile(
    r"\s*(<!--.*?-->\s*)*<(!doctype html|html|head|body|script|meta|title|center|h1)"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_EXCERPT_CHARACTERS = 60


@dataclass(frozen=True)
class Pointer:
    """What lies in a file's place where only its name was fetched.

    Attributes:
        name: What it is called.
        step: What fetches the file.
    """

    name: str
    step: str


_POINTERS = {
    re.compile(rb"version https://git-lfs"): Pointer(
        "Git LFS pointer", "run 'git lfs pull' where it was cloned"
    ),
    # A pointer of its own, or the target of a link that came as a text.
    re.compile(rb"(?:[^\x00\n]*\.git)?[/\\]annex[/\\]objects[/\\][^\x00\n]+"): Pointer(
        "git-annex pointer", "run 'git annex get .' where it was cloned"
    ),
}


def read_head(stream: BinaryIO) -> bytes:
    """Return the first bytes of a file, and go back to its start."""
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    return head


def archive_kind(head: bytes) -> ArchiveKind | None:
    """Tell which archive, or compressed file, begins so; None if it is another file.

    >>> archive_kind(b"BZh91AY"), archive_kind(b"<html>")
    ('bzip2', None)
    """
    for magic, kind in _ARCHIVES.items():
        if head.startswith(magic):
            return kind
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return "tar"


def pointer_kind(head: bytes) -> Pointer | None:
    """Tell whether a file is only a pointer to its content, and to which kind.

    >>> pointer_kind(b"../.git/annex/objects/K4/m8/MD5E-s9--0.wav/MD5E-s9--0.wav").name
    'git-annex pointer'
    """
    return next((pointer for form, pointer in _POINTERS.items() if form.match(head)), None)


def why_no_archive(head: bytes) -> str:
    """Say what a file that should be an archive is instead, and what to do.

    >>> why_no_archive(b"<!DOCTYPE html><title>404</title>")
    'is a web page, not an archive; download it again'
    """
    again = "not an archive; download it again"
    foreign = next((kind for magic, kind in _FOREIGN.items() if head.startswith(magic)), None)
    if foreign is not None:
        return f"is an archive of the kind {foreign}, which is not read here; unpack it first"
    if pointer := pointer_kind(head):
        return f"is a {pointer.name}, not an archive; {pointer.step}"
    if not head:
        return f"is empty (0 bytes), {again}"
    if not head.strip(b"\0"):
        return f"begins with nothing but zeros, {again}"
    text = _text(head)
    if text is None:
        return f"is in no known form, {again}"
    if _PAGE.match(text.lower()) or "<html" in text.lower():
        return f"is a web page, {again}"
    return f"is a text ({_excerpt(text)!r}), {again}"


def _text(head: bytes) -> str | None:
    """Return the start of a text, or None if the bytes are none."""
    mark = next((mark for mark in _BYTE_ORDER_MARKS if head.startswith(mark)), None)
    encoding = _BYTE_ORDER_MARKS[mark] if mark else "utf-8"
    # The last character may be cut, and pages are in all the encodings of the world.
    text = head.decode(encoding, "replace")
    return None if _CONTROLS.search(text) else text


def _excerpt(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _EXCERPT_CHARACTERS else f"{words[:_EXCERPT_CHARACTERS]}..."
