"""Whatever is wrong with clips: every verb names all, goes on with other tasks, and ends with 1."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from hear_fusion.cli import main
from hear_fusion.cli.errors import FailedTasks, Program
from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.embeddings.embed import embed_task
from hear_fusion.embeddings.statistics import task_statistics
from hear_fusion.errors import FileSystemError, InvalidError, MissingModuleError
from hear_fusion.tasks.check_audio import BadClipsError
from tests.tasks.hear_tasks import TINY_MODULE, write_scene_task

N = 8000
NOISE: NDArray[np.float64] = np.random.default_rng(0).normal(size=N) * 0.1


def encoded(
    samples: NDArray[np.float64] = NOISE,
    kind: str = "WAV",
    subtype: str = "PCM_16",
    rate: int = 16000,
) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + b"\xff" * 400 + data[middle + 400 :]


# By name: the file, and what is said of it.
BAD: dict[str, tuple[bytes | None, str]] = {
    "absent": (None, "No such file"),
    "empty": (b"", "is empty (0 bytes)"),
    "a page": (b"<html>not found</html>" * 9, "cannot be decoded"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    "header only": (encoded()[:44], "is cut short"),
    "cut WAV": (encoded()[:8000], "is cut short"),
    "cut AU": (encoded(kind="AU")[:8000], "is cut short"),
    "cut FLAC": (encoded(kind="FLAC")[:4000], "is cut short"),
    "flipped FLAC": (flipped(encoded(kind="FLAC")), "cannot be decoded"),
    "cut OGG": (encoded(kind="OGG", subtype="VORBIS")[:3000], "is cut short"),
    "no samples": (encoded(NOISE[:0]), "holds no samples"),
    "another rate": (encoded(rate=22050), "22050 Hz"),
    "two channels": (encoded(np.stack([NOISE, NOISE], axis=1)), "2 channels"),
    "NaN": (encoded(np.where(NOISE > 0.3, np.nan, NOISE), subtype="FLOAT"), "NaN"),
    "integers": (encoded(2e5 * NOISE, subtype="FLOAT"), "16-bit integers|24-bit integers"),
    "streamed": (encoded()[:40] + bytes(4) + encoded()[44:], "heareval reads 0 of"),
}
RUN = ("--tasks-dir", "tasks")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A task of bad clips and a good one."""
    place = tmp_path_factory.mktemp("place")
    bad = write_scene_task(place / "tasks" / "bad-v1-full", n_clips=len(BAD))
    write_scene_task(place / "tasks" / "good-v1-full", n_clips=3)
    for i, (data, _) in enumerate(BAD.values()):
        path = bad / "16000" / ("train", "valid", "test")[i % 3]
        path /= f"bad-v1-full_{path.name}_{i}.wav"
        path.unlink()
        if data is not None:
            path.write_bytes(data)
    (place / "tiny_spectrum.py").write_text(TINY_MODULE)
    return place


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    def run(*arguments: object) -> Result:
        monkeypatch.chdir(place)
        words = [str(argument).replace("OUT", str(tmp_path)) for argument in arguments]
        return CliRunner().invoke(main, words)

    return run


def named(text: str) -> dict[str, str]:
    """What is said of each bad clip."""
    said = {}
    for i, name in enumerate(BAD):
        split = ("train", "valid", "test")[i % 3]
        lines = [
            line for line in text.splitlines() if f"{split}/bad-v1-full_{split}_{i}.wav" in line
        ]
        said[name] = "\n".join(lines)
    return said


def assert_all_named(text: str, *but: str) -> None:
    assert "Traceback" not in text
    for name, said in named(text).items():
        words = BAD[name][1].split("|")
        assert name in but or any(word in said for word in words), (name, said, text)


def test_embed_names_all_and_goes_on(
    run: Callable[..., Result], tmp_path: Path, weight_files: dict[str, Path]
) -> None:
    store = ("--store", "OUT/store", "--weights", weight_files["yamnet"])
    shown = run("embed", "--backbone", "yamnet", *RUN, *store)
    assert shown.exit_code == 1
    assert isinstance(shown.exception, SystemExit)
    assert_all_named(shown.output)
    assert "good-v1-full: 9 clips" in shown.output
    assert "Error: 1 of 2 tasks failed: bad-v1-full" in shown.output
    assert (tmp_path / "store" / "yamnet" / "good-v1-full" / "store.json").is_file()


