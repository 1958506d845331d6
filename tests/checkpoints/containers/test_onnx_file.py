"""ONNX graphs forged like an exporter's: simulated quantisation, data in a second file."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from hear_fusion.checkpoints import WeightsError, read_tensors

_RNG = np.random.default_rng(2)
WEIGHTS = {
    "onnx::Conv_9": _RNG.standard_normal((4, 1, 3, 3), dtype=np.float32),
    "onnx::Conv_10": _RNG.standard_normal(4, dtype=np.float32),
    "onnx::Conv_1": _RNG.standard_normal((6, 4, 1, 1), dtype=np.float32),
    "classifier.weight": _RNG.standard_normal((5, 6), dtype=np.float32),
}
EXPECTED = {
    "conv.0.weight": WEIGHTS["onnx::Conv_9"],
    "conv.0.bias": WEIGHTS["onnx::Conv_10"],
    "conv.1.weight": WEIGHTS["onnx::Conv_1"],
    "classifier.weight": WEIGHTS["classifier.weight"],
    "scale": np.float32(0.5),
}


def rounded(name: str) -> tuple[list[Any], str]:
    """Two nodes that simulate int8, and the name of their output."""
    nodes = [
        helper.make_node("QuantizeLinear", [name, "scale", "zero"], [f"{name}_q"]),
        helper.make_node("DequantizeLinear", [f"{name}_q", "scale", "zero"], [f"{name}_dq"]),
    ]
    return nodes, f"{name}_dq"


def forge(weights: dict[str, Any]) -> Any:
    first, first_weight = rounded("onnx::Conv_9")
    bias, first_bias = rounded("onnx::Conv_10")
    last, last_weight = rounded("classifier.weight")
    nodes = [
        *last,  # not in the order of the network, as in real files
        *first,
        *bias,
        helper.make_node("Conv", ["x", first_weight, first_bias], ["y"]),
        helper.make_node("Conv", ["y", "onnx::Conv_1"], ["z"]),
        helper.make_node("MatMul", ["z", last_weight], ["out"]),
    ]
    stored = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    stored += [
        numpy_helper.from_array(np.array(0.5, np.float32), "scale"),
        numpy_helper.from_array(np.array(0, np.int8), "zero"),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "forged",
        [value("x", TensorProto.FLOAT, None)],
        [value("out", TensorProto.FLOAT, None)],
        stored,
    )
    return helper.make_model(graph, producer_name="a test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with model.onnx and model.data."""
    folder = tmp_path / "job"
    folder.mkdir()
    onnx.save_model(
        forge(WEIGHTS),
        folder / "model.onnx",
        save_as_external_data=True,
        location="model.data",
        size_threshold=8,
    )
    assert (folder / "model.data").stat().st_size >= sum(a.nbytes for a in WEIGHTS.values())
    return folder


def zipped(folder: Path, *names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("job")
        for name in names or ("model.onnx", "model.data"):
            archive.write(folder / name, f"job/{name}")
    return stream.getvalue()


def assert_expected(path: Path) -> None:
    tensors = read_tensors(path)
    assert tensors.keys() == EXPECTED.keys()
    for name, array in EXPECTED.items():
        torch.testing.assert_close(tensors[name], torch.tensor(array), rtol=0, atol=0)


def test_file_with_its_data_beside_it(folder: Path) -> None:
    assert_expected(folder / "model.onnx")


def test_file_with_its_data_inside(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    onnx.save_model(forge(WEIGHTS), path)
    assert_expected(path)


def test_zip_is_read_without_writing_to_disk(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(zipped(folder))
    before = sorted(tmp_path.rglob("*"))
    assert_expected(path)
    assert sorted(tmp_path.rglob("*")) == before


def test_wheel_that_holds_the_zip(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("package/__init__.py", "import os\n")
        wheel.writestr("package/data/model.onnx.zip", zipped(folder))
        wheel.writestr("package-1.0.dist-info/RECORD", "")
    assert_expected(path)


def test_data_file_missing_beside_the_file_or_in_the_zip(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.zip"
    path.write_bytes(zipped(folder, "model.onnx"))
    with pytest.raises(WeightsError, match=r"'job/model\.data'.*half\.zip without it"):
        read_tensors(path)
    (folder / "model.data").unlink()
    with pytest.raises(WeightsError, match=r"'model\.data' beside it"):
        read_tensors(folder / "model.onnx")


def test_data_file_outside_the_folder_is_not_read(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    (folder / "model.data").rename(folder.parent / "model.data")
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../model.data"
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match="beside it"):
        read_tensors(folder / "model.onnx")


def test_truncated_data_file_is_refused(folder: Path) -> None:
    data = (folder / "model.data").read_bytes()
    (folder / "model.data").write_bytes(data[:-2])  # the last byte is an int8, which is not read
    with pytest.raises(WeightsError, match=r"truncated.*model\.data"):
        read_tensors(folder / "model.onnx")


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    data = forge(WEIGHTS).SerializeToString()
    path = tmp_path / "cut.onnx"
    for length in [*range(1, len(data), 7), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(WeightsError, match=r"cut\.onnx"):
            read_tensors(path)


def test_cut_between_two_fields_is_refused(tmp_path: Path) -> None:
    model = forge(WEIGHTS)
    del model.opset_import[:]
    path = tmp_path / "cut.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match="no graph or operator set"):
        read_tensors(path)


def test_weights_stored_as_integers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "int8.onnx"
    onnx.save_model(forge(WEIGHTS | {"onnx::Conv_1": np.ones((6, 4, 1, 1), np.int8)}), path)
    with pytest.raises(WeightsError, match="weight 'onnx::Conv_1' of Conv 1"):
        read_tensors(path)


def test_circular_graph_ends(tmp_path: Path) -> None:
    model = forge(WEIGHTS)
    nodes = {node.output[0]: node for node in model.graph.node}
    nodes["onnx::Conv_9_q"].input[0] = "onnx::Conv_9_dq"
    path = tmp_path / "circle.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match="of Conv 0"):
        read_tensors(path)
