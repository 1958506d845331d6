"""Room is taken before it is written to; where there is none, words say so."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from hear_fusion.errors import InvalidError
from hear_fusion.files.atomic import write_whole
from hear_fusion.files.space import UnwritableError, make_folder, reserve, writing

SIZE = 3 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a head, and a hole behind it, as a new array has."""
    array = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, (SIZE,))
    array[5] = 7
    array.flush()
    assert occupied(tmp_path / "a.npy") < SIZE / 2
    return tmp_path / "a.npy"


def occupied(path: Path) -> int:
    return 512 * path.stat().st_blocks


def refuse(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fallocate(_file: int, _offset: int, _size: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", fallocate)


@pytest.mark.parametrize("way", ["reserved", "not on this system", errno.EOPNOTSUPP, errno.EINVAL])
def test_a_hole_gets_all_its_room_and_nothing_else_changes(
    path: Path, way: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()
    if isinstance(way, int):
        refuse(way, monkeypatch)
    elif way == "not on this system":
        monkeypatch.delattr(os, "posix_fallocate")
    reserve(path)
    assert occupied(path) >= SIZE
    assert path.read_bytes() == before
    (path.parent / "empty").touch()
    reserve(path.parent / "empty")


def test_a_disk_without_room_is_told_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(errno.ENOSPC, monkeypatch)
    with pytest.raises(OSError, match="No space left on device"):
        reserve(path)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "have room on its disk, got No space left on device; make some and run"),
        (errno.EDQUOT, "have room on its disk, got Disk quota exceeded; make some and run"),
        (errno.EFBIG, "have room on its disk, got File too large; make some and run"),
        (errno.EROFS, "be writable, got Read-only file system; make it so or choose another"),
        (errno.EACCES, "be writable, got Permission denied; make it so or choose another"),
        (errno.ENOENT, "be writable, got No such file or directory; make it so or choose"),
    ],
)
def test_words_say_where_and_what_to_do(path: Path, number: int, words: str) -> None:
    with pytest.raises(UnwritableError, match=f"^{path} must {words}") as caught, writing(path):
        raise OSError(number, os.strerror(number), "/some/hidden/part")
    assert caught.value.errno == number
    again = pickle.loads(pickle.dumps(caught.value))  # from a process of a pool
    assert (str(again), again.errno) == (str(caught.value), number)


def test_own_errors_and_those_without_a_number_pass(path: Path) -> None:
    with pytest.raises(InvalidError, match=r"^as it is$"), writing(path):
        raise InvalidError("as it is")
    with pytest.raises(UnwritableError, match="got 5 requested and 0 written;"), writing(path):
        raise OSError("5 requested and 0 written")


def test_a_file_that_cannot_be_written_leaves_nothing(path: Path, tmp_path: Path) -> None:
    with pytest.raises(UnwritableError, match=f"^{path / 'b'} must be writable, got Not a dir"):
        write_whole(path / "b", "text")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnwritableError, match=f"^{tmp_path / 'folder'} must be writable, got Is a"):
        write_whole(tmp_path / "folder", "text")
    assert sorted(os.listdir(tmp_path)) == ["a.npy", "folder"]
    with pytest.raises(UnwritableError, match=f"^{path} must be writable, got File exists"):
        make_folder(path)
    make_folder(tmp_path / "deep" / "er")
    make_folder(tmp_path / "deep" / "er")
