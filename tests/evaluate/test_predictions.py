"""What heareval left is read without trust, and named where it is damaged."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from hear_fusion.errors import InvalidError
from hear_fusion.evaluate.memory import damaged_matrix, embeddings_bytes
from hear_fusion.evaluate.predictions import read_official_score, read_predictions
from tests.tasks.hear_tasks import write_scene_task

PREDICTIONS = {"target": torch.eye(3), "prediction": torch.ones(3, 3)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "test.predictions.pkl").write_bytes(pickle.dumps(PREDICTIONS))
    return tmp_path / "test.predictions.pkl"


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
def test_any_byte_may_be_another_and_any_end_missing(path: Path) -> None:
    assert read_predictions(path).keys() == PREDICTIONS.keys()
    content = path.read_bytes()
    said = []
    for at in range(len(content)):
        for damaged in (
            content[:at],
            content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :],
        ):
            path.write_bytes(damaged)
            try:
                read_predictions(path)
            except InvalidError as err:
                said.append(str(err))
    assert len(said) > len(content)
    assert all(words.startswith(f"{path} must be a file of heareval, got: ") for words in said)


@pytest.mark.parametrize("content", [None, [], {}, {"target": 1}, "text", 7])
def test_other_data_are_refused(path: Path, content: Any) -> None:
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(InvalidError, match="must be a file of heareval"):
        read_predictions(path)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "[" * 100_000, '{"test": []}', '{"test": {"test_a": "0.5"}}',
     '{"test": {"test_a": null}}', '{"aggregated_scores": 3}', "\ufeff{}"],
)  # fmt: skip
def test_a_score_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "test.predicted-scores.json").write_text(text)
    with pytest.raises(InvalidError, match=rf"{tmp_path}/test\.predicted-scores\.json must hold"):
        read_official_score(tmp_path, "a")


@pytest.mark.parametrize("text", ["", "[", "[3]", "[3, null]", "{}", '["3", 4]', "[3, 4, 5]"])
def test_sizes_that_are_none_are_named(tmp_path: Path, text: str) -> None:
    folder = write_scene_task(tmp_path / "t", n_clips=1)
    for split in ("train", "valid", "test"):
        (folder / f"{split}.embedding-dimensions.json").write_text("[3, 4]")
        (folder / f"{split}.embeddings.npy").write_bytes(bytes(48))
    assert embeddings_bytes(folder) == 144
    assert damaged_matrix(folder, ["train", "valid", "test"]) is None
    (folder / "test.embeddings.npy").unlink()  # to save room
    assert damaged_matrix(folder, ["train", "valid", "test"]) is None
    (folder / "train.embeddings.npy").write_bytes(bytes(47))
    assert damaged_matrix(folder, ["valid", "train"]) == folder / "train.embeddings.npy"
    path = folder / "valid.embedding-dimensions.json"
    path.write_text(text)
    assert damaged_matrix(folder, ["valid"]) == path
    with pytest.raises(InvalidError, match=f"{path} must hold two numbers, got: .* delete"):
        embeddings_bytes(folder)
