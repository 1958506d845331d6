"""A file in a source, and which names in an archive are taken for one."""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from struct import error as StructError

from hear_fusion.errors import FileSystemError
from hear_fusion.files.contents import pointer_kind

READ_ERRORS = (
    OSError,
    EOFError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
    StructError,
    NotImplementedError,  # a compression that zipfile does not know
    RuntimeError,  # a member with a password
    ValueError,  # a number or a name that is none
)
_DRIVE = re.compile(r"[A-Za-z]:")
_UTF8_NAME = 0x800  # bit of a zip file's member


@dataclass(frozen=True)
class Member:
    """A file in the source.

    Attributes:
        path: Its path from the source, that of its archive first, with forward slashes.
        size: Its length in bytes.
        file: Where it lies on the disk, or None inside an archive.
        read: Returns its bytes, or raises one of READ_ERRORS; to be called before the next member
            is asked for.
    """

    path: str
    size: int
    file: Path | None
    read: Callable[[], bytes]


class Names:
    """The names of an archive's members, as paths below the archive.

    Attributes:
        n_seen: How many there were, folders too.
        n_outside: How many point out of the archive.
        outside: The first of these.
    """

    def __init__(self) -> None:
        self.n_seen = self.n_outside = 0
        self.outside = ""

    def of_zip(self, info: zipfile.ZipInfo) -> str | None:
        """Return the path of a file in a zip file; None where it is not to be read."""
        self.n_seen += 1
        # Not .filename, which ends at a zero byte.
        name = _as_utf8(info.orig_filename, info.flag_bits)
        return None if name.endswith(("/", "\\")) else self._inside(name)

    def of_tar(self, info: tarfile.TarInfo) -> str | None:
        """Return the path of a file or link in a tar file; None where it is not to be read."""
        self.n_seen += 1
        return self._inside(info.name) if info.isfile() or info.issym() or info.islnk() else None

    def _inside(self, name: str) -> str | None:
        # Programs for Windows write their own separator, now and then both.
        slashed = name.replace("\\", "/")
        parts = [part for part in slashed.split("/") if part not in ("", ".")]
        if slashed.startswith("/") or ".." in parts or "\0" in name or _DRIVE.match(slashed):
            self.n_outside += 1
            self.outside = self.outside or name
            return None
        return "/".join(parts) if parts and all(map(is_plain, parts)) else None


def is_plain(name: str) -> bool:
    """Tell whether a file or folder is neither hidden nor a leftover of macOS."""
    return not name.startswith(".") and name != "__MACOSX"


def read_link(read_target: Callable[[], bytes]) -> bytes:
    """Return where a link leads, if that is git-annex; no other one is followed or read.

    Raises:
        OSError: If it leads elsewhere.
    """
    target = read_target()
    if pointer_kind(target) is None:
        shown = target.decode("utf-8", "backslashreplace")
        raise FileSystemError(f"it is a link to {shown!r}, and links in archives are not followed")
    return target


def _as_utf8(name: str, flags: int) -> str:
    """Decode a name again that is in UTF-8 without saying so; nothing else looks like it.

    >>> _as_utf8("J\u251c\u255drgen.wav", 0)
    'J\u00fcrgen.wav'
    """
    if name.isascii() or flags & _UTF8_NAME:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name
