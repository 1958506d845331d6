import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hear_fusion.files.hashing import recipe_of
from hear_fusion.tasks.schema import Clip, Event, TaskMetadata
from hear_fusion.tasks.writer import (
    Recording,
    check_sample_rates,
    read_recipe,
    write_task_folder,
)

SPLITS = ("train", "valid", "test")


def scene_task(**changes: object) -> TaskMetadata:
    known: dict[str, object] = {
        "task_name": "tiny",
        "version": "v1",
        "mode": "small",
        "embedding_type": "scene",
        "prediction_type": "multiclass",
        "splits": SPLITS,
        "sample_duration": 0.5,
        "evaluation": ("top1_acc",),
    }
    return TaskMetadata(**{**known, **changes})  # type: ignore[arg-type]


def scene_clips(labels: Sequence[str | int] = ("b", "a", "b")) -> list[Clip]:
    pairs = zip(SPLITS, labels, strict=True)
    return [Clip(f"{split}.wav", split, (label,)) for split, label in pairs]


def event_task() -> tuple[TaskMetadata, list[Clip]]:
    metadata = scene_task(
        embedding_type="event",
        prediction_type="multilabel",
        evaluation=("event_onset_200ms_fms",),
    )
    events = (Event("low", 20, 480), Event("high", 100.5, 130))
    return metadata, [Clip(f"{split}.wav", split, events=events) for split in SPLITS]


def ramps(n: int = 3, sample_rate: int = 16000) -> list[Recording]:
    return [Recording(np.linspace(-0.5, 0.5, 4000) / (i + 1), sample_rate) for i in range(n)]


def write(
    out: Path, metadata: TaskMetadata, clips: list[Clip], recipe: str = "r1", rates: object = None
) -> Path:
    sample_rates = (16000,) if rates is None else rates
    return write_task_folder(
        out,
        metadata,
        clips,
        ramps(len(clips)),
        sample_rates=sample_rates,  # type: ignore[arg-type]
        recipe=recipe,
    ).path


def test_a_scene_task_has_the_official_tree(tmp_path: Path) -> None:
    path = write(tmp_path, scene_task(), scene_clips(), rates=(16000, 32000))
    assert path == tmp_path / "tiny-v1-small"
    files = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    assert files == {
        "task_metadata.json",
        "labelvocabulary.csv",
        *(f"{split}.json" for split in SPLITS),
        *(f"{rate}/{split}/{split}.wav" for rate in (16000, 32000) for split in SPLITS),
    }
    assert (path / "labelvocabulary.csv").read_bytes() == b"idx,label\n0,a\n1,b\n"
    assert json.loads((path / "train.json").read_text()) == {"train.wav": ["b"]}
    metadata = json.loads((path / "task_metadata.json").read_text())
    assert metadata["splits"] == list(SPLITS)
    assert metadata["sample_duration"] == 0.5
    assert metadata["evaluation"] == ["top1_acc"]


