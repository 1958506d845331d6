"""Twenty minutes of sound within 3 GB: full-width networks, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.networks import (
    FULL_AST_WIDTHS,
    FULL_CNN14_WIDTHS,
    FULL_VGGISH_WIDTHS,
    FULL_YAMNET_WIDTHS,
    ast_tensors,
    cnn14_tensors,
    vggish_tensors,
    yamnet_tensors,
)

FULL: dict[str, Callable[[], dict[str, Tensor]]] = {
    "cnn14_3_6": lambda: cnn14_tensors(FULL_CNN14_WIDTHS),
    "yamnet_5_13": lambda: yamnet_tensors(FULL_YAMNET_WIDTHS),
    "vggish_10_15": lambda: vggish_tensors(FULL_VGGISH_WIDTHS),
    "ast_5_12": lambda: ast_tensors(FULL_AST_WIDTHS),  # a quarter of an hour on two cores
}

# Not getrusage's ru_maxrss: a process inherits the peak of the one that started it, here a test
# worker with networks of its own. The kernel counts VmHWM anew for each program.
SCRIPT = """
import re, sys, torch, hear_fusion
model = hear_fusion.load(sys.argv[1], sys.argv[2])
scenes = model.scenes(0.1 * torch.randn(1, 20 * 60 * 16000))
assert scenes.shape == (1, model.scene_embedding_size) and torch.isfinite(scenes).all()
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name.startswith("ast") else ()) for name in FULL],
)
def test_twenty_minutes_of_scenes_under_3_gb(name: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(FULL[name](), path)
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, name, str(path)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert 3e5 < int(run.stdout) < 3e6  # kilobytes
