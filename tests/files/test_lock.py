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

from hear_fusion.files import lock
from hear_fusion.files.lock import InUseError, exclusive, no_waiting

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
    monkeypatch.setattr(lock, "_without_locks", set())
    entered = []
    with exclusive(path), exclusive(path), exclusive(path.parent / "deeper" / ".lock"):
        entered.append(path)
    assert entered
    assert caplog.messages == [f"{path}: no locks on this file system, going on without"]
    assert path.read_bytes() == b"", "a mark would outlive a killed holder"


def test_where_waiting_is_ruled_out_it_is_refused_in_words(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = rf"{path.parent} must have one writer at a time, got another process .*{path.name}; try"
    with exclusive(path), no_waiting():
        for _ in range(2):
            with pytest.raises(InUseError, match=words), exclusive(path):
                pytest.fail("went on without the lock")
    with no_waiting(), exclusive(path):
        pass
    assert caplog.messages == []


COUNTER = """
import sys
from pathlib import Path
from hear_fusion.files.lock import exclusive
folder = Path(sys.argv[1])
for _ in range(150):
    with exclusive(folder / ".lock", keep=False):
        (folder / "in").mkdir()
        count = int((folder / "count").read_text())
        (folder / "count").write_text(str(count + 1))
        (folder / "in").rmdir()
"""


def test_a_lock_that_leaves_nothing_behind_is_held_by_one_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "count").write_text("0")
    command = [sys.executable, "-c", COUNTER, str(tmp_path)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=120)[1].count("Error") for process in processes] == [0] * 3
    assert (tmp_path / "count").read_text() == "450"
    assert [entry.name for entry in tmp_path.iterdir()] == ["count"]


def test_other_errors_are_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_locks(errno.EIO, monkeypatch)
    with pytest.raises(OSError, match="Input/output error"), exclusive(path):
        pytest.fail("went on without the lock")


def refuse_locks(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(_file: int, _operation: int) -> None:
        raise OSError(number, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", flock)