def test_sounds_are_16_bit_mono_of_exact_length(tmp_path: Path) -> None:
    path = write(tmp_path, scene_task(), scene_clips(), rates=(16000, 48000))
    for rate in (16000, 48000):
        info = soundfile.info(path / str(rate) / "valid" / "valid.wav")
        assert (info.samplerate, info.channels, info.frames) == (rate, 1, rate // 2)
        assert info.subtype == "PCM_16"
    samples, _ = soundfile.read(path / "16000" / "train" / "train.wav", dtype="int16")
    expected = np.rint(np.linspace(-0.5, 0.5, 4000) * 32768)
    np.testing.assert_array_equal(samples[:4000], expected)
    assert not samples[4000:].any()


def test_clips_without_a_common_duration_keep_their_own(tmp_path: Path) -> None:
    path = write(tmp_path, scene_task(sample_duration=None), scene_clips(), rates=(16000, 32000))
    assert soundfile.info(path / "32000" / "test" / "test.wav").frames == 8000
    assert json.loads((path / "task_metadata.json").read_text())["sample_duration"] is None


def test_events_are_written_in_milliseconds(tmp_path: Path) -> None:
    path = write(tmp_path, *event_task())
    assert json.loads((path / "test.json").read_text()) == {
        "test.wav": [
            {"label": "low", "start": 20.0, "end": 480.0},
            {"label": "high", "start": 100.5, "end": 130.0},
        ]
    }
    assert (path / "labelvocabulary.csv").read_text() == "idx,label\n0,high\n1,low\n"


def test_heareval_finds_every_number_in_the_vocabulary(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    score = pytest.importorskip("heareval.score")
    path = write(
        tmp_path,
        scene_task(evaluation=("pitch_acc", "chroma_acc")),
        scene_clips(labels=(100, 99, 101)),
    )
    vocabulary = pandas.read_csv(path / "labelvocabulary.csv")
    index_of = score.label_vocab_as_dict(vocabulary, key="label", value="idx")
    assert index_of == {"99": 0, "100": 1, "101": 2}
    (label,) = json.loads((path / "train.json").read_text())["train.wav"]
    assert index_of[str(label)] == 1


def test_a_complete_folder_is_kept_and_its_sounds_not_asked_for(tmp_path: Path) -> None:
    write(tmp_path, scene_task(), scene_clips())

    def never() -> Iterator[Recording]:
        pytest.fail("a recording was asked for")
        yield

    kept = write_task_folder(
        tmp_path, scene_task(), scene_clips(), never(), sample_rates=(16000,), recipe="r1"
    )
    assert kept.kept
    assert kept.clips_by_split == {"train": 1, "valid": 1, "test": 1}
    assert (kept.n_classes, kept.seconds) == (2, 1.5)


def test_another_recipe_replaces_the_folder(tmp_path: Path) -> None:
    write(tmp_path, scene_task(), scene_clips())
    path = write(tmp_path, scene_task(), scene_clips(labels=("c", "c", "d")), recipe="r2")
    assert read_recipe(path) == "r2"
    assert "c" in (path / "labelvocabulary.csv").read_text()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_foreign_folder_is_not_touched(tmp_path: Path) -> None:
    foreign = tmp_path / "tiny-v1-small"
    foreign.mkdir()
    (foreign / "task_metadata.json").write_text('{"task_name": "tiny"}')
    with pytest.raises(FileExistsError, match="must not hold a foreign tiny-v1-small"):
        write(tmp_path, scene_task(), scene_clips())
    assert (foreign / "task_metadata.json").read_text() == '{"task_name": "tiny"}'


@pytest.mark.parametrize("before", [None, "r0"])
def test_an_interrupted_run_changes_nothing_and_the_next_one_succeeds(
    tmp_path: Path, before: str | None
) -> None:
    if before:
        write(tmp_path, scene_task(), scene_clips(), recipe=before)
    found = sorted(tmp_path.rglob("*"))

    def interrupted() -> Iterator[Recording]:
        yield ramps()[0]
        assert list(tmp_path.glob(".*/16000/train/train.wav")), "nothing was begun"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_task_folder(
            tmp_path, scene_task(), scene_clips(), interrupted(), sample_rates=(16000,), recipe="r1"
        )
    assert sorted(tmp_path.rglob("*")) == found
    assert read_recipe(tmp_path / "tiny-v1-small") == before
    assert read_recipe(write(tmp_path, scene_task(), scene_clips())) == "r1"


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    leftover = tmp_path / ".tiny-v1-small.partial" / "16000" / "train"
    leftover.mkdir(parents=True)
    (leftover / "stale.wav").write_bytes(b"RIFF")
    path = write(tmp_path, scene_task(), scene_clips())
    assert not list(path.rglob("stale.wav"))
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_missing_recording_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        write_task_folder(
            tmp_path, scene_task(), scene_clips(), ramps(2), sample_rates=(16000,), recipe="r1"
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rates", [(), (8000,), (16000, 16000)])
def test_only_the_rates_of_hear_are_taken(rates: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="sample_rates must be different rates"):
        check_sample_rates(rates)


def test_a_recipe_hears_every_change() -> None:
    clip = Clip("a.wav", "train", ("x",))
    recipes = {
        recipe_of([clip], 16000),
        recipe_of([clip], 32000),
        recipe_of([Clip("a.wav", "train", ("y",))], 16000),
        recipe_of([Clip("a.wav", "train", events=(Event("x", 0, 1),))], 16000),
    }
    assert len(recipes) == 4
