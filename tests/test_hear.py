"""The official validator on our modules, as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# The validator prints a general reminder about rounding at every run; these are about a module.
COMPLAINTS = ("We suggest a interval", "appears to be wrong", "You won't have embeddings")


@pytest.mark.parametrize(
    ("name", "quiet"),
    [
        ("cnn14_3_6", False),
        ("cnn14_3_6_40ms", True),
        ("yamnet_5_13_40ms", True),
        ("vggish_10_15", False),
        ("ast_5_12", False),
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
