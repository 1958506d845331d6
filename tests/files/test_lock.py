"""One process at a time, however its holder ends."""

from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hear_fusion.files.lock import exclusive

HOLDER = """
import sys
from pathlib import Path
from hear_fusion.files.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".lock"


def finish(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()


@pytest.mark.parametrize(("end", "code"), [(finish, 0), (subprocess.Popen.kill, -9)])
def test_the_next_waits_for_the_holder(
    path: Path,
    end: Callable[[subprocess.Popen[str]], None],
    code: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    command = [sys.executable, "-c", HOLDER, str(path)]
    order: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"

        def let_go() -> None:
            order.append("let go")
            end(process)

        threading.Timer(0.3, let_go).start()
        with exclusive(path):
            order.append("held")
    assert order == ["let go", "held"]
    assert process.returncode == code
    assert caplog.messages == [f"another process is at work; waiting for {path}"]


def test_the_empty_file_stays_and_is_taken_again(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        with exclusive(path):
            inode = path.stat().st_ino
        assert (path.stat().st_ino, path.stat().st_size) == (inode, 0)
    with pytest.raises(KeyError), exclusive(path):
        raise KeyError
    with exclusive(path):
        pass
    assert caplog.records == []


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_locks_does_without(
    path: Path, number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refuse_locks(number, monkeypatch)
    entered = []
    with exclusive(path), exclusive(path):
        entered.append(path)
    assert entered
    assert caplog.messages == [f"{path}: no locks on this file system, going on without"] * 2
    assert path.read_bytes() == b"", "a mark would outlive a killed holder"


def test_other_errors_are_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_locks(errno.EIO, monkeypatch)
    with pytest.raises(OSError, match="Input/output error"), exclusive(path):
        pytest.fail("went on without the lock")


def refuse_locks(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(_file: int, _operation: int) -> None:
        raise OSError(number, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", flock)
