"""TensorFlow checkpoints of both versions, recognised by how they end."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from hear_fusion.checkpoints import WeightsError, read_tensors
from tests.checkpoints.containers.tensorflow_files import write_checkpoint

VARIABLES = {
    "net/conv1/weights": np.arange(18, dtype=np.float32).reshape(3, 3, 1, 2),
    "net/fc/biases": np.arange(5, dtype=np.float32),
    "global_step": np.array(7),
}


def assert_read(path: Path) -> None:
    tensors = read_tensors(path)
    assert tensors.keys() == VARIABLES.keys()
    for name, value in VARIABLES.items():
        torch.testing.assert_close(tensors[name], torch.from_numpy(value), rtol=0, atol=0)


def test_version_1_under_any_name(tmp_path: Path) -> None:
    write_checkpoint(VARIABLES, tmp_path / "weights.pth", version=1)
    assert_read(tmp_path / "weights.pth")


def test_version_2_by_its_index(tmp_path: Path) -> None:
    write_checkpoint(VARIABLES, tmp_path / "model", version=2)
    assert_read(tmp_path / "model.index")
    (tmp_path / "model.data-00000-of-00001").unlink()
    with pytest.raises(WeightsError, match=r"whole TensorFlow file.*model\.index.*data-00000"):
        read_tensors(tmp_path / "model.index")


def test_truncated_and_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    write_checkpoint(VARIABLES, tmp_path / "whole", version=1)
    data = (tmp_path / "whole").read_bytes()
    cut = tmp_path / "cut"
    for content in (data[:-1], data[: len(data) // 2], data[:8]):
        cut.write_bytes(content)
        with pytest.raises(WeightsError, match="cut"):
            read_tensors(cut)
    for content in (data[-100:], data[-8:], bytes(100) + data[-48:], data[:50] + data[70:]):
        cut.write_bytes(content)
        with pytest.raises(WeightsError, match="whole TensorFlow file, got a truncated or damaged"):
            read_tensors(cut)


def test_without_tensorflow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoint(VARIABLES, tmp_path / "w.ckpt", version=1)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(WeightsError, match="pip install tensorflow"):
        read_tensors(tmp_path / "w.ckpt")
