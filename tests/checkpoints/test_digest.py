"""Digests depend on names, dtypes, shapes and values, and on nothing else."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from hear_fusion.checkpoints import file_sha256, read_tensors, tensors_sha256

BASE = {"a": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(3), "e": torch.zeros(0, 2)}


def test_by_hand() -> None:
    expected = hashlib.sha256(b'["w", "float32", [2]]\n' + b"\0\0\x80?\0\0\0@").hexdigest()
    assert tensors_sha256({"w": torch.tensor([1.0, 2.0])}) == expected


def test_equal_weights_in_two_containers_and_orders(tmp_path: Path) -> None:
    torch.save({"model": BASE}, tmp_path / "a")
    save_file(dict(reversed(BASE.items())), tmp_path / "b")
    assert file_sha256(tmp_path / "a") != file_sha256(tmp_path / "b")
    digests = {tensors_sha256(read_tensors(tmp_path / name)) for name in "ab"}
    assert digests == {tensors_sha256(BASE)}


def test_memory_layout_does_not_matter() -> None:
    for tensor in (torch.arange(6.0).reshape(3, 2).t(), torch.arange(6.0)[::2]):
        assert not tensor.is_contiguous()
        assert tensors_sha256({"a": tensor}) == tensors_sha256({"a": tensor.contiguous()})


@pytest.mark.parametrize(
    "other",
    [
        {**BASE, "a": BASE["a"] + 1e-6},
        {**BASE, "a": BASE["a"].reshape(3, 2)},
        {**BASE, "e": torch.zeros(2, 0)},
        {**BASE, "n": torch.tensor(3, dtype=torch.int32)},
        {"b": BASE["a"], "n": BASE["n"], "e": BASE["e"]},
        {"a": BASE["a"], "n": BASE["n"]},
    ],
    ids=["value", "shape", "shape of nothing", "dtype", "name", "one less"],
)
def test_any_difference_shows(other: dict[str, torch.Tensor]) -> None:
    assert tensors_sha256(other) != tensors_sha256(BASE)


def test_file_longer_than_a_chunk(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    (tmp_path / "f").write_bytes(data)
    assert file_sha256(tmp_path / "f") == hashlib.sha256(data).hexdigest()
