"""Stages of a verb: a bar on a terminal, one line in a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from hear_fusion.progress import progress_bar

VERB = (sys.executable, "-m", "hear_fusion", "tasks", "demo", "--only", "events")


def seen_on_a_terminal(command: tuple[str, ...]) -> str:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))  # without a width there is no room for a bar
    with subprocess.Popen(command, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        try:
            while part := os.read(ours, 1 << 12):
                seen += part
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    assert process.returncode == 0, seen
    return seen.decode()


def test_a_verb_draws_a_bar_on_a_terminal_only(tmp_path: Path) -> None:
    piped = subprocess.run(
        [*VERB, str(tmp_path / "piped")], capture_output=True, text=True, check=True
    )
    assert piped.stderr == "demo_events: 33 clips\n"
    assert piped.stdout.count("\n") == 2
    assert "\r" not in piped.stdout
    shown = seen_on_a_terminal((*VERB, str(tmp_path / "shown")))
    assert re.search(r"\rdemo_events: +[0-9]+%\|.*/33 \[", shown)
    assert "demo_events: 33 clips" not in shown


@pytest.mark.parametrize(
    ("total", "unit", "line"),
    [
        (2000, "clip", "stage: 2000 clips\n"),
        (327_428_481, "B", "stage: 327MB\n"),
        (None, "B", "stage\n"),
        (None, "run", "stage\n"),
    ],
)
def test_a_stage_is_one_line_in_a_file(
    total: int | None, unit: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("stage", total, unit, initial=1) as bar:
        for _ in range(1000):
            bar.update()
            bar.set_postfix_str("more")
    assert capsys.readouterr() == ("", line)


def test_a_quiet_stage_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("stage", 3, quiet=True) as bar:
        bar.update(3)
    assert capsys.readouterr() == ("", "")
