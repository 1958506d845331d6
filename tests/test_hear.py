"""The official validator on our modules, as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.networks import FINE_HOPS_MS, FUSIONS

# The validator prints a general reminder about rounding at every run; these are about a module.
COMPLAINTS = ("We suggest a interval", "appears to be wrong", "You won't have embeddings")


@pytest.mark.parametrize(
    ("name", "quiet"),
    [
        (FUSIONS["cnn14"], False),  # at its own hop of 320 ms
        *((f"{FUSIONS[name]}_{hop}ms", True) for name, hop in FINE_HOPS_MS.items()),
    ],
)
def test_hear_validator(name: str, quiet: bool, weight_files: dict[str, Path]) -> None:
    weights = str(weight_files[name.partition("_")[0]])
    module = f"hear_fusion.{name}"
    run = subprocess.run(
        [sys.executable, "-m", "hearvalidator.validate", module, "-m", weights, "-d", "cpu"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.rstrip().endswith("Looks good!")
    complaints = [text for text in COMPLAINTS if text in run.stderr]
    assert bool(complaints) != quiet, complaints
