"""Texts of other programs: `check` says of each what heareval does with it, and no verb breaks.

What heareval does is done here with the calls that heareval 2021.1.3 makes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import soundfile
import torch
from click.testing import CliRunner
from heareval.score import label_vocab_as_dict

from hear_fusion.cli import main
from hear_fusion.embeddings.sounds import read_sounds
from hear_fusion.errors import HearFusionError
from hear_fusion.tasks.check import check_task
from hear_fusion.tasks.folders import find_tasks, read_texts
from hear_fusion.tasks.resample import plan_resampling
from hear_fusion.tasks.schema import METADATA_FILE, VOCABULARY_FILE, TaskMetadata, read_labels
from hear_fusion.tasks.vocabulary import vocabulary_rows
from tests.tasks.hear_tasks import write_scene_task

Damage = Callable[[bytes], bytes]
DEEP = 10_000
DAMAGES: dict[str, Damage] = {
    "as it is": lambda data: data,
    "UTF-8 with mark": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "UTF-16 BE with mark": lambda data: b"\xfe\xff" + data.decode().encode("utf-16-be"),
    "UTF-16 without mark": lambda data: data.decode().encode("utf-16-le"),
    "UTF-32": lambda data: data.decode().encode("utf-32"),
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "CR": lambda data: data.replace(b"\n", b"\r"),
    "spaces behind": lambda data: data + b" \r\n\r\n\t\n",
    "lines before": lambda data: b"\n\r\n" + data,
    "empty": lambda _: b"",
    "a mark alone": lambda _: b"\xef\xbb\xbf",
    "a blank": lambda _: b" \n",
    "cut in half": lambda data: data[: len(data) // 2],
    "cut at the end": lambda data: data.rstrip()[:-1],
    "a zero byte": lambda data: data[:20] + b"\0" + data[20:],
    "zeros": lambda data: bytes(len(data)),
    "Latin-1": lambda data: data.replace(b"o", b"\xf6", 1),
    "a web page": lambda _: b"<!DOCTYPE html><html>not found</html>",
    "noise": lambda _: bytes(range(256)),
    "deep lists": lambda _: b"[" * DEEP + b"]" * DEEP,
    "deep objects": lambda _: b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep, unclosed": lambda _: b"[" * DEEP,
    "deep but read": lambda _: b'{"a":' * 300 + b"1" + b"}" * 300,
    "twice": lambda data: data + data,
}
WRONG_TYPES: dict[str, Any] = {
    "null": None, "true": True, "number": 5, "text": "a", "list": [1], "object": {"a": {"b": []}},
    "list of lists": [[[["a"]]]], "huge": 10**400, "infinite": float("inf"), "NaN": float("nan"),
    "zero": 0, "negative": -1.5, "vast": 1e300, "empty text": "", "empty list": [], "empty object": {}, "long": "a" * 5000,
}  # fmt: skip
FIRST = "tones-v1-full_train_0.wav"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    task = write_scene_task(tmp_path_factory.mktemp("whole") / "tones-v1-full", n_clips=3)
    metadata = json.loads((task / METADATA_FILE).read_text())
    (task / METADATA_FILE).write_text(json.dumps({**metadata, "evaluation": ["top1_acc"]}))
    return task


@pytest.fixture
def task(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "tasks" / whole.name)


def heareval_vocabulary(path: Path) -> dict[str, int]:
    """What heareval makes of the vocabulary (`label_vocab_nlabels`, `label_vocab_as_dict`)."""
    table = pd.read_csv(path)
    assert len(table) == table["idx"].max() + 1
    by_label: dict[str, int] = label_vocab_as_dict(table, key="label", value="idx")
    return by_label


def heareval(task: Path) -> None:
    """Read the texts as heareval's two runners do; fails as they do."""
    metadata = json.load((task / "task_metadata.json").open())
    for key in ("embedding_type", "prediction_type", "split_mode", "sample_duration"):
        metadata[key]
    by_label = heareval_vocabulary(task / "labelvocabulary.csv")
    for split in metadata["splits"]:
        clips = json.load((task / f"{split}.json").open())
        for labels in clips.values():
            assert len(labels) == 1
            index = [by_label[str(label)] for label in labels]
            torch.zeros((len(by_label),)).scatter(0, torch.tensor(index), 1.0)


def heareval_fails(task: Path) -> bool:
    try:
        heareval(task)
    except (Exception, RecursionError):
        return True
    return False


def errors(task: Path) -> list[str]:
    found = check_task(task, n_threads=1).findings
    return [f"{f.where}: {f.what}" for f in found if f.severity == "error"]


def assert_no_reader_breaks(task: Path) -> None:
    told = []
    for read in (
        TaskMetadata.read,
        read_texts,
        lambda task: read_sounds(task, 16000),
        lambda task: find_tasks(task.parent),
        lambda task: plan_resampling(task, 22050),
    ):
        try:
            read(task)
        except HearFusionError as err:
            told.append(str(err))
    assert all(task.name in words for words in told)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", [METADATA_FILE, "valid.json", VOCABULARY_FILE])
