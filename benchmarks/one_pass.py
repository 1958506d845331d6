"""One pass for all layers beside the official runner once a module, in one run.

A task of noise clips is embedded for every layer of CNN14 (full width, random weights), the
published fusion and the original embedding: by ``hear-fusion embed`` in one process, and by
``python -m heareval.embeddings.runner`` once a module. Both write the same folders.

    python benchmarks/one_pass.py --clips 40 --seconds 5
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from hear_fusion.tasks.schema import Clip, TaskMetadata
from hear_fusion.tasks.writer import Recording, write_task_folder
from tests.networks import FULL_CNN14_WIDTHS, cnn14_tensors

MODULES = ("cnn14", *(f"cnn14_{n}" for n in range(1, 7)), "cnn14_3_6")


def make_task(folder: Path, n_clips: int, seconds: float) -> None:
    """Write a task of noise: a quarter of the clips validate, a quarter are the test."""
    rng = np.random.default_rng(0)
    metadata = TaskMetadata(
        "noise",
        "v1.0.0",
        "full",
        "scene",
        "multiclass",
        ("train", "valid", "test"),
        seconds,
        ("top1_acc",),
    )
    splits = [("train", "valid", "train", "test")[i % 4] for i in range(n_clips)]
    clips = [Clip(f"{i}.wav", split, (f"label {i % 5}",)) for i, split in enumerate(splits)]
    recordings = (
        Recording(0.1 * rng.standard_normal(round(16000 * seconds)), 16000) for _ in clips
    )
    write_task_folder(folder, metadata, clips, recordings, sample_rates=[16000], recipe="noise")


def timed(arguments: Sequence[str | Path], cwd: Path) -> tuple[float, float]:
    """Run a module of Python; seconds, and peak memory of all children so far in GB."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=cwd,
        check=True,
        capture_output=True,
        env=os.environ | {"OMP_WAIT_POLICY": "passive"},
    )
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - began, usage.ru_maxrss / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_task(root / "tasks", given.clips, given.seconds)
        weights = root / "cnn14.pth"
        torch.save(cnn14_tensors(FULL_CNN14_WIDTHS), weights)
        shared: list[str | Path] = ["--tasks-dir", root / "tasks"]
        verb = ["hear_fusion", "embed", "--backbone", "cnn14", *shared, "--weights", weights]
        verb += ["--store", root / "store", "--embeddings-dir", root / "ours"]
        ours, peak = timed([*verb, "--modules", *MODULES], root)
        print(f"{given.clips} clips of {given.seconds:g} s, {torch.get_num_threads()} threads")
        print(f"one pass, {len(MODULES)} modules: {ours:6.1f} s, peak {peak:.2f} GB")
        total = 0.0
        for module in MODULES:
            runner = [
                "heareval.embeddings.runner",
                f"hear_fusion.{module}",
                *shared,
                "--model",
                weights,
            ]
            seconds, _ = timed([*runner, "--embeddings-dir", root / "official"], root)
            total += seconds
            print(f"  official runner, {module:<10} {seconds:6.1f} s")
        print(f"official runner, all modules: {total:6.1f} s, {total / ours:.1f} x as long")


if __name__ == "__main__":
    main()
