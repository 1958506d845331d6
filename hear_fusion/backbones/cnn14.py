"""PANNs CNN14 (Kong et al., 2020): six convolutional blocks, Table II of the paper."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Self

from torch import Tensor, nn
from torch.nn import functional as F

from hear_fusion.backbones.base import ORIGINAL, Backbone, Layer, LayerOutput
from hear_fusion.backbones.reading import StateReader, frozen_conv
from hear_fusion.checkpoints import WeightsError, WeightsRecord
from hear_fusion.errors import InvalidError
from hear_fusion.frontends import FrontEnd
from hear_fusion.timeline import Stream

EPS = 1e-5
N_BLOCKS = 6
# Published, and of no use here: the front end is computed, the tagging head is not asked for.
UNUSED = ("spectrogram_extractor.", "logmel_extractor.", "fc_audioset.", "num_batches_tracked")
STORED_FRONT_END = (  # their first axis is n_fft // 2 + 1
    "spectrogram_extractor.stft.conv_real.weight",
    "logmel_extractor.melW",
)

FRONT_END = FrontEnd(
    sample_rate=16000, n_fft=512, window=512, hop=160, centred=True,
    n_mels=64, f_min=50.0, f_max=8000.0, mel_scale="slaney", power=2, log="db", floor=1e-10,
)  # fmt: skip
FRONT_END_32K = FrontEnd(
    sample_rate=32000, n_fft=1024, window=1024, hop=320, centred=True,
    n_mels=64, f_min=50.0, f_max=14000.0, mel_scale="slaney", power=2, log="db", floor=1e-10,
)  # fmt: skip


def _timeline(front_end: FrontEnd) -> Stream:
    return Stream(
        sample_rate=front_end.sample_rate,
        mel_hop=front_end.hop,
        mel_window=front_end.n_fft,
        centred=True,
        frame_stride=32,
        hops_ms=(320, 160, 80, 40, 20),
        halo=128,  # the field of block 6 reaches 2 (1 + 2 + 4 + 8 + 16 + 32) = 126 mel frames
    )


class Block(nn.Module):
    """Two 3x3 convolutions, batch norms folded in, each with ReLU; then average pooling."""

    def __init__(self, conv1: nn.Conv2d, conv2: nn.Conv2d, pool: int) -> None:
        super().__init__()
        self.conv1, self.conv2, self.pool = conv1, conv2, pool

    def forward(self, feature_map: Tensor) -> Tensor:
        """Map (batch, channel, time, freq) to the block's channels, time and freq over `pool`."""
        feature_map = self.conv1(feature_map).relu_()
        feature_map = self.conv2(feature_map).relu_()
        return F.avg_pool2d(feature_map, self.pool) if self.pool > 1 else feature_map


