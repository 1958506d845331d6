from dataclasses import replace

import pytest

from hear_fusion.tasks.rules import check_clips, check_metadata
from hear_fusion.tasks.schema import Clip, Event, TaskMetadata
from hear_fusion.tasks.vocabulary import label_vocabulary

SCENE = TaskMetadata(
    task_name="tiny",
    version="v1",
    mode="small",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("train", "valid", "test"),
    sample_duration=1.0,
    evaluation=("top1_acc",),
)
EVENT = replace(
    SCENE, embedding_type="event", prediction_type="multilabel", evaluation=("segment_1s_er",)
)
CLIPS = [Clip(f"{split}.wav", split, ("a",)) for split in SCENE.splits]
FOLDS = ("fold00", "fold01", "fold02")


def test_a_valid_task_passes() -> None:
    check_metadata(SCENE)
    check_clips(SCENE, CLIPS)
    folds = replace(SCENE, split_mode="presplit_kfold", splits=FOLDS)
    check_metadata(folds)
    assert folds.as_json()["nfolds"] == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task_name": "a/b"}, "task_name, version and mode must be letters"),
        ({"splits": ("train", "validation", "test")}, "splits must be"),
        ({"splits": ("train", "test", "valid")}, "splits must be"),
        ({"split_mode": "presplit_kfold"}, "splits must be three or more of fold00"),
        ({"split_mode": "presplit_kfold", "splits": FOLDS[:2]}, "three or more"),
        ({"split_mode": "presplit_kfold", "splits": ("fold0", "fold1", "fold2")}, "fold00"),
        ({"evaluation": ()}, "evaluation must name scores"),
        ({"evaluation": ("accuracy",)}, "evaluation must name scores"),
        ({"sample_duration": 0}, "sample_duration must be seconds above 0"),
    ],
)
def test_metadata_that_heareval_would_refuse(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_metadata(replace(SCENE, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (Clip("a.flac", "train", ("a",)), "bare name that ends in .wav"),
        (Clip(".wav", "train", ("a",)), "bare name"),
        (Clip("sub/a.wav", "train", ("a",)), "bare name"),
        (Clip("train.wav", "test", ("a",)), "unique in all splits"),
        (Clip("a.wav", "eval", ("a",)), "split must be one of"),
        (Clip("a.wav", "train"), "exactly one label"),
        (Clip("a.wav", "train", ("a", "b")), "exactly one label"),
        (Clip("a.wav", "train", ("a",), (Event("a", 0, 1),)), "events must be empty"),
    ],
)
def test_scene_clips_that_break_a_rule(clip: Clip, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_clips(SCENE, [*CLIPS, clip])


@pytest.mark.parametrize(("start_ms", "end_ms"), [(-1, 5), (5, 5), (6, 5), (900, 1000.5)])
def test_events_outside_the_clip(start_ms: float, end_ms: float) -> None:
    good = [Clip(f"{split}.wav", split, events=(Event("a", 0, 1000),)) for split in SCENE.splits]
    check_clips(EVENT, good)
    with pytest.raises(ValueError, match="0 <= start < end"):
        check_clips(EVENT, [*good, Clip("x.wav", "train", events=(Event("a", start_ms, end_ms),))])


def test_labels_do_not_belong_to_event_clips() -> None:
    with pytest.raises(ValueError, match="labels must be empty"):
        check_clips(EVENT, [Clip("a.wav", "train", ("a",))])


def test_an_empty_split_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"fill every split, got none for \['valid'\]"):
        check_clips(SCENE, [clip for clip in CLIPS if clip.split != "valid"])


def test_chroma_wants_successive_pitches() -> None:
    task = replace(SCENE, evaluation=("pitch_acc", "chroma_acc"))

    def clips(*keys: int) -> list[Clip]:
        pairs = zip(task.splits, keys, strict=True)
        return [Clip(f"{key}.wav", split, (key,)) for split, key in pairs]

    check_clips(task, clips(100, 99, 101))
    with pytest.raises(ValueError, match="successive whole numbers"):
        check_clips(task, clips(100, 98, 101))


def test_numbers_sort_by_value_and_words_by_letters() -> None:
    assert label_vocabulary([100, 20, 3, 20]) == ["3", "20", "100"]
    assert label_vocabulary(["100", "20", "b3"]) == ["100", "20", "b3"]


@pytest.mark.parametrize("labels", [["021", "22"], ["1.5", "2"], ["inf"], ["NA", "b"], ["null"]])
def test_labels_that_pandas_would_change(labels: list[str]) -> None:
    with pytest.raises(ValueError, match="labels"):
        label_vocabulary(labels)


def test_extras_cannot_replace_what_heareval_reads() -> None:
    assert replace(SCENE, extras={"splits": [], "notice": "x"}).as_json()["splits"] == [
        "train",
        "valid",
        "test",
    ]
