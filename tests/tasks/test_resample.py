"""Whole task folders at another rate."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from hear_fusion.cli import main
from hear_fusion.tasks.resample import Job, plan_resampling, resample_file, resample_task
from hear_fusion.tasks.wav import resample_pcm16
from tests.tasks.hear_tasks import write_event_task, write_scene_task
from tests.tasks.strays import add_strays

SPLITS = ("train", "valid", "test")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["tasks", "resample", *map(str, arguments)])


def files_of(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return write_scene_task(tmp_path / "tones-v1-full", n_clips=4, sample_rate=48000)


def test_every_split_gets_the_rate(task: Path) -> None:
    before = files_of(task)
    shown = run(task.parent, "--jobs", 1)
    assert shown.exit_code == 0, shown.output
    assert "16000 Hz" in shown.output
    assert "12 files  from 48000 Hz" in shown.output
    for split in SPLITS:
        names = set(json.loads((task / f"{split}.json").read_text()))
        assert {file.name for file in (task / "16000" / split).iterdir()} == names
        for name in names:
            source, _ = soundfile.read(task / "48000" / split / name)
            made = task / "16000" / split / name
            info = soundfile.info(made)
            assert (info.samplerate, info.channels, info.frames) == (16000, 1, 8000)
            assert (info.format, info.subtype) == ("WAV", "PCM_16")
            samples, _ = soundfile.read(made, dtype="int16")
            np.testing.assert_array_equal(samples, resample_pcm16(source, 48000, 16000))
    after = files_of(task)
    assert {name: after[name] for name in before} == before
    assert not list(task.glob(".*"))


def test_a_process_pool_makes_the_same_files(task: Path, tmp_path: Path) -> None:
    other = write_scene_task(tmp_path / "other" / "tones-v1-full", n_clips=4, sample_rate=48000)
    assert run(task).exit_code == 0
    # Twelve files are more than a message holds: two processes are spawned.
    assert run(other, "--jobs", 2).exit_code == 0
    assert files_of(task) == files_of(other)


def test_what_else_lies_in_a_task_changes_nothing(task: Path, tmp_path: Path) -> None:
    other = write_scene_task(tmp_path / "other" / "tones-v1-full", n_clips=4, sample_rate=48000)
    (task / "16000").mkdir()
    add_strays(task)
    (task / "16000").rename(task / "48000 (copy)")
    assert run(task.parent, "--task", task.name, "--jobs", 1).exit_code == 0
    assert run(other, "--jobs", 1).exit_code == 0
    assert files_of(task / "16000") == files_of(other / "16000")


@pytest.mark.parametrize(("n_samples", "expected"), [(4800, 1600), (4801, 1600), (4802, 1601)])
def test_lengths_without_a_fixed_duration_are_rounded(
    tmp_path: Path, n_samples: int, expected: int
) -> None:
    job = Job(tmp_path / "in.wav", tmp_path / "out.wav", 48000, 16000, None)
    soundfile.write(job.source, np.linspace(-0.5, 0.5, n_samples), 48000)
    assert resample_file(job) is None
    assert soundfile.info(job.target).frames == expected


def test_the_fixed_duration_decides_where_there_is_one(tmp_path: Path) -> None:
    job = Job(tmp_path / "in.wav", tmp_path / "out.wav", 44100, 22050, 0.1)
    soundfile.write(job.source, np.linspace(-0.5, 0.5, 4411), 44100)
    assert resample_file(job) is None
    assert soundfile.info(job.target).frames == 2205


def test_full_scale_does_not_wrap_around(tmp_path: Path) -> None:
    job = Job(tmp_path / "in.wav", tmp_path / "out.wav", 48000, 16000, None)
    square = np.sign(np.sin(2 * np.pi * 100 * np.arange(9600) / 48000 + 0.1))
    soundfile.write(job.source, square, 48000, subtype="FLOAT")
    assert resample_file(job) is None
    samples, _ = soundfile.read(job.target, dtype="int16")
    assert (samples.min(), samples.max()) == (-32768, 32767)
    # A wrapped overshoot would turn the sign within a half-wave.
    assert (samples[10:70] > 25000).all()


def test_the_source_is_the_highest_rate_or_the_one_asked_for(task: Path) -> None:
    assert run(task, "--sample-rate", 32000).exit_code == 0
    (plan,) = plan_resampling(task.parent, 16000)
    assert plan.from_hz == 48000
    (plan,) = plan_resampling(task.parent, 16000, 32000)
    assert plan.from_hz == 32000
    refused = run(task, "--from", 22050)
    assert refused.exit_code == 1
    assert "must hold audio to resample at 22050 Hz, got sample rates [32000, 48000]" in (
        refused.output
    )


def test_only_the_task_asked_for(task: Path) -> None:
    events = write_event_task(task.parent / "events-v1-full", n_clips=1)
    assert run(task.parent, "--sample-rate", 22050, "--task", events.name).exit_code == 0
    assert soundfile.info(next((events / "22050" / "test").iterdir())).frames == 66150
    assert not (task / "22050").exists()
    refused = run(task.parent, "--task", "nothing")
    assert refused.exit_code == 1
    assert "task must be one of events-v1-full, tones-v1-full, got nothing" in refused.output


def test_a_rate_that_is_there_is_kept_and_verified(task: Path) -> None:
    assert run(task).exit_code == 0
    before = files_of(task)
    again = run(task)
    assert again.exit_code == 0
    assert "was there" in again.output
    assert files_of(task) == before
    lost = task / "16000" / "valid" / "tones-v1-full_valid_2.wav"
    lost.unlink()
    incomplete = run(task)
    assert incomplete.exit_code == 1
    assert f"{lost}: is missing; remove {task / '16000'}" in incomplete.output


def test_broken_files_are_all_listed_and_the_rest_is_done(task: Path) -> None:
    folder = task / "48000" / "train"
    names = [f"tones-v1-full_train_{i}.wav" for i in range(4)]
    good = {name: (folder / name).read_bytes() for name in names}
    (folder / names[0]).write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    soundfile.write(folder / names[1], np.zeros((100, 2)), 48000)
    soundfile.write(folder / names[2], np.zeros(100), 44100)
    (folder / names[3]).unlink()
    valid = task / "48000" / "valid"
    soundfile.write(valid / "tones-v1-full_valid_0.wav", np.zeros(0), 48000)
    bad_float = np.array([0.0, np.nan], dtype=np.float32)
    soundfile.write(valid / "tones-v1-full_valid_1.wav", bad_float, 48000, subtype="FLOAT")

    shown = run(task, "--jobs", 1)
    assert shown.exit_code == 1
    for name, reason in zip(
        names,
        (
            "is a Git LFS pointer",
            "has 2 channels",
            "is at 44100 Hz in a folder of 48000",
            "is missing",
        ),
        strict=True,
    ):
        assert f"{folder / name}: {reason}" in shown.output
    assert "valid_0.wav: holds no samples" in shown.output
    assert "valid_1.wav: holds samples that are NaN or infinite" in shown.output
    assert "6 files could not be resampled" in shown.output
    assert not (task / "16000").exists()
    assert len(list((task / ".16000-from-48000").rglob("*.wav"))) == 6

    for name in names:
        (folder / name).write_bytes(good[name])
    for i in range(2):
        (valid / f"tones-v1-full_valid_{i}.wav").write_bytes(good[names[0]])
    (plan,) = plan_resampling(task, 16000)
    assert len(plan.jobs) == 6, "what was done is not done again"
    assert run(task).exit_code == 0
    assert len(list((task / "16000").rglob("*.wav"))) == 12
    assert not list(task.glob(".*"))


def test_an_interrupted_run_is_continued(task: Path) -> None:
    (plan,) = plan_resampling(task, 16000)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resample_task(plan, on_file=interrupt)
    assert not (task / "16000").exists()
    (first,) = (task / ".16000-from-48000").rglob("*.wav")
    written = first.stat().st_mtime_ns
    # What a killed run may leave, and a file that the task no longer names.
    (first.parent / ".half.wav").write_bytes(b"RIFF")
    (first.parent / "dropped.wav").write_bytes(b"RIFF")
    (task / ".16000-from-44100" / "train").mkdir(parents=True)
    assert run(task).exit_code == 0
    finished = task / "16000" / first.parent.name
    assert (finished / first.name).stat().st_mtime_ns == written
    assert len(list(finished.iterdir())) == 4
    assert not list(task.glob(".*"))


def test_a_full_disk_is_told_and_the_run_can_go_on(
    task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        shown = run(task, "--jobs", 1)
    assert shown.exit_code == 1
    assert "No space left on device" in shown.output
    assert "run the same command again" in shown.output
    assert not (task / "16000").exists()
    assert run(task).exit_code == 0


def test_names_cannot_lead_out_of_the_folder(task: Path) -> None:
    labels = json.loads((task / "test.json").read_text())
    (task / "test.json").write_text(json.dumps({**labels, "../../../x.wav": ["low"]}))
    shown = run(task)
    assert shown.exit_code == 1
    assert "'../../../x.wav' is not a bare file name" in shown.output