class Cnn14(Backbone):
    """CNN14 with the batch norms folded into the convolutions, so that a block is two of them."""

    name = "cnn14"
    title = "PANNs CNN14"
    licence = "CC-BY-4.0"
    published_layers = (3, 6)
    weight_options = ("sample_rate",)
    layer_table = (
        Layer(1, "conv_block1", channels=64, freq=32, stride=2),
        Layer(2, "conv_block2", channels=128, freq=16, stride=4),
        Layer(3, "conv_block3", channels=256, freq=8, stride=8),
        Layer(4, "conv_block4", channels=512, freq=4, stride=16),
        Layer(5, "conv_block5", channels=1024, freq=2, stride=32),
        Layer(6, "conv_block6", channels=2048, freq=2, stride=32),
    )
    original = Layer(ORIGINAL, "fc1", channels=2048, freq=1, stride=32)
    front_end = FRONT_END
    timeline = _timeline(FRONT_END)
    records = (
        WeightsRecord(
            filename="Cnn14_16k_mAP=0.438.pth",
            url="https://zenodo.org/record/3987831/files/Cnn14_16k_mAP%3D0.438.pth",
            licence="CC-BY-4.0",
            source="Zenodo record 3987831 (Kong et al., PANNs, 2020); 16 kHz, the paper's file",
            size_bytes=358_668_570,
            sha256="e2ee543a27919542c2ea03eabaa70b24dcd4e6c8e05621de6b67a94e4c5058e6",
        ),
        WeightsRecord(
            filename="Cnn14_mAP=0.431.pth",
            url="https://zenodo.org/record/3987831/files/Cnn14_mAP%3D0.431.pth",
            licence="CC-BY-4.0",
            source="Zenodo record 3987831 (Kong et al., PANNs, 2020); 32 kHz",
            size_bytes=327_428_481,
            sha256="0dc499e40e9761ef5ea061ffc77697697f277f6a960894903df3ada000e34b31",
            is_default=False,  # another sample rate is a choice to be made, not a fallback
        ),
    )

    def __init__(
        self,
        mel_norm: tuple[Tensor, Tensor],
        blocks: list[Block],
        fc1: tuple[Tensor, Tensor],
        front_end: FrontEnd = FRONT_END,
    ) -> None:
        self.front_end = front_end
        self.timeline = _timeline(front_end)
        super().__init__()
        scale, shift = (nn.Parameter(part.float(), requires_grad=False) for part in mel_norm)
        self.mel_scale, self.mel_shift = scale, shift
        self.blocks = nn.ModuleList(blocks)
        weight, bias = (nn.Parameter(part, requires_grad=False) for part in fc1)
        self.fc1_weight, self.fc1_bias = weight, bias
        widths = {k: block.conv2.out_channels for k, block in enumerate(blocks, start=1)}
        self._set_widths(widths, original=weight.shape[0])

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], sample_rate: int | None = None) -> Self:
        """Build CNN14 from a PANNs state dict.

        The stored STFT or mel matrix tells 16 kHz from 32 kHz; a file without them is 16 kHz
        unless `sample_rate` says otherwise.
        """
        front_end = _front_end(tensors, sample_rate)
        state = StateReader(tensors, ignored=UNUSED)
        mel_norm = state.batch_norm("bn0", front_end.n_mels, EPS)
        blocks: list[Block] = []
        n_channels = 1
        for k in range(1, N_BLOCKS + 1):
            blocks.append(_block(state, k, n_channels))
            n_channels = blocks[-1].conv2.out_channels
        weight = state.take("fc1.weight", -1, n_channels)
        fc1 = (weight, state.take("fc1.bias", weight.shape[0]))
        state.finish()
        return cls(mel_norm, blocks, fc1, front_end)

    def forward_layers(self, log_mel: Tensor, layers: Collection[int]) -> dict[int, LayerOutput]:
        """Compute the blocks asked for, each after its average pooling.

        `ORIGINAL` is block 6 averaged over frequency, which `scene` takes through fc1.
        """
        last = max(N_BLOCKS if number == ORIGINAL else number for number in layers)
        outputs: dict[int, LayerOutput] = {}
        feature_map = log_mel * self.mel_scale + self.mel_shift
        for number, block in enumerate(self.blocks[:last], start=1):
            feature_map = block(feature_map)
            if number in layers:
                outputs[number] = LayerOutput(feature_map)
        if ORIGINAL in layers:
            outputs[ORIGINAL] = LayerOutput(feature_map.mean(dim=3, keepdim=True))
        return outputs

    def scene(self, number: int, mean: Tensor, maximum: Tensor) -> Tensor:
        """Apply Eq. (3); the original embedding takes the same sum through fc1 and ReLU."""
        summary = super().scene(number, mean, maximum)
        if number == ORIGINAL:
            return F.linear(summary, self.fc1_weight, self.fc1_bias).relu_()
        return summary

    def frame(self, number: int, frames: Tensor) -> Tensor:
        """Leave columns as they are; the original embedding sees each as a clip of one frame."""
        return self.scene(number, frames, frames) if number == ORIGINAL else frames


def _front_end(tensors: Mapping[str, Tensor], sample_rate: int | None) -> FrontEnd:
    by_bins = {spec.n_fft // 2 + 1: spec for spec in (FRONT_END, FRONT_END_32K)}
    by_rate = {spec.sample_rate: spec for spec in by_bins.values()}
    if sample_rate is not None and sample_rate not in by_rate:
        raise InvalidError(f"sample_rate must be one of {sorted(by_rate)} Hz, got {sample_rate}")
    stored = [sum(tensors[key].shape[:1]) for key in STORED_FRONT_END if key in tensors]
    if not stored:
        return by_rate[sample_rate or FRONT_END.sample_rate]
    if len(set(stored)) > 1 or stored[0] not in by_bins:
        raise WeightsError(
            f"the stored STFT and mel matrix must have one of {sorted(by_bins)} bins, got {stored}"
        )
    front_end = by_bins[stored[0]]
    if sample_rate not in (None, front_end.sample_rate):
        raise InvalidError(
            f"sample_rate must be {front_end.sample_rate} Hz, the rate stored in the weights, "
            f"got {sample_rate}"
        )
    return front_end


def _block(state: StateReader, number: int, in_channels: int) -> Block:
    convs = []
    for part in (1, 2):
        prefix = f"conv_block{number}"
        kernel = state.take(f"{prefix}.conv{part}.weight", -1, in_channels, 3, 3)
        in_channels = kernel.shape[0]
        scale, shift = state.batch_norm(f"{prefix}.bn{part}", in_channels, EPS)
        convs.append(frozen_conv(kernel * scale[:, None, None, None], shift))
    return Block(convs[0], convs[1], pool=1 if number == N_BLOCKS else 2)
