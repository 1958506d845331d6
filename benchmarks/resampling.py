"""Speed and exactness of `hear-fusion tasks resample` against sox and ffmpeg, in one run.

All make 16 kHz files of the same 48 kHz task folder, on all cores: ours in one command, the others
one process a file. The sounds are tones of known pitch, half of them above 8 kHz, so that what
should be left at 16 kHz is known exactly; the source and all results are 16-bit.

    python benchmarks/resampling.py --clips 400 --runs 3
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from hear_fusion.tasks.schema import TaskMetadata

SOURCE_HZ, TARGET_HZ, SECONDS = 48000, 16000, 5.0
SPLITS = ("train", "valid", "test")


def tones(seed: int, sample_rate: int) -> NDArray[np.float64]:
    """Ten tones below 7.2 kHz, where the steepest filter begins, and at 48 kHz ten that must go."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(SECONDS * sample_rate)) / sample_rate
    pitches = np.concatenate([rng.uniform(50, 7200, 10), rng.uniform(8050, 23000, 10)])
    phases = rng.uniform(0, 2 * np.pi, 20)
    kept = [i for i in range(20) if pitches[i] < sample_rate / 2]
    return sum((0.045 * np.sin(2 * np.pi * pitches[i] * time_s + phases[i]) for i in kept),
               np.zeros(time_s.size))  # fmt: skip


def write_task(task: Path, n_clips: int) -> list[Path]:
    """Write the 48 kHz task and return its files, in the order of the seeds."""
    files = []
    for split in SPLITS:
        (task / str(SOURCE_HZ) / split).mkdir(parents=True)
    for seed in range(n_clips):
        file = task / str(SOURCE_HZ) / SPLITS[seed % 3] / f"{seed}.wav"
        # Rounded here: libsndfile would round floats down, half a step off.
        samples = np.rint(32768 * tones(seed, SOURCE_HZ)).astype(np.int16)
        soundfile.write(file, samples, SOURCE_HZ)
        files.append(file)
    for split in SPLITS:
        names = [file.name for file in files if file.parent.name == split]
        (task / f"{split}.json").write_text(json.dumps({name: ["tone"] for name in names}))
    (task / "labelvocabulary.csv").write_text("idx,label\n0,tone\n")
    metadata = TaskMetadata(
        "tones", "v1", "full", "scene", "multiclass", SPLITS, SECONDS, ("top1_acc",)
    )
    (task / "task_metadata.json").write_text(json.dumps(metadata.as_json()))
    return files


def target_of(source: Path) -> Path:
    """Where a file's 16 kHz version goes."""
    return source.parents[2] / str(TARGET_HZ) / source.parent.name / source.name


def ours(files: list[Path]) -> None:
    """Run the command of this package."""
    program = "from hear_fusion.cli import main; main()"
    command = [sys.executable, "-c", program, "tasks", "resample", str(files[0].parents[2])]
    subprocess.run([*command, "--sample-rate", str(TARGET_HZ)], check=True, capture_output=True)


def one_process_a_file(command: Callable[[Path, Path], list[str]]) -> Callable[[list[Path]], None]:
    """Make a contender of a program that converts one file."""

    def convert(source: Path) -> None:
        subprocess.run(command(source, target_of(source)), check=True, capture_output=True)

    def convert_all(files: list[Path]) -> None:
        for split in SPLITS:
            (files[0].parents[2] / str(TARGET_HZ) / split).mkdir(parents=True)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(convert, files))

    return convert_all


def sox(source: Path, target: Path) -> list[str]:
    """Plain sox at its best quality; it dithers."""
    return ["sox", str(source), "-b", "16", str(target), "rate", "-v", str(TARGET_HZ)]


def ffmpeg(source: Path, target: Path) -> list[str]:
    """The way of HEAR's own preprocessing."""
    filters = ["-af", "aresample=resampler=soxr", "-ar", str(TARGET_HZ)]
    return ["ffmpeg", "-y", "-threads", "1", "-i", str(source), *filters, str(target)]


def snr_db(files: list[Path]) -> float:
    """Median over files of the level of what is right over that of what is wrong, in dB.

    Half a second at each end is left out: there the tones begin, which no band limits.
    """
    ratios = []
    for seed, source in enumerate(files[:50]):
        made, rate = soundfile.read(target_of(source))
        exact = tones(seed, TARGET_HZ)
        assert (rate, made.shape) == (TARGET_HZ, exact.shape), (source, rate, made.shape)
        inner = slice(TARGET_HZ // 2, -TARGET_HZ // 2)
        wrong = np.mean((made - exact)[inner] ** 2)
        ratios.append(10 * np.log10(np.mean(exact[inner] ** 2) / wrong))
    return float(statistics.median(ratios))


def main() -> None:
    """Print files per second and signal-to-noise ratio of every contender found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    contenders: dict[str, Callable[[list[Path]], None]] = {"hear-fusion tasks resample": ours}
    for name, command in {"sox rate -v": sox, "ffmpeg aresample=soxr": ffmpeg}.items():
        if shutil.which(name.split()[0]):
            contenders[name] = one_process_a_file(command)
    with tempfile.TemporaryDirectory() as folder:
        files = write_task(Path(folder) / "tones-v1-full", args.clips)
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        snr: dict[str, float] = {}
        for _ in range(args.runs):
            for name, contender in contenders.items():
                begin = time.perf_counter()
                contender(files)
                rates[name].append(args.clips / (time.perf_counter() - begin))
                snr[name] = snr_db(files)
                shutil.rmtree(files[0].parents[2] / str(TARGET_HZ))
    print(f"{platform.machine()}, {os.cpu_count()} cores, {args.clips} clips of {SECONDS:g} s, "
          f"{SOURCE_HZ} to {TARGET_HZ} Hz, {args.runs} runs, median [lowest, highest]")  # fmt: skip
    for name, seen in rates.items():
        print(f"{name:<28} {statistics.median(seen):6.0f} files/s  "
              f"[{min(seen):.0f}, {max(seen):.0f}]  SNR {snr[name]:5.1f} dB")  # fmt: skip


if __name__ == "__main__":
    main()
