"""A pool of processes: bounded, quiet, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hear_fusion.parallel.pool import _interrupts_held, map_unordered
from hear_fusion.parallel.processes import child_environment
from tests.parallel.watching import is_alive, wait_for


def test_results_of_many_messages_all_arrive() -> None:
    assert sorted(map_unordered(abs, range(-99, 1), 2)) == list(range(100))


def test_what_is_less_than_a_message_is_done_in_this_process() -> None:
    assert list(map_unordered(process_id, range(7), 2)) == [os.getpid()] * 7
    assert list(map_unordered(process_id, range(20), 1)) == [os.getpid()] * 20
    assert os.getpid() not in set(map_unordered(process_id, range(8), 2))


def test_a_killed_process_is_told() -> None:
    with pytest.raises(OSError, match="a process ended unexpectedly"):
        list(map_unordered(end_process, range(20), 2))


def test_an_error_of_the_work_is_its_own() -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_unordered(divide_one_by, range(-5, 20), 2))


def test_items_are_taken_as_results_are_used() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    ahead = [len(taken) - n_used for n_used, _ in enumerate(map_unordered(abs, items(), 2, 1), 1)]
    assert len(ahead) == 100
    assert max(ahead) <= 6, "three messages a process"


def test_leaving_lets_items_in_flight_end_and_starts_no_other(tmp_path: Path) -> None:
    files = [tmp_path / str(number) for number in range(40)]
    with closing(map_unordered(write_slowly, files, 2, 1)) as done:
        next(done)
    made = sorted(tmp_path.iterdir())
    assert {file.read_text() for file in made} == {"begun, ended"}
    assert len(made) < 10
    time.sleep(0.3)
    assert sorted(tmp_path.iterdir()) == made


PARENT = """
from itertools import count
from hear_fusion.parallel.pool import map_unordered
from tests.parallel.test_pool import process_id
if __name__ == "__main__":
    for pid in map_unordered(process_id, count(), 2, 1):
        print(pid, flush=True)
"""


def test_processes_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script, children = tmp_path / "parent.py", set[int]()
    script.write_text(PARENT)
    command, environment = [sys.executable, str(script)], child_environment()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        while len(children) < 2:
            children.add(int(parent.stdout.readline()))
        assert all(is_alive(child) for child in children)
        parent.kill()
    wait_for(lambda: not any(is_alive(child) for child in children), 10)


def test_processes_are_started_out_of_the_reach_of_ctrl_c() -> None:
    with _interrupts_held():
        held = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        program = "import signal; print(signal.SIGINT in signal.pthread_sigmask(0, ()))"
        child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert signal.SIGINT in held
    assert child.stdout == "True\n"
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def process_id(_: object) -> int:
    return os.getpid()


def end_process(_: object) -> None:
    os._exit(3)


def divide_one_by(number: int) -> float:
    return 1 / number


def write_slowly(file: Path) -> None:
    file.write_text("begun")
    time.sleep(0.2)
    file.write_text("begun, ended")
