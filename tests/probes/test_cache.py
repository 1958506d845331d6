"""Results of heads survive the way through a file, and count for what they were made with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hear_fusion.files.records import NewerFormatError
from hear_fusion.probes.cache import read_result, write_result
from hear_fusion.probes.linear import LinearResult
from tests.files.damaged import NEWER_WORDS

RNG = np.random.default_rng(0)
RESULT = LinearResult(
    1e-3,
    RNG.random((2, 3)),
    RNG.random((2, 3)),
    tuple(RNG.random((2, n)) > 0.5 for n in (4, 5, 6)),
    RNG.integers(9, size=(2, 3)),
    {1e-3: 0.5, 1e-2: 0.25},
    1.5,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_result(tmp_path / "task" / "cnn14_3.npz", "recipe", RESULT)
    return tmp_path / "task" / "cnn14_3.npz"


def changed(**changes: Any) -> Callable[[Path], object]:
    """Change arrays of the file; an Ellipsis takes one out."""

    def change(path: Path) -> None:
        with np.load(path) as arrays:
            content = dict(arrays) | changes
        kept = {name: value for name, value in content.items() if value is not ...}
        np.savez(path, allow_pickle=True, **kept)

    return change


def damage_inside(path: Path) -> None:
    content = bytearray(path.read_bytes())
    name = content.index(b"test_accuracy.npy")
    # The first data of the array, behind its name and the field of the archive that follows it.
    start = name + len("test_accuracy.npy") + int.from_bytes(content[name - 2 : name], "little")
    content[start : start + 8] = b"\xff" * 8
    path.write_bytes(content)


@pytest.mark.parametrize("change", [lambda _path: None, changed(added_since=np.zeros(3))])
def test_results_are_read_as_they_were_written(
    path: Path, change: Callable[[Path], object]
) -> None:
    change(path)
    result = read_result(path, "recipe")
    assert result is not None
    assert (result.learning_rate, result.valid_by_learning_rate) == (1e-3, {1e-3: 0.5, 1e-2: 0.25})
    assert result.wall_s == 1.5
    for name in ("valid_accuracy", "test_accuracy", "best_epoch"):
        np.testing.assert_array_equal(getattr(result, name), getattr(RESULT, name))
    for one, other in zip(result.correct, RESULT.correct, strict=True):
        np.testing.assert_array_equal(one, other)
    assert read_result(path, "another") is None


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:200]),
        damage_inside,
        lambda path: path.write_text("no archive"),
        lambda path: np.save(path.open("wb"), np.zeros(3)),
        changed(format=...),
        changed(format="1"),
        changed(format=np.array([1, 1])),
        changed(wall_s=...),
        changed(test_accuracy=np.zeros(2)),
        changed(correct_02=...),
        changed(valid_by_learning_rate=json.dumps([1])),
        changed(learning_rate="fast"),
        changed(valid_accuracy=np.array([{}], dtype=object)),
        changed(valid_accuracy=np.array([["a"] * 3] * 2)),
        changed(valid_accuracy=np.zeros((3, 2))),
        changed(best_epoch=np.zeros((2, 3))),
        changed(correct_01=np.zeros((2, 5))),
        changed(correct_01=np.zeros((3, 5), dtype=bool)),
        changed(valid_by_learning_rate=json.dumps({"1e-3": None})),
    ],
)
def test_what_is_damaged_or_from_before_is_to_be_made_anew(
    path: Path, damage: Callable[[Path], object]
) -> None:
    damage(path)
    assert read_result(path, "recipe") is None


def test_a_newer_one_is_refused(path: Path) -> None:
    changed(format=2)(path)
    with pytest.raises(NewerFormatError, match=f"{path} {NEWER_WORDS}"):
        read_result(path, "recipe")


def test_any_byte_of_it_may_be_another(path: Path) -> None:
    content = path.read_bytes()
    for at in range(0, len(content), 3):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
        read_result(path, "recipe")
        path.write_bytes(content[:at])
        assert read_result(path, "recipe") is None
