"""``hear-fusion env``, ``--version`` and ``python -m hear_fusion``."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import hear_fusion
from hear_fusion.cli import main


def test_env_shows_what_a_report_of_a_fault_needs(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    shown = CliRunner().invoke(main, ["env"])
    assert shown.exit_code == 0, shown.output
    rows = {line[:23].strip(): line[23:].strip() for line in shown.output.splitlines()}
    assert rows["hear_fusion"] == hear_fusion.__version__
    assert rows["torch"] == version("torch")
    assert rows["OMP_NUM_THREADS"] == "7"
    assert rows["torch threads"] == "5"
    assert rows["vggish"] == "none"
    assert f"weights in {cache}" in shown.output


def test_a_damaged_weight_file_does_not_stop_env(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "vggish-10086976.pth").write_bytes(b"not weights")
    shown = CliRunner().invoke(main, ["env"])
    assert shown.exit_code == 0, shown.output
    assert "vggish                none" in shown.output


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_the_package_runs_as_a_module(option: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "hear_fusion", option], capture_output=True, text=True, check=True
    )
    expected = {
        "--version": f"hear-fusion {hear_fusion.__version__}\n",
        "--help": "Usage: hear-fusion ",
    }
    assert run.stdout.startswith(expected[option])
