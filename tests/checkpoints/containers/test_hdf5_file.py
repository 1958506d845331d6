"""Keras weight files in the layouts that Keras has written over the years."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from hear_fusion.checkpoints import WeightsError, read_tensors

KERNEL = np.arange(18, dtype=np.float32).reshape(3, 3, 1, 2)
ARRAYS = {
    "layer1/conv/kernel": KERNEL,
    "layer3/depthwise_conv/depthwise_kernel": KERNEL + 1,
    "layer3/depthwise_conv/bn/moving_mean": np.arange(2, dtype=np.float32),
    "dense/bias": np.ones(5, dtype=np.float32),
}


def twice(name: str) -> str:
    layer = name.rpartition("/")[0]
    return f"{layer}/{name}:0"


LAYOUTS: dict[str, Callable[[str], str]] = {
    "legacy": twice,
    "once": lambda name: name,
    "once with output number": lambda name: f"{name}:0",
    "whole model": lambda name: f"model_weights/{twice(name)}",
    "below a model": lambda name: f"yamnet/{twice(name)}",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_names_do_not_depend_on_the_nesting(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "weights.pth"  # the name lies on purpose
    with h5py.File(path, "w") as file:
        for name, array in ARRAYS.items():
            file.create_dataset(LAYOUTS[layout](name), data=array)
        if layout == "whole model":
            file.create_dataset("optimizer_weights/iterations:0", data=3)
    tensors = read_tensors(path)
    assert tensors.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        torch.testing.assert_close(tensors[name], torch.from_numpy(array), rtol=0, atol=0)


def test_big_endian_values(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file["dense/kernel"] = KERNEL.astype(">f4")
    torch.testing.assert_close(
        read_tensors(path)["dense/kernel"], torch.from_numpy(KERNEL), rtol=0, atol=0
    )


def test_two_variables_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file["a/kernel:0"] = KERNEL
        file["a/a/kernel:0"] = KERNEL
    with pytest.raises(WeightsError, match="distinct names, got two of one name"):
        read_tensors(path)


def test_file_without_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.create_group("layer1")
    with pytest.raises(WeightsError, match="got none"):
        read_tensors(path)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.h5"
    with h5py.File(whole, "w") as file:
        for name, array in ARRAYS.items():
            file[twice(name)] = array
    data = whole.read_bytes()
    path = tmp_path / "cut.h5"
    for length in [*range(1, len(data), 97), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(WeightsError, match=r"cut\.h5"):
            read_tensors(path)