def test_check_says_what_heareval_does(task: Path, file: str, damage: str) -> None:
    path = task / file
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    found = errors(task)
    assert bool(found) == heareval_fails(task), found
    if found:
        assert any(line.startswith(file) or file in line for line in found)
    assert_no_reader_breaks(task)


@pytest.mark.parametrize("value", WRONG_TYPES)
@pytest.mark.parametrize("file", [METADATA_FILE, "valid.json"])
def test_a_file_of_another_type_is_an_error(task: Path, file: str, value: str) -> None:
    (task / file).write_text(json.dumps(WRONG_TYPES[value]))
    assert heareval_fails(task) or WRONG_TYPES[value] in ({}, [], "")
    assert errors(task)
    assert_no_reader_breaks(task)


KEYS = (
    "task_name", "version", "mode", "embedding_type", "prediction_type", "split_mode", "splits",
    "sample_duration", "evaluation", "evaluation_params", "nfolds", "recipe", "extra",
)  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", WRONG_TYPES)
def test_no_value_of_the_metadata_breaks_a_reader(task: Path, key: str, value: str) -> None:
    path = task / METADATA_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), key: WRONG_TYPES[value]}))
    errors(task)
    assert_no_reader_breaks(task)


@pytest.mark.parametrize("value", WRONG_TYPES)
def test_labels_of_another_type_are_an_error_that_names_the_clip(task: Path, value: str) -> None:
    path = task / "train.json"
    clips = json.loads(path.read_text())
    for labels in (WRONG_TYPES[value], [WRONG_TYPES[value]]):
        path.write_text(json.dumps({**clips, FIRST: labels}))
        found = errors(task)
        assert bool(found) == heareval_fails(task)
        assert all(FIRST in line or "label" in line for line in found)
        assert_no_reader_breaks(task)
        # Labels that are in no vocabulary are no matter of their type.
        if any("must have" in line or "must be text" in line for line in found):
            with pytest.raises(HearFusionError, match=FIRST):
                read_labels(task, "train")


VOCABULARIES = {
    "plain": "idx,label\n0,high\n1,low\n2,mid\n",
    "without the last line's end": "idx,label\n0,high\n1,low\n2,mid",
    "quoted": '"idx","label"\n"0","high"\n1,"low"\n2,"mid"\n',
    "quotes within": 'idx,label\n0,"hi"gh\n1,low\n2,mid\n',
    "doubled quotes": 'idx,label\n0,high\n1,low\n2,mid\n3,"a ""b"""\n',
    "a line end in a label": 'idx,label\n0,high\n1,low\n2,mid\n3,"a\nb"\n',
    "an open quote": 'idx,label\n0,high\n1,low\n2,"mid\n',
    "more columns": "idx,label,note\n0,high,a\n1,low,b\n2,mid,c\n",
    "columns in another order": "label,idx\nhigh,0\nlow,1\nmid,2\n",
    "more columns, rows cut short": "idx,label,note\n0,high\n1,low\n2,mid\n",
    "a row cut short": "idx,label\n0,high\n1,low\n2,mid\n3\n",
    "a first row cut short": "idx,label\n0\n1,low\n2,mid\n",
    "first row too long": "idx,label\n0,high,x\n1,low\n2,mid\n",
    "later row too long": "idx,label\n0,high\n1,low,x\n2,mid\n",
    "all rows too long": "idx,label\n0,high,\n1,low,\n2,mid,\n",
    "semicolons": "idx;label\n0;high\n1;low\n2;mid\n",
    "tabs": "idx\tlabel\n0\thigh\n1\tlow\n2\tmid\n",
    "spaces in the head": "idx, label\n0,high\n1,low\n2,mid\n",
    "spaces before idx": "idx,label\n 0,high\n 1,low\n 2,mid\n",
    "spaces after idx": "idx,label\n0 ,high\n1 ,low\n2 ,mid\n",
    "spaces before labels": "idx,label\n0, high\n1, low\n2, mid\n",
    "capitals in the head": "Idx,Label\n0,high\n1,low\n2,mid\n",
    "no head": "0,high\n1,low\n2,mid\n",
    "a head alone": "idx,label\n",
    "blank lines": "\n\nidx,label\n\n0,high\n\n1,low\n2,mid\n\n\n",
    "lines of spaces": "idx,label\n  \n0,high\n1,low\n2,mid\n   \n",
    "a line of commas": "idx,label\n0,high\n1,low\n2,mid\n,\n",
    "idx with a point": "idx,label\n0.0,high\n1.0,low\n2.0,mid\n",
    "one idx with a point": "idx,label\n0,high\n1.0,low\n2,mid\n",
    "idx with a sign": "idx,label\n+0,high\n+1,low\n+2,mid\n",
    "idx with zeros": "idx,label\n00,high\n01,low\n02,mid\n",
    "idx with underscores": "idx,label\n0,high\n1,low\n0_2,mid\n",
    "idx in other digits": "idx,label\n0,high\n\u0661,low\n2,mid\n",
    "idx of words": "idx,label\na,high\nb,low\nc,mid\n",
    "idx absent": "idx,label\n0,high\n,low\n2,mid\n",
    "idx true": "idx,label\nTrue,high\n",
    "idx huge": f"idx,label\n0,high\n1,low\n{10**30},mid\n",
    "counting from 1": "idx,label\n1,high\n2,low\n3,mid\n",
    "a label absent": "idx,label\n0,high\n1,\n2,mid\n",
    "no label of a clip": "idx,label\n0,high\n1,low\n",
    "idx,label,label": "idx,label,label\n0,high,a\n1,low,b\n2,mid,c\n",
    "a comment": "# labels\nidx,label\n0,high\n1,low\n2,mid\n",
    "a long field": f"idx,label\n0,high\n1,low\n2,mid\n3,{'x' * 100_000}\n",
    "accents": "idx,label\n0,high\n1,low\n2,mid\n3,\u00e9\u4e16\n",
}  # fmt: skip


