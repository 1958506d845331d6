"""Two passes over one task: the second waits, refuses, or goes on after a kill; none is wrong."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.embeddings.embed import embed_task
from hear_fusion.embeddings.store import RECORD_FILE
from hear_fusion.evaluate.embeddings import export_module
from hear_fusion.names import parse_modules
from hear_fusion.parallel.processes import child_environment
from tests.tasks.hear_tasks import write_scene_task

TIMEOUT_S = 120
# The verb, held after its first batch until it is told to go on.
HELD = """
import sys
from hear_fusion.cli import main
from hear_fusion.model import FusionModel
official, done = FusionModel.scenes, []
def scenes(self, audio):
    if len(done) == 1:
        print("at work", flush=True)
        sys.stdin.readline()
    done.append(audio)
    return official(self, audio)
FusionModel.scenes = scenes
main(sys.argv[1:])
"""
Process = subprocess.Popen[str]


@pytest.fixture
def tasks_dir(tmp_path: Path) -> Path:
    return write_scene_task(tmp_path / "tasks" / "scene", n_clips=12).parent


@pytest.fixture
def arguments(tasks_dir: Path, weight_files: dict[str, Path], tmp_path: Path) -> list[str]:
    return [
        "embed", "--backbone", "cnn14", "--tasks-dir", str(tasks_dir), "--weights",
        str(weight_files["cnn14"]), "--store", str(tmp_path / "store"), "--modules", "cnn14_3_6",
        "--embeddings-dir", str(tmp_path / "embeddings"),
    ]  # fmt: skip


def start(*command: str) -> Process:
    return subprocess.Popen(
        [sys.executable, *command], text=True, env=child_environment(OMP_NUM_THREADS="1"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture
def held(arguments: list[str]) -> Iterator[Process]:
    with start("-c", HELD, *arguments) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        yield process
        process.kill()


def ended(process: Process) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, out, err


def waits(process: Process) -> None:
    """Read until the process says that it waits."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("another process is at work; waiting for "):
            return
    pytest.fail("it did not wait")


def require_clean_result(tasks_dir: Path, weight_files: dict[str, Path], tmp_path: Path) -> None:
    network = LoadedBackbone.load("cnn14", weight_files["cnn14"])
    stored = embed_task(network, tasks_dir / "scene", tmp_path / "clean")
    assert stored is not None
    (choice,) = parse_modules(["cnn14_3_6"], "cnn14")
    export_module(stored, tasks_dir / "scene", choice, network, tmp_path / "clean embeddings")
    arrays = sorted((tmp_path / "clean").rglob("*.npy"))
    assert len(arrays) == 3 * 7
    for array in arrays:
        other = tmp_path / "store" / array.relative_to(tmp_path / "clean")
        np.testing.assert_array_equal(np.load(other), np.load(array))
    for file in (tmp_path / "clean embeddings").rglob("*.embeddings.npy"):
        other = tmp_path / "embeddings" / file.relative_to(tmp_path / "clean embeddings")
        assert other.read_bytes() == file.read_bytes()
    assert not [path for path in (tmp_path / "store").rglob(".*") if path.suffix != ".lock"]


@pytest.mark.parametrize("end", ["well", "killed"])
def test_the_second_waits_and_the_result_is_that_of_one(
    held: Process,
    end: str,
    arguments: list[str],
    tasks_dir: Path,
    weight_files: dict[str, Path],
    tmp_path: Path,
) -> None:
    refused = ended(start("-m", "hear_fusion", *arguments, "--no-wait"))
    assert refused[0] == 1
    assert refused[2].startswith("Error: ")
    assert refused[2].count("\n") == 1
    assert f"{tmp_path / 'store' / 'cnn14'} must have one writer at a time" in refused[2]
    record = tmp_path / "store" / "cnn14" / "scene" / RECORD_FILE
    with start("-m", "hear_fusion", *arguments) as second:
        waits(second)
        assert second.poll() is None
        assert not record.exists(), "no reader sees half"
        if end == "killed":
            held.send_signal(signal.SIGKILL)
        else:
            code, out, _ = ended_after_line(held)
            assert (code, "scene: 36 clips" in out) == (0, True)
        code, out, err = ended(second)
    assert code == 0, err
    assert "scene: 36 clips" in out
    require_clean_result(tasks_dir, weight_files, tmp_path)


def ended_after_line(process: Process) -> tuple[int, str, str]:
    out, err = process.communicate("\n", timeout=TIMEOUT_S)
    return process.returncode, out, err
