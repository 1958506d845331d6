"""Read the weights that Keras wrote into HDF5."""

import re
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hear_fusion.checkpoints.containers.sources import Source, require
from hear_fusion.checkpoints.records import WeightsError

# Keras 3 numbers the variables of each layer, and the layers by their kinds.
_KERAS_3 = re.compile(r"(^|/)vars/\d+$")


def read_hdf5(source: Source) -> dict[str, Tensor]:
    """Read every dataset of numbers in a Keras weight file.

    Values stay as stored: kernels are not transposed. Of a whole saved model only the group
    ``model_weights`` is read.

    Args:
        source: An HDF5 file.

    Returns:
        Tensors by normalised name, such as ``layer3/depthwise_conv/bn/moving_mean``.

    Raises:
        WeightsError: If h5py is missing, or the file is damaged, holds no dataset, two of one
            name or Keras 3's numbered ones.
    """
    h5py = require("h5py", "h5py", source.label)
    arrays: list[tuple[str, Any]] = []

    def collect(path: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiub":
            arrays.append((normalised_name(path), item[()]))

    with source.reading("HDF5"):
        with h5py.File(source.stream, "r") as file:
            root = file.get("model_weights", file)
            root.visititems(collect)
        tensors = {name: _tensor(array) for name, array in arrays}
    if any(_KERAS_3.search(name) for name, _ in arrays):
        raise WeightsError(
            f"path must hold weights by their layers' names, got Keras 3's numbered ones: "
            f"{source.label}; load it in Keras and save the whole model as HDF5, with "
            "model.save('FILE.h5')"
        )
    if not arrays or len(tensors) < len(arrays):
        got = "two of one name" if arrays else "none"
        raise WeightsError(
            f"path must hold weights of distinct names, got {got} in {source.label}; "
            "save them with Keras' model.save_weights"
        )
    return tensors


def normalised_name(path: str) -> str:
    """Give a dataset the name of its layer and variable, however deep Keras nested it.

    Keras' legacy layout has a group a layer, and in it the variable under its full name, which
    starts with the layer's name again.

    Args:
        path: Path of the dataset inside the file.

    Returns:
        ``layer/variable`` without repetition and without ``:0``.

    >>> normalised_name("layer1/conv/layer1/conv/kernel:0")
    'layer1/conv/kernel'
    """
    *layer, variable = path.strip("/").split("/")
    for n_parts in range(len(layer) // 2, 0, -1):
        if layer[-n_parts:] == layer[-2 * n_parts : -n_parts]:
            layer = layer[-n_parts:]
            break
    return "/".join([*layer, variable.partition(":")[0]])


def _tensor(array: Any) -> Tensor:
    values = np.asarray(array)
    # torch has no big-endian types, which HDF5 may store; copy() makes the memory writable.
    return torch.from_numpy(values.astype(values.dtype.newbyteorder("="), order="C", copy=True))