# heareval goes on with a label called "nan".
LOSES_A_LABEL = ("a row cut short",)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("name", VOCABULARIES)
def test_check_reads_vocabularies_as_pandas_does(task: Path, name: str, mark: str) -> None:
    path = task / VOCABULARY_FILE
    path.write_text(mark + VOCABULARIES[name], encoding="utf-8", newline="")
    fails = heareval_fails(task)
    assert bool(errors(task)) == (fails or name in LOSES_A_LABEL)
    if not fails and name not in LOSES_A_LABEL:
        ours = {label: index for index, label in vocabulary_rows(path)}
        assert ours == heareval_vocabulary(path)


@pytest.mark.parametrize("name", ["A.WAV", "a.flac", "a", "a b.Wav", "\u00e9.wav", "a\\b.wav"])
def test_names_that_heareval_takes_are_no_errors(task: Path, name: str) -> None:
    rename(task, name)
    assert errors(task) == []
    assert not heareval_fails(task)


@pytest.mark.parametrize("name", ["a.raw", "b.RAW"])
def test_names_that_heareval_cannot_read_are_errors(task: Path, name: str) -> None:
    rename(task, name)
    with pytest.raises(TypeError):
        soundfile.read(str(task / "16000" / "train" / name))
    assert any("must not end in .raw" in line for line in errors(task))


@pytest.mark.parametrize("name", ["", ".", "..", "../x.wav", "a\0.wav", "\ud800.wav", "a" * 300])
def test_names_that_no_file_has_are_errors_and_break_no_reader(
    task: Path, name: str, tmp_path: Path
) -> None:
    path = task / "train.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: ["low"]}))
    assert errors(task)
    assert_no_reader_breaks(task)
    for verb in (
        ["tasks", "check", str(task)],
        ["tasks", "resample", str(task), "--sample-rate", "22050", "--jobs", "1"],
    ):
        shown = CliRunner().invoke(main, verb)
        assert shown.exit_code == 1
        assert isinstance(shown.exception, SystemExit), shown.exception
    assert not list(tmp_path.rglob("x.wav"))


def test_embed_tells_of_every_damaged_text_and_goes_on(
    whole: Path, tmp_path: Path, weight_files: dict[str, Path]
) -> None:
    damaged = {}
    for i, damage in enumerate(DAMAGES):
        task = shutil.copytree(whole, tmp_path / "tasks" / f"t{i:02}-v1-full")
        (task / "valid.json").write_bytes(DAMAGES[damage]((task / "valid.json").read_bytes()))
        damaged[task.name] = heareval_fails(task)
    assert 15 < sum(damaged.values()) < len(damaged)
    places = ("--tasks-dir", tmp_path / "tasks", "--store", tmp_path / "store")
    words = ("embed", "--backbone", "yamnet", "--weights", weight_files["yamnet"], *places)
    shown = CliRunner().invoke(main, [str(word) for word in words])
    assert shown.exit_code == 1
    assert isinstance(shown.exception, SystemExit), shown.exception
    told = shown.output
    assert {name for name in damaged if f"Error: {name}: " in told} == {
        name for name, fails in damaged.items() if fails
    }
    assert {name for name in damaged if f"{name}: 9 clips" in told} == {
        name for name, fails in damaged.items() if not fails
    }


def rename(task: Path, name: str) -> None:
    path = task / "train.json"
    clips = json.loads(path.read_text())
    clips[name] = clips.pop(FIRST)
    path.write_text(json.dumps(clips))
    folder = task / "16000" / "train"
    (folder / FIRST).rename(folder / name)


def test_one_name_in_two_splits_is_a_note(task: Path) -> None:
    path = task / "valid.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), FIRST: ["high"]}))
    source = task / "16000" / "valid" / "tones-v1-full_valid_0.wav"
    shutil.copy(source, source.with_name(FIRST))
    assert errors(task) == []
    notes = [f.what for f in check_task(task).findings]
    assert any(f"unique in all splits of a task, got {FIRST!r} twice" in what for what in notes)
