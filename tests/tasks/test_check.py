"""What heareval would trip over, found beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from hear_fusion.cli import main
from hear_fusion.tasks.check import check_task
from hear_fusion.tasks.schema import Clip, TaskMetadata
from hear_fusion.tasks.writer import Recording, write_task_folder
from tests.tasks.hear_tasks import write_event_task, write_scene_task
from tests.tasks.strays import add_strays

Break = Callable[[Path], object]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["tasks", "check", *map(str, arguments)])


def scene(folder: Path, **changes: Any) -> Path:
    return write_scene_task(folder / "tones-v1-full", **{"n_clips": 3, **changes})


def lines(task: Path, severity: str) -> list[str]:
    found = check_task(task, n_threads=2).findings
    return [f"{f.where}: {f.what}" for f in found if f.severity == severity]


def metadata(**changes: Any) -> Break:
    """Change keys of the metadata; None takes one out."""

    def change(task: Path) -> None:
        path = task / "task_metadata.json"
        content = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps({k: v for k, v in content.items() if v is not Ellipsis}))

    return change


def labels(split: str, of: str, value: Any) -> Break:
    def change(task: Path) -> None:
        path = task / f"{split}.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), of: value}))

    return change


def vocabulary(text: str) -> Break:
    return lambda task: (task / "labelvocabulary.csv").write_text(text)


def sound(name: str, samples: Iterable[Any], rate: int = 16000, **how: Any) -> Break:
    return lambda task: soundfile.write(task / "16000" / name, np.array(samples), rate, **how)


FIRST = "tones-v1-full_train_0.wav"
NOISE = np.random.default_rng(5).uniform(-0.5, 0.5, 8000)


@pytest.mark.parametrize("kind", ["scene", "folds", "multilabel", "event"])
def test_good_tasks_have_no_errors(tmp_path: Path, kind: str) -> None:
    if kind == "event":
        task = write_event_task(tmp_path / "e-v1-full")
    else:
        task = scene(tmp_path, folds=3 * (kind == "folds"), multilabel=kind == "multilabel")
        metadata(evaluation=["mAP"] if kind == "multilabel" else ["top1_acc"])(task)
    assert lines(task, "error") == []
    assert lines(task, "note") == []


def test_what_our_writer_writes_passes(tmp_path: Path) -> None:
    splits = ("train", "valid", "test")
    task = TaskMetadata(
        "keys", "v1", "full", "scene", "multiclass", splits, 0.1, ("pitch_acc", "chroma_acc")
    )
    rng = np.random.default_rng(0)
    keys = (99, 100, 101)
    clips = [Clip(f"{s}{key}.wav", s, (key,)) for s in splits for key in keys]
    sounds = [Recording(rng.uniform(-1, 1, 1600), 16000) for _ in clips]
    folder = write_task_folder(
        tmp_path, task, clips, sounds, sample_rates=(16000, 32000), recipe="r"
    ).path
    report = check_task(folder)
    assert report.findings == ()
    assert report.clips_by_split == {"train": 3, "valid": 3, "test": 3}
    assert report.n_classes == 3
    assert [(r.sample_rate, r.n_files, round(r.seconds, 6)) for r in report.rates] == [
        (16000, 9, 0.9),
        (32000, 9, 0.9),
    ]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (metadata(sample_duration=...), "must have the keys sample_duration"),
        (metadata(embedding_type="clip"), "embedding_type must be one of scene, event, got 'clip'"),
        (metadata(prediction_type=1), "prediction_type must be one of multiclass, multilabel"),
        (metadata(split_mode="kfold"), "split_mode must be one of trainvaltest"),
        (metadata(splits="train"), "splits must be a list of names"),
        (metadata(splits=["train", "validation", "test"]), "splits must be ('train', 'valid'"),
        (metadata(evaluation=["accuracy"]), "evaluation must name scores out of"),
        (metadata(evaluation=[]), "evaluation must name scores out of"),
        (metadata(evaluation=["segment_1s_er"]), "must suit scene embeddings, got segment_1s_er"),
        (metadata(sample_duration="5"), "sample_duration must be a number of seconds or null"),
        (metadata(sample_duration=-1), "sample_duration must be seconds above 0"),
        (metadata(evaluation_params=[]), "evaluation_params must be an object"),
        (
            metadata(evaluation_params={"task_specific_param_grid": {"lr": 1e-3}}),
            "task_specific_param_grid must be an object of lists",
        ),
        (lambda task: (task / "task_metadata.json").write_text("{"), "must be readable JSON"),
        (lambda task: (task / "valid.json").unlink(), "valid.json: must be readable JSON"),
        (lambda task: (task / "valid.json").write_text("[]"), "valid.json: must hold a JSON obj"),
        (lambda task: (task / "valid.json").write_text("{}"), "got none for ['valid']"),
        (lambda task: (task / "labelvocabulary.csv").unlink(), "labelvocabulary.csv: must be"),
        (vocabulary("index,label\n0,high\n"), "columns idx and label"),
        (vocabulary("idx,label\n0,high\n2,low\n3,mid\n"), "idx must count 0, 1, 2, ... once each"),
        (vocabulary("idx,label\n0,high\n1,low\n1,mid\n"), "got ['0', '1', '1']"),
        (
            vocabulary("idx,label\n0,high\n1,low\n2,mid\n3,low\n"),
            "labels must occur once, got ['low']",
        ),
        (
            vocabulary("idx,label\n0,high\n1,low\n"),
            "label 'mid' of 3 clips, 'tones-v1-full_train_2.wav' first, must be in it",
        ),
        (vocabulary("idx,label\n0,high\n1,low\n2,mid\n3,NA\n"), "reads as missing, got ['NA']"),
        (vocabulary("idx,label\n0,021\n1,22\n"), "without leading zeros, got ['021']"),
        (vocabulary("idx,label\n0,1.5\n1,22\n"), "whole ones without leading zeros, got ['1.5']"),
        (vocabulary("idx,label\n0,true\n1,false\n"), "truth values, got ['false', 'true']"),
        (
            metadata(evaluation=["chroma_acc"]),
            "labels must be successive whole numbers where chroma_acc",
        ),
        (labels("train", FIRST, []), "exactly one label in a multiclass task, got ()"),
        (labels("train", FIRST, ["low", "mid"]), "exactly one label"),
        (labels("train", FIRST, "low"), "must have a list, got 'low'"),
        (labels("train", FIRST, [1.5]), "must be text or whole numbers, got [1.5]"),
        (labels("train", "gone.wav", ["low"]), "16000/train/gone.wav: is named in train.json"),
        (labels("train", "a/b.wav", ["low"]), "bare name that ends in .wav, got 'a/b.wav'"),
        (
            lambda task: (task / "16000" / "valid").rename(task / "16000" / "dev"),
            "16000/valid: must be a folder of the split's audio",
        ),
        (
            lambda task: (task / "16000").rename(task / "16000.0"),
            "must hold a folder of audio such as 16000",
        ),
        (
            lambda task: (task / "16000").rename(task / "48000"),
            f"48000/train/{FIRST}: must be at 48000 Hz, got 16000 Hz",
        ),
        (sound(f"train/{FIRST}", np.ones((8000, 2)) * 0.1), "must be mono, got 2 channels"),
        (
            sound(f"train/{FIRST}", []),
            f"train/{FIRST}: must be readable audio: it holds no samples",
        ),
        (
            sound(f"train/{FIRST}", [0.1, np.inf], subtype="FLOAT"),
            f"train/{FIRST}: must be finite",
        ),
        (
            sound(f"train/{FIRST}", NOISE[:7999]),
            f"train/{FIRST}: must have 8000 samples (0.5 s), got 7999; heareval stacks 168",
        ),
        (
            lambda task: (task / "16000" / "train" / FIRST).write_bytes(b"nothing"),
            f"train/{FIRST}: must be readable audio",
        ),
    ],
)
def test_what_heareval_trips_over_is_an_error(tmp_path: Path, broken: Break, message: str) -> None:
    task = scene(tmp_path)
    metadata(evaluation=["top1_acc"])(task)
    assert lines(task, "error") == []
    broken(task)
    found = lines(task, "error")
    assert any(message in line for line in found), found
    assert run(task).exit_code == 1


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"label": "low", "start": -1, "end": 5}, "got -1 to 5 in"),
        ({"label": "low", "start": 5, "end": 5}, "0 <= start < end"),
        ({"label": "low", "start": 5, "end": 3000.5}, "got 5 to 3000.5"),
        ({"label": "low", "start": 5}, "must have label, start and end in ms"),
        ({"label": "low", "start": "5", "end": "6"}, "must have label, start and end in ms"),
        ({"label": "loud", "start": 5, "end": 6}, "label 'loud' of 1 clips"),
        ("low", "must have label, start and end in ms"),
    ],
)
def test_events_must_fit_their_clip(tmp_path: Path, event: Any, message: str) -> None:
    task = write_event_task(tmp_path / "e-v1-full", n_clips=3)
    labels("test", "e-v1-full_test_0.wav", [event])(task)
    assert any(message in line for line in lines(task, "error"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prediction_type": "multiclass"}, "prediction_type must be multilabel for events"),
        ({"evaluation": ["top1_acc"]}, "must suit event embeddings, got top1_acc"),
    ],
)
def test_event_tasks_have_metadata_of_their_own(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    task = write_event_task(tmp_path / "e-v1-full", n_clips=3)
    metadata(**change)(task)
    assert any(message in line for line in lines(task, "error"))


def test_seconds_for_milliseconds_are_noticed(tmp_path: Path) -> None:
    task = write_event_task(tmp_path / "e-v1-full", n_clips=3)
    for split in ("train", "valid", "test"):
        clips = json.loads((task / f"{split}.json").read_text())
        for events in clips.values():
            for event in events:
                event |= {"start": event["start"] / 1000, "end": event["end"] / 1000}
        (task / f"{split}.json").write_text(json.dumps(clips))
    assert any("times must be in ms" in line for line in lines(task, "note"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (sound("train/more.wav", NOISE), "16000/train/more.wav: is not in train.json"),
        (lambda task: (task / "16000" / "dev").mkdir(), "16000/dev: is not the folder of a split"),
        (lambda task: (task / "dev.json").write_text("{}"), "dev.json: is not the file of a"),
        (lambda task: (task / "8000").mkdir(), "8000: is not a rate of HEAR's models"),
        (sound(f"train/{FIRST}", np.zeros(8000)), f"train/{FIRST}: is silent"),
        (
            labels("valid", "tones-v1-full_valid_1.wav", ["high"]),
            "valid.json: holds no clip of 1 labels (low)",
        ),
        (
            metadata(sample_duration=0.6),
            "train: all files have 8000 samples, sample_duration says 9600",
        ),
    ],
)
def test_what_heareval_runs_over_is_a_note(tmp_path: Path, change: Break, message: str) -> None:
    task = scene(tmp_path)
    metadata(evaluation=["top1_acc"])(task)
    change(task)
    assert any(message in line for line in lines(task, "note")), lines(task, "note")


def test_lengths_may_differ_where_clips_are_taken_alone(tmp_path: Path) -> None:
    task = scene(tmp_path)
    metadata(evaluation=["top1_acc"], sample_duration=None)(task)
    sound(f"train/{FIRST}", NOISE[:7000])(task)
    assert lines(task, "error") == []


def test_the_same_sound_in_two_splits_is_a_leak(tmp_path: Path) -> None:
    task = scene(tmp_path)
    metadata(evaluation=["top1_acc"])(task)
    folder, name = task / "16000", "tones-v1-full_{}_{}.wav"
    for split, number in (("train", 1), ("test", 2)):
        # Another container of the same samples is the same sound.
        how: Any = {"format": "WAVEX"} if split == "test" else {}
        soundfile.write(folder / split / name.format(split, number), NOISE, 16000, "PCM_16", **how)
    (leak,) = lines(task, "error")
    assert leak == (
        "16000/train/tones-v1-full_train_1.wav: must be in one split only, got the same samples "
        "in test/tones-v1-full_test_2.wav"
    )


def test_copies_within_a_split_are_a_note(tmp_path: Path) -> None:
    task = scene(tmp_path)
    metadata(evaluation=["top1_acc"])(task)
    for number in (0, 2):
        sound(f"valid/tones-v1-full_valid_{number}.wav", NOISE)(task)
    assert lines(task, "error") == []
    assert any("the same samples are in valid/" in line for line in lines(task, "note"))


def test_the_splits_of_a_task_may_be_in_any_order(tmp_path: Path) -> None:
    task = scene(tmp_path)
    metadata(evaluation=["top1_acc"], splits=["test", "train", "valid"])(task)
    assert lines(task, "error") == []


def test_scores_that_may_be_undefined_are_named(tmp_path: Path) -> None:
    task = scene(tmp_path, multilabel=True)
    for i in range(3):
        labels("test", f"tones-v1-full_test_{i}.wav", ["low"])(task)
    assert any("mAP, aucroc, d_prime may be NaN" in line for line in lines(task, "note"))


def test_entries_that_are_no_task_are_errors(tmp_path: Path) -> None:
    metadata(evaluation=["top1_acc"])(scene(tmp_path))
    assert run(tmp_path).exit_code == 0
    (tmp_path / ".DS_Store").write_bytes(b"")
    shown = run(tmp_path)
    assert shown.exit_code == 1
    assert ".DS_Store: is no task; heareval's '--task all' takes every entry" in shown.output


def test_the_folder_is_summed_up(tmp_path: Path) -> None:
    metadata(evaluation=["top1_acc"])(scene(tmp_path))
    shown = run(tmp_path, "--json", tmp_path.parent / "findings.json")
    assert shown.exit_code == 0, shown.output
    assert "tones-v1-full: 3 train / 3 valid / 3 test, 3 classes" in shown.output
    assert "16000 Hz: 9 files, 4 s" in shown.output
    assert "no errors in 1 tasks" in shown.output


def test_many_findings_of_a_kind_are_cut_on_the_screen_only(tmp_path: Path) -> None:
    task = scene(tmp_path, n_clips=15)
    metadata(evaluation=["top1_acc"])(task)
    for file in (task / "16000" / "test").iterdir():
        file.unlink()
    target = tmp_path.parent / "many.json"
    shown = run(task, "--json", target)
    assert shown.exit_code == 1
    assert shown.output.count("is named in test.json") == 10
    assert "error: 5 more of 'missing' (--json tells all)" in shown.output
    (report,) = json.loads(target.read_text())["tasks"]
    assert sum(finding["rule"] == "missing" for finding in report["findings"]) == 15


def test_a_folder_without_tasks_is_refused(tmp_path: Path) -> None:
    shown = run(tmp_path)
    assert shown.exit_code == 1
    assert "tasks_dir must be a HEAR task folder or hold some" in shown.output


def test_a_copy_at_two_rates_is_told_once(tmp_path: Path) -> None:
    task = scene(tmp_path)
    metadata(evaluation=["top1_acc"])(task)
    for rate in ("16000", "32000"):
        for split in ("train", "valid", "test"):
            for i in range(3):
                path = task / rate / split / f"tones-v1-full_{split}_{i}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                content = np.random.default_rng(i + 3 * (split == "test")).uniform(-1, 1, 16000)
                soundfile.write(path, content[: int(rate) // 2], int(rate))
    assert sum("one split only" in line for line in lines(task, "error")) == 3


def test_unequal_long_clips_are_a_note_since_heareval_takes_them_alone(tmp_path: Path) -> None:
    task = scene(tmp_path)
    metadata(evaluation=["top1_acc"], sample_duration=50)(task)
    sound(f"train/{FIRST}", NOISE[:7000])(task)
    assert lines(task, "error") == []
    assert any("must have 800000 samples" in line for line in lines(task, "note"))


def test_pitches_out_of_order_are_noticed(tmp_path: Path) -> None:
    task = scene(tmp_path)
    metadata(evaluation=["pitch_acc"])(task)
    vocabulary("idx,label\n0,100\n1,99\n")(task)
    assert any("pitches are not sorted by value" in line for line in lines(task, "note"))


def test_what_else_lies_in_a_task_is_no_error(tmp_path: Path) -> None:
    task = scene(tmp_path)
    metadata(evaluation=["top1_acc"])(task)
    add_strays(task)
    assert lines(task, "error") == []
    assert run(task).exit_code == 0
    (task / "train.json").unlink()
    assert len(lines(task, "error")) > 0
