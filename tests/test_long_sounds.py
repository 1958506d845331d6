"""Twenty minutes of sound within 3 GB: full-width networks, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.networks import FULL_CNN14_WIDTHS, FULL_YAMNET_WIDTHS, cnn14_tensors, yamnet_tensors

SCRIPT = """
import resource, sys, torch, hear_fusion
model = hear_fusion.load(sys.argv[1], sys.argv[2])
scenes = model.scenes(0.1 * torch.randn(1, 20 * 60 * 16000))
assert scenes.shape == (1, model.scene_embedding_size) and torch.isfinite(scenes).all()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # kilobytes on Linux
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cnn14_3_6", "yamnet_5_13"])
def test_twenty_minutes_of_scenes_under_3_gb(name: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    is_cnn14 = name.startswith("cnn14")
    torch.save(
        cnn14_tensors(FULL_CNN14_WIDTHS) if is_cnn14 else yamnet_tensors(FULL_YAMNET_WIDTHS), path
    )
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, name, str(path)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 3e6
