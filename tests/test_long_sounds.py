"""Twenty minutes of sound within 3 GB: full-width networks, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hear_fusion.backbones import REGISTRY
from tests.networks import FUSIONS, RANDOM_WEIGHTS

# Not getrusage's ru_maxrss: a process inherits the peak of the one that started it, here a test
# worker with networks of its own. The kernel counts VmHWM anew for each program.
SCRIPT = """
import re, sys, torch, hear_fusion
model = hear_fusion.load(sys.argv[1], sys.argv[2])
scenes = model.scenes(0.1 * torch.randn(1, 20 * 60 * 16000))
assert scenes.shape == (1, model.scene_embedding_size) and torch.isfinite(scenes).all()
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


# The smallest network tells every time; the others take one to fifteen minutes on two cores.
NETWORKS = [
    pytest.param(name, marks=() if name == "yamnet" else pytest.mark.slow) for name in REGISTRY
]


@pytest.mark.parametrize("name", NETWORKS)
def test_twenty_minutes_of_scenes_under_3_gb(name: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(RANDOM_WEIGHTS[name].full(), path)
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, FUSIONS[name], str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert 3e5 < int(run.stdout) < 3e6  # kilobytes
