"""Child processes: started a few at a time, logged to files, ended with their parent."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PARENT_VARIABLE = "HEAR_FUSION_PARENT"
_PACKAGE_ROOT = Path(__file__).parents[2]
_POLL_SECONDS = 0.2
_GRACE_SECONDS = 5.0
_TAIL_LINES = 20


def child_environment(*folders: str, **variables: str) -> dict[str, str]:
    """Make the environment in which a child finds this very package, installed or not.

    Args:
        folders: Where else it shall look for modules, before all others.
        variables: What it shall have set besides.
    """
    paths = [*folders, str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))} | variables


@dataclass
class Command:
    """One command, its surroundings, and the file that receives all it prints.

    Attributes:
        label: What the progress line calls it.
        arguments: Arguments of this Python.
        log: Log file; appended to.
        cwd: Working folder of the command.
        env: Its whole environment.
    """

    label: str
    arguments: Sequence[str]
    log: Path
    cwd: Path
    env: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start the command."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.cwd.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.cwd,
                env=dict(self.env) | {PARENT_VARIABLE: str(os.getpid())},
            )

    @property
    def exit_code(self) -> int | None:
        """Exit code, or None while the command has not ended."""
        return None if self.process is None else self.process.poll()

    def failure(self) -> str:
        """Tell how the command ended, with the last lines of its log and the log's path."""
        # Not read_text: it would take each carriage return for the end of a line.
        lines = self.log.read_bytes().decode("utf-8", errors="replace").split("\n")
        # A progress bar overwrites itself: only its last state is worth a line.
        ends = [line.rstrip().rsplit("\r", 1)[-1] for line in lines]
        tail = [line for line in ends if line][-_TAIL_LINES:]
        code = self.exit_code
        how = f"was killed by signal {-code}" if code and code < 0 else f"ended with {code}"
        if code == -9:
            how += " (out of memory?)"
        if code and code == -getattr(signal, "SIGBUS", 0):  # of one that writes to a mapped file
            how += " (disk full?)"
        return "\n  ".join([f"{self.label} {how}; the end of {self.log}:", *tail])


def run_commands(
    commands: Sequence[Command],
    *,
    parallel: int,
    on_tick: Callable[[list[Command]], None],
    on_end: Callable[[Command], None],
) -> None:
    """Run commands in order, a few at a time; leave none behind, whatever happens.

    Args:
        commands: What to run.
        parallel: How many at a time, at least 1.
        on_tick: Called several times a second with the running commands.
        on_end: Called with each command that has ended, whether well or not.
    """
    waiting, running = list(commands), list[Command]()
    try:
        while waiting or running:
            while waiting and len(running) < parallel:
                running.append(waiting.pop(0))
                running[-1].start()
            on_tick(running)
            time.sleep(_POLL_SECONDS)
            for command in [command for command in running if command.exit_code is not None]:
                running.remove(command)
                on_end(command)
    finally:
        _stop(running)


def end_with_parent() -> None:
    """End this process, a command or one of a pool, soon after its parent, however that ended.

    Two runs must not write to one folder: an orphan would go on beside the resumed run.
    """
    pool = multiprocessing.parent_process()
    parent = os.environ.get(PARENT_VARIABLE) if pool is None else pool.pid
    if parent is None:
        return

    def watch() -> None:
        while os.getppid() == int(parent):
            time.sleep(_POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _stop(commands: Sequence[Command]) -> None:
    """Ask commands to end, and make them."""
    alive = [c.process for c in commands if c.process is not None and c.exit_code is None]
    for process in alive:
        process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in alive:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
