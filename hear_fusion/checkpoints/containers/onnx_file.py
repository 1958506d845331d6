"""Read the float weights of an ONNX graph, through simulated quantisation if there is any."""

from typing import Any

import torch
from torch import Tensor

from hear_fusion.checkpoints.containers.sources import Source, require
from hear_fusion.checkpoints.records import WeightsError

_PASSED_THROUGH = ("QuantizeLinear", "DequantizeLinear")


def read_onnx(source: Source) -> dict[str, Tensor]:
    """Read the float initialisers of an ONNX model.

    Exporters give convolution weights running numbers for names, so these are renamed by the
    order of the graph's ``Conv`` nodes, and found even where the graph rounds them first.

    Args:
        source: An ONNX file; its external data must lie beside it.

    Returns:
        ``conv.0.weight``, ``conv.0.bias``, ... (out, in / groups, height, width) in graph
        order, then the other float initialisers under their own names.

    Raises:
        WeightsError: If onnx is missing, the file or its data is damaged, or a convolution has
            no float weights.
    """
    graph = _load_graph(source)
    stored = {tensor.name: tensor for tensor in graph.initializer}
    producers = {output: node for node in graph.node for output in node.output}
    reader = _InitialiserReader(source)
    tensors: dict[str, Tensor] = {}
    used: set[str] = set()
    for index, node in enumerate(node for node in graph.node if node.op_type == "Conv"):
        for role, name in zip(("weight", "bias"), node.input[1:3], strict=False):
            if not name:  # an optional input that is left out
                continue
            origin = _origin(name, producers)
            if origin not in stored or not reader.is_float(stored[origin]):
                raise WeightsError(
                    f"path must hold float weights for every convolution, got none for the "
                    f"{role} {name!r} of Conv {index} in {source.label}; export without "
                    "quantisation, or with simulated quantisation only"
                )
            tensors[f"conv.{index}.{role}"] = reader.read(stored[origin])
            used.add(origin)
    for name, tensor in stored.items():
        if name not in used and reader.is_float(tensor):
            tensors[name] = reader.read(tensor)
    if not tensors:
        raise source.damaged("ONNX", "it holds no float initialiser")
    return tensors


def _load_graph(source: Source) -> Any:
    onnx = require("onnx", "onnx", source.label)
    with source.reading("ONNX"):
        model = onnx.load_model_from_string(source.stream.read())
    # Cut exactly between two fields, a file still parses; the operator set is written last.
    if not model.opset_import or not model.HasField("graph"):
        raise source.damaged("ONNX", "no graph or operator set")
    return model.graph


def _origin(name: str, producers: dict[str, Any]) -> str:
    """Follow a value back through rounding nodes to where it comes from."""
    for _ in range(len(producers)):  # bounded: a damaged graph may run in circles
        node = producers.get(name)
        if node is None or node.op_type not in _PASSED_THROUGH:
            break
        name = node.input[0]
    return name


class _InitialiserReader:
    """Turns initialisers into tensors, reading each external data file once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._onnx = require("onnx", "onnx", source.label)
        self._to_array = require("onnx.numpy_helper", "onnx", source.label).to_array
        self._data: dict[str, bytes] = {}
        types = self._onnx.TensorProto
        self._float_types = (types.FLOAT, types.FLOAT16, types.DOUBLE)

    def is_float(self, tensor: Any) -> bool:
        return tensor.data_type in self._float_types

    def read(self, tensor: Any) -> Tensor:
        with self._source.reading(f"ONNX (tensor {tensor.name!r})"):
            if tensor.data_location == self._onnx.TensorProto.EXTERNAL:
                tensor = self._with_data_inside(tensor)
            array = self._to_array(tensor)
        return torch.from_numpy(array.copy())

    def _with_data_inside(self, tensor: Any) -> Any:
        place = {entry.key: entry.value for entry in tensor.external_data}
        location = place.get("location", "")
        if location not in self._data:
            self._data[location] = self._source.read_beside(location)
        data = self._data[location]
        start = int(place.get("offset", 0))
        stop = start + int(place["length"]) if "length" in place else len(data)
        if stop > len(data):
            raise self._source.damaged(
                "ONNX data", f"{location!r} has {len(data)} bytes, {tensor.name!r} ends at {stop}"
            )
        inside = self._onnx.TensorProto()
        inside.CopyFrom(tensor)
        del inside.external_data[:]
        inside.data_location = self._onnx.TensorProto.DEFAULT
        inside.raw_data = data[start:stop]
        return inside