def test_study_names_all_and_goes_on(
    run: Callable[..., Result], tmp_path: Path, weight_files: dict[str, Path]
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(
        "backbone: yamnet\nlayers: [9, 13]\nlearning_rates: published\nmax_epochs: 2\n"
    )
    shown = run("study", config, *RUN, "--weights", weight_files["yamnet"], "--out", "OUT")
    assert shown.exit_code == 1
    assert isinstance(shown.exception, SystemExit), shown.output
    assert_all_named(shown.output)
    assert "1 of 2 tasks failed: bad-v1-full" in shown.output
    study = json.loads((tmp_path / "yamnet" / "study.json").read_text())
    assert [task["task"] for task in study["tasks"]] == ["good-v1-full"]


def test_evaluate_names_all_and_goes_on(run: Callable[..., Result], place: Path) -> None:
    shown = run("evaluate", "tiny_spectrum", *RUN, "--embeddings-dir", "OUT", "--grid-points", 1)
    assert shown.exit_code == 1
    assert isinstance(shown.exception, SystemExit)
    log = next(Path(line.split("the end of ")[1][:-1]) for line in shown.output.splitlines()
               if "the end of" in line)  # fmt: skip
    assert_all_named(log.read_text())
    assert "1 of 2 failed: tiny_spectrum on bad-v1-full" in shown.output
    assert "| good-v1-full |" in shown.output


def test_resample_names_all_and_goes_on(run: Callable[..., Result], place: Path) -> None:
    shown = run("tasks", "resample", "tasks", "--sample-rate", 22050, "--jobs", 1)
    assert shown.exit_code == 1
    assert "is missing" in named(shown.output)["absent"]
    assert_all_named(shown.output, "absent", "streamed")
    assert named(shown.output)["streamed"] == "", "a stream is read whole"
    assert (place / "tasks" / "good-v1-full" / "22050").is_dir()
    for task in (place / "tasks").iterdir():
        for folder in task.glob("*22050*"):
            shutil.rmtree(folder)


def test_check_names_all(run: Callable[..., Result], tmp_path: Path) -> None:
    shown = run("tasks", "check", "tasks", "--json", "OUT/found.json")
    assert shown.exit_code == 1
    tasks = json.loads((tmp_path / "found.json").read_text())["tasks"]
    text = "\n".join(f"{f['where']}: {f['what']}" for task in tasks for f in task["findings"])
    assert "must be there" in named(text)["absent"]
    assert "NaN or infinity" in named(text)["NaN"]
    assert_all_named(text, "absent")


def test_python_names_all(place: Path, weight_files: dict[str, Path], tmp_path: Path) -> None:
    loaded = LoadedBackbone.load("yamnet", weight_files["yamnet"])
    task = place / "tasks" / "bad-v1-full"
    with pytest.raises(BadClipsError) as caught:
        embed_task(loaded, task, tmp_path)
    assert_all_named(str(caught.value))
    with pytest.raises(BadClipsError) as caught:
        task_statistics(loaded, task)
    assert_all_named(str(caught.value))


@pytest.mark.parametrize("name", BAD)
def test_one_bad_clip_is_enough(tmp_path: Path, weight_files: dict[str, Path], name: str) -> None:
    """Also where the header of the file passes and only its sound does not."""
    task = write_scene_task(tmp_path / "tones-v1-full", n_clips=2)
    path = task / "16000" / "valid" / "tones-v1-full_valid_1.wav"
    data, words = BAD[name]
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    loaded = LoadedBackbone.load("yamnet", weight_files["yamnet"])
    with pytest.raises(BadClipsError, match=rf"got 1 that .*\n  16000/valid/{path.name}") as caught:
        embed_task(loaded, task, tmp_path / "store")
    assert any(word in str(caught.value) for word in words.split("|"))


def test_a_task_with_broken_texts_does_not_stop_the_resampling_of_others(tmp_path: Path) -> None:
    broken = write_scene_task(tmp_path / "a-v1-full", n_clips=2)
    (broken / "train.json").write_text("[")
    good = write_scene_task(tmp_path / "b-v1-full", n_clips=2)
    shown = CliRunner().invoke(
        main, ["tasks", "resample", str(tmp_path), "--sample-rate", "22050", "--jobs", "1"]
    )
    assert shown.exit_code == 1
    assert f"{broken / 'train.json'} must be readable JSON" in shown.output
    assert (good / "22050").is_dir()


@pytest.mark.parametrize(
    "err",
    [
        InvalidError("a must be b"),
        FileSystemError("a must be b"),
        MissingModuleError("a must be b"),
        PermissionError(13, "Permission denied", "a must be b"),
        InvalidError("a must be b: \udcff.wav"),
    ],
)
def test_errors_become_words_and_exit_code_1(err: Exception) -> None:
    @click.group(cls=Program)
    def program() -> None: ...

    @program.command()
    def verb() -> None:
        raise err

    shown = CliRunner().invoke(program, ["verb"])
    assert shown.exit_code == 1
    assert isinstance(shown.exception, SystemExit)
    (line,) = shown.stderr.splitlines()
    assert line.startswith("Error: ")
    assert "a must be b" in line


def test_other_errors_are_bugs_and_keep_their_traceback() -> None:
    failed = FailedTasks()
    with pytest.raises(KeyError), failed.apart("task"):
        raise KeyError
    failed.check(1)
