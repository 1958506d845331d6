"""Read TensorFlow checkpoints: the single file of version 1, or version 2 by its index."""

import contextlib
import importlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hear_fusion.checkpoints.containers.sources import Source, require
from hear_fusion.checkpoints.records import WeightsError

# Where TensorFlow 2 describes the program's objects, among which it keeps the variables.
_OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"
_OPTIMIZER_SLOT = "/.OPTIMIZER_SLOT/"


def read_tensorflow(source: Source) -> dict[str, Tensor]:
    """Read every variable of a checkpoint.

    Values stay as stored: kernels are not transposed. Texts, and what an optimiser keeps beside
    a variable, are left out.

    Args:
        source: A checkpoint of version 1, or an ``.index`` file with its data beside it; on disk,
            for TensorFlow opens it itself.

    Returns:
        Tensors on the CPU by the variables' names, such as ``vggish/conv1/weights``; of variables
        of one name, those after the first go by their place among the program's objects.

    Raises:
        WeightsError: If TensorFlow is missing, the checkpoint is damaged or lies in an archive.
    """
    if source.path is None:
        raise WeightsError(
            f"path must be a TensorFlow checkpoint on disk, got {source.label}; take it out of "
            "the archive"
        )
    # torch imports it in its own time, and the process dies if TensorFlow was there before.
    with contextlib.suppress(ImportError):
        importlib.import_module("triton")
    tensorflow: Any = require("tensorflow", "tensorflow", source.label)
    tensors: dict[str, Tensor] = {}
    with source.reading("TensorFlow"):
        reader = tensorflow.train.load_checkpoint(str(source.path).removesuffix(".index"))
        names = _names_of_variables(reader, source)
        for key, kind in sorted(reader.get_variable_to_dtype_map().items()):
            if kind == tensorflow.string or _OPTIMIZER_SLOT in key:
                continue
            tensor = _tensor(reader.get_tensor(key))
            name = names.get(key, key)
            is_new = name not in tensors or torch.equal(tensors[name], tensor)
            tensors[name if is_new else key] = tensor
    return tensors


def _names_of_variables(reader: Any, source: Source) -> dict[str, str]:
    """Tell by its place what a program of TensorFlow 2 called each variable."""
    if not reader.has_tensor(_OBJECTS):
        return {}
    proto = "tensorflow.core.protobuf.trackable_object_graph_pb2"
    graph = require(proto, "tensorflow", source.label).TrackableObjectGraph()
    graph.ParseFromString(reader.get_tensor(_OBJECTS))
    variables = [variable for node in graph.nodes for variable in node.attributes]
    return {variable.checkpoint_key: variable.full_name or variable.checkpoint_key
            for variable in variables}  # fmt: skip


def _tensor(value: Any) -> Tensor:
    array = np.asarray(value)
    # TensorFlow's own small floats are no types of NumPy's.
    return torch.as_tensor(array.astype(np.float32) if array.dtype.kind == "V" else array)
