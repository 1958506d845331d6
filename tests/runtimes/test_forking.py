"""Children of a program that computes: they compute as well, on one thread, and never hang."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from hear_fusion.parallel.processes import child_environment


def test_forked_children_compute(weight_files: dict[str, Path]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.runtimes.forking", str(weight_files["ast"].parent)],
        cwd=Path(__file__).parents[2],
        env=child_environment(OMP_NUM_THREADS="2"),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    codes = json.loads(run.stdout)
    assert len(codes) == 27
    assert {what: code for what, code in codes.items() if code != 0} == {}, run.stderr
