"""VGGish (Hershey et al., 2017): nine ReLU layers on examples of 0.96 s, Table I of the paper."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hear_fusion.backbones.base import ORIGINAL, Backbone, Layer, LayerOutput
from hear_fusion.backbones.reading import StateReader, frozen_conv, frozen_linear
from hear_fusion.checkpoints import WeightsRecord
from hear_fusion.frontends import FrontEnd
from hear_fusion.timeline import Patches

FRONT_END = FrontEnd(
    sample_rate=16000, n_fft=512, window=400, hop=160, centred=False,
    n_mels=64, f_min=125.0, f_max=7500.0, mel_scale="htk", power=1, log="ln", floor=0.01,
    dtype=torch.float64,
)  # fmt: skip
EXAMPLE = 96  # mel frames
POOLED_FIRST = (5, 8, 13, 18)  # layers that take the maximum over 2 x 2 of the one before
FIRST_DENSE = 18
POOLED_CELLS = 6 * 4  # time x freq that layer 18 sees of an example

# Where torch ports keep each layer; {dense} differs between them.
TORCH_KEYS = {
    2: "features.0", 5: "features.3", 8: "features.6", 10: "features.8", 13: "features.11",
    15: "features.13", 18: "{dense}.0", 20: "{dense}.2", 22: "{dense}.4",
}  # fmt: skip
# Principal components for the embeddings of a data set, which nobody here asks for.
UNUSED = ("pproc.", "global_step")


class Convolution(nn.Module):
    """3x3 convolution with ReLU, on the output before it or on its maxima over 2 x 2."""

    kernel: ClassVar[tuple[int, ...]] = (3, 3)

    def __init__(self, kernel: Tensor, bias: Tensor, pooled_first: bool) -> None:
        super().__init__()
        self.conv = frozen_conv(kernel, bias)
        self.pooled_first = pooled_first

    @property
    def n_out(self) -> int:
        """Channels of the output."""
        return self.conv.out_channels

    def forward(self, feature_map: Tensor) -> Tensor:
        """Map (batch, channel, time, freq) to the layer's channels."""
        if self.pooled_first:
            feature_map = F.max_pool2d(feature_map, 2)
        output: Tensor = self.conv(feature_map)
        return output.relu_()


class Dense(nn.Module):
    """Fully connected layer with ReLU on a whole example, as a map of one column."""

    kernel: ClassVar[tuple[int, ...]] = ()

    def __init__(self, weight: Tensor, bias: Tensor, pooled_first: bool) -> None:
        super().__init__()
        self.linear = frozen_linear(weight, bias)
        self.pooled_first = pooled_first

    @property
    def n_out(self) -> int:
        """Channels of the output."""
        return self.linear.out_features

    def forward(self, feature_map: Tensor) -> Tensor:
        """Map (batch, channel, time, freq) to (batch, out, 1, 1)."""
        if self.pooled_first:
            feature_map = F.max_pool2d(feature_map, 2)
        # The weights count time slowest and channel fastest, as TensorFlow flattened its maps.
        output: Tensor = self.linear(feature_map.permute(0, 2, 3, 1).flatten(1))
        return output.relu_()[:, :, None, None]


