"""Child processes: side by side, reported, never left behind."""

import os
import signal
from pathlib import Path

import pytest

from hear_fusion.parallel.processes import Command, run_commands
from tests.parallel.watching import is_alive, wait_for


def python(folder: Path, name: str, code: str) -> Command:
    return Command(name, ["-c", code], folder / "logs" / f"{name}.log", folder, dict(os.environ))


def test_a_few_at_a_time_in_order(tmp_path: Path) -> None:
    commands = [python(tmp_path, str(i), "import time; time.sleep(0.3)") for i in range(3)]
    together: list[int] = []
    ended: list[str] = []
    run_commands(
        commands,
        parallel=2,
        on_tick=lambda running: together.append(len(running)),
        on_end=lambda command: ended.append(command.label),
    )
    assert max(together) == 2
    assert sorted(ended) == ["0", "1", "2"]
    assert ended[-1] == "2"


def test_failure_shows_the_end_of_the_log(tmp_path: Path) -> None:
    code = "print(*range(90), sep='\\n'); print('bar 1\\rbar 2'); raise SystemExit(3)"
    failing = python(tmp_path, "failing", code)
    run_commands([failing], parallel=1, on_tick=lambda _: None, on_end=lambda _: None)
    lines = failing.failure().splitlines()
    assert lines[0] == f"failing ended with 3; the end of {failing.log}:"
    assert [line.strip() for line in lines[1:]] == [*map(str, range(71, 90)), "bar 2"]


@pytest.mark.parametrize(
    ("number", "why"), [(signal.SIGKILL, "out of memory?"), (signal.SIGBUS, "disk full?")]
)
def test_a_kill_is_told(tmp_path: Path, number: int, why: str) -> None:
    killed = python(tmp_path, "killed", f"import os; os.kill(os.getpid(), {int(number)})")
    run_commands([killed], parallel=1, on_tick=lambda _: None, on_end=lambda _: None)
    assert f"killed was killed by signal {int(number)} ({why});" in killed.failure()


def test_interrupt_ends_the_children(tmp_path: Path) -> None:
    # One that ignores the polite request, too.
    codes = ["import time; time.sleep(60)"]
    commands = [python(tmp_path, "sleeper", codes[0])]

    def interrupt(running: list[Command]) -> None:
        assert running[0].exit_code is None
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_commands(commands, parallel=1, on_tick=interrupt, on_end=lambda _: None)
    assert commands[0].exit_code == -signal.SIGTERM


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    child = (
        "from hear_fusion.parallel.processes import end_with_parent; import os, time;"
        "end_with_parent(); open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    )
    parent = (
        "from hear_fusion.parallel.processes import Command, run_commands; import os; from pathlib import Path;"
        f"command = Command('child', ['-c', {child!r}], Path('log').absolute(), Path.cwd(), os.environ);"
        "run_commands([command], parallel=1, on_tick=lambda _: None, on_end=lambda _: None)"
    )
    outer = Command("parent", ["-c", parent], tmp_path / "outer.log", tmp_path, dict(os.environ))
    outer.start()
    assert outer.process is not None
    pid = wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    assert is_alive(int(pid))
    outer.process.kill()
    outer.process.wait()
    assert wait_for(lambda: not is_alive(int(pid)))
