"""The command itself, whatever the verb."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import os, sys
from hear_fusion.cli import main

class Watch:
    def find_spec(self, name, *_):
        if name == "torch":
            print("torch under", os.environ.get("OMP_WAIT_POLICY"))
            raise SystemExit

sys.meta_path.insert(0, Watch())
print("imported under", os.environ.get("OMP_WAIT_POLICY"))
main(["list"])
"""


def said(**variables: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_threads_that_wait_sleep_once_the_command_runs_and_torch_is_not_there_yet() -> None:
    assert said().startswith("imported under None\ntorch under passive\n")


def test_a_policy_of_the_users_own_stands() -> None:
    assert "torch under active\n" in said(OMP_WAIT_POLICY="active")