class Vggish(Backbone):
    """VGGish without its PCA; every layer is tapped after its ReLU."""

    name = "vggish"
    title = "VGGish"
    licence = "Apache-2.0"
    published_layers = (10, 15)
    layer_table = (
        Layer(2, "conv1", channels=64, freq=64, stride=1),
        Layer(5, "conv2", channels=128, freq=32, stride=2),
        Layer(8, "conv3/conv3_1", channels=256, freq=16, stride=4),
        Layer(10, "conv3/conv3_2", channels=256, freq=16, stride=4),
        Layer(13, "conv4/conv4_1", channels=512, freq=8, stride=8),
        Layer(15, "conv4/conv4_2", channels=512, freq=8, stride=8),
        Layer(18, "fc1/fc1_1", channels=4096, freq=1, stride=EXAMPLE),
        Layer(20, "fc1/fc1_2", channels=4096, freq=1, stride=EXAMPLE),
        Layer(22, "fc2", channels=128, freq=1, stride=EXAMPLE),
    )
    original = Layer(ORIGINAL, "fc2", channels=128, freq=1, stride=EXAMPLE)
    front_end = FRONT_END
    timeline = Patches(
        sample_rate=FRONT_END.sample_rate,
        mel_hop=FRONT_END.hop,
        mel_window=FRONT_END.window,
        centred=False,
        frame_stride=16,
        hops_ms=(160, 80, 40, 20, 10),
        patch=EXAMPLE,
        scene_hop=EXAMPLE,
        drops_scene_tail=True,
    )
    records = (
        WeightsRecord(
            filename="vggish-10086976.pth",
            url="https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth",
            licence="Apache-2.0",
            source="torchvggish, a port of the weights of tensorflow/models, research/audioset",
            size_bytes=288_567_937,
            sha256_prefix="10086976",
        ),
        WeightsRecord(
            filename="pytorch_vggish.zip",
            url="https://github.com/tcvrick/audioset-vggish-tensorflow-to-pytorch/releases/download/v0.1/pytorch_vggish.zip",
            licence="not stated by the port (the network is Apache-2.0)",
            source="tcvrick/audioset-vggish-tensorflow-to-pytorch, another port; the paper's file",
        ),
        WeightsRecord(
            filename="vggish_model.ckpt",
            url="https://storage.googleapis.com/audioset/vggish_model.ckpt",
            licence="Apache-2.0",
            source="tensorflow/models, research/audioset (Hershey et al., 2017)",
            is_default=False,  # reading it takes TensorFlow
        ),
    )

    def __init__(self, steps: list[Convolution | Dense]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)
        widths = {
            layer.number: step.n_out
            for layer, step in zip(type(self).layer_table, steps, strict=True)
        }
        self._set_widths(widths, original=steps[-1].n_out)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """Build VGGish from a torch port's state dict or the variables of TensorFlow's checkpoint.

        Principal components beside the network (``pproc.``) are dropped.
        """
        state = StateReader(tensors, ignored=UNUSED)
        read, keys = _layout(tensors)
        steps: list[Convolution | Dense] = []
        n_in = 1
        for layer in cls.layer_table:
            step = Dense if layer.number >= FIRST_DENSE else Convolution
            n_in *= POOLED_CELLS if layer.number == FIRST_DENSE else 1
            weight, bias = read(state, keys[layer.number], (-1, n_in, *step.kernel))
            steps.append(step(weight, bias, pooled_first=layer.number in POOLED_FIRST))
            n_in = steps[-1].n_out
        state.finish()
        return cls(steps)

    def forward_layers(self, log_mel: Tensor, layers: Collection[int]) -> dict[int, LayerOutput]:
        """Compute the layers asked for, each after its ReLU.

        `ORIGINAL` is layer 22; the dense layers run only if one of them is asked for.
        """
        final = self.layer_table[-1].number
        last = max(final if number == ORIGINAL else number for number in layers)
        outputs: dict[int, LayerOutput] = {}
        feature_map = log_mel
        for layer, step in zip(self.layer_table, self.steps, strict=True):
            if layer.number > last:
                break
            feature_map = step(feature_map)
            if layer.number in layers:
                outputs[layer.number] = LayerOutput(feature_map)
        if ORIGINAL in layers:
            outputs[ORIGINAL] = LayerOutput(feature_map)
        return outputs


Read = Callable[[StateReader, str, tuple[int, ...]], tuple[Tensor, Tensor]]


def _layout(tensors: Mapping[str, Tensor]) -> tuple[Read, dict[int, str]]:
    """Tell how the file lays out a layer's weights, and what it calls each layer."""
    keys = {layer.number: f"vggish/{layer.module}" for layer in Vggish.layer_table}
    if f"{keys[FIRST_DENSE]}/weights" in tensors:
        return _from_tensorflow, keys
    dense = "fc" if "fc.0.weight" in tensors else "embeddings"
    return _from_torch, {number: key.format(dense=dense) for number, key in TORCH_KEYS.items()}


def _from_torch(state: StateReader, key: str, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    return state.weight_and_bias(key, *shape)


def _from_tensorflow(state: StateReader, key: str, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Read kernels (time, freq, in, out) and dense weights (in, out), as TensorFlow has them."""
    out, into, *kernel = shape
    weight = state.take(f"{key}/weights", *kernel, into, out)
    weight = weight.permute(3, 2, 0, 1) if kernel else weight.T
    return weight, state.take(f"{key}/biases", weight.shape[0])
