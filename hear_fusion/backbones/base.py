"""The face that every network shows: its layer table, its time, its weights, its features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from hear_fusion.checkpoints import WeightsRecord
from hear_fusion.frontends import FrontEnd, LogMel
from hear_fusion.timeline import Purpose, Timeline

ORIGINAL = 0
"""The number under which a network's own last-layer embedding stands beside its layers 1, 2, ..."""


@dataclass(frozen=True)
class Layer:
    """One row of a network's layer table.

    Attributes:
        number: As the paper numbers it; `ORIGINAL` for the network's own embedding.
        module: The official name of the module whose output it is.
        channels, freq: Size of one column of the output.
        stride: Mel frames that one column of the output spans.
        rms, std: Root mean square of the layer's scene features, and the median over features of
            their deviation from clip to clip, as measured once on real sound with the published
            weights; None where that has not been done.
    """

    number: int
    module: str
    channels: int
    freq: int
    stride: int
    rms: float | None = None
    std: float | None = None

    @property
    def dim(self) -> int:
        """Features a frame after Eq. (1)."""
        return self.channels * self.freq


@dataclass(frozen=True)
class LayerOutput:
    """What one layer gives for a batch.

    Attributes:
        frames: Its columns, shape (batch, channel, time, freq); an output without time axis is
            one column.
        clip: One vector that stands for all the columns, shape (batch, channel), from a network
            that makes one; None: scenes are made of the columns.
    """

    frames: Tensor
    clip: Tensor | None = None

    def columns(self, purpose: Purpose) -> Tensor:
        """Give the columns to pool, shape (batch, channel, time, freq): in scenes the clip's."""
        if self.clip is None or purpose == "frames":
            return self.frames
        return self._clip_in_each_column(self.clip)

    def _clip_in_each_column(self, clip: Tensor) -> Tensor:
        """Repeat the clip vector for every column that it stands for.

        A mean over columns then weighs the vectors of windows by their lengths. A sound of 40 s
        passes through AST in windows of 101, 101, 101 and 96 columns, a clip vector each:
        (1, 768) -> (1, 768, 101, 1), ..., (1, 768, 96, 1), and the scene is their mean over all
        399 columns, ``(101 a + 101 b + 101 c + 96 d) / 399``.
        """
        return clip[:, :, None, None].expand(-1, -1, self.frames.shape[2], -1)


class Backbone(nn.Module, ABC):
    """A frozen, pre-trained network that gives the outputs of its layers.

    Class attributes say what is published; an instance carries the widths of its weights.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    licence: ClassVar[str]
    published_layers: ClassVar[tuple[int, ...]]
    records: ClassVar[tuple[WeightsRecord, ...]]
    weight_options: ClassVar[tuple[str, ...]] = ()
    """Keyword arguments of `from_tensors` that users may set."""

    layer_table: tuple[Layer, ...]
    original: Layer
    timeline: Timeline
    front_end: FrontEnd

    def __init__(self) -> None:
        super().__init__()
        self.log_mel = LogMel(self.front_end)

    @classmethod
    @abstractmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """Build the network from the tensors of an official weight file.

        Raises:
            WeightsError: If a tensor is missing, superfluous or of the wrong shape.
        """

    @classmethod
    def options_beside(cls, path: Path, given: Collection[str]) -> dict[str, Any]:  # noqa: ARG003
        """Read what files beside a weight file say of it, as further arguments of `from_tensors`.

        Args:
            path: The weight file.
            given: Names of the arguments that a user has set.

        Raises:
            WeightsError: If such a file is damaged, or asks for what the network does not do.
        """
        return {}

    @abstractmethod
    def forward_layers(self, log_mel: Tensor, layers: Collection[int]) -> dict[int, LayerOutput]:
        """Run the network up to the last layer asked for.

        Args:
            log_mel: Shape (batch, 1, time, mel); for a network of examples, time is one example.
            layers: Numbers from the layer table, or `ORIGINAL`.

        Returns:
            For each number the layer's output.
        """

    def scene(self, number: int, mean: Tensor, maximum: Tensor) -> Tensor:  # noqa: ARG002
        """Make scene features of one layer from the mean and maximum of its frames, Eq. (3)."""
        return mean + maximum

    def frame(self, number: int, frames: Tensor) -> Tensor:  # noqa: ARG002
        """Make frame features of one layer from its pooled columns: the columns themselves."""
        return frames

    @classmethod
    def layer_numbers(cls) -> tuple[int, ...]:
        """Give the numbers that may stand in a name, ascending."""
        return tuple(layer.number for layer in cls.layer_table)

    def layer(self, number: int) -> Layer:
        """Look up a row of this instance's layer table."""
        return self.original if number == ORIGINAL else self._by_number[number]

    def _set_widths(self, channels: Mapping[int, int], original: int) -> None:
        """Replace the published widths by those of the weights."""
        self.layer_table = tuple(
            replace(layer, channels=channels[layer.number]) for layer in self.layer_table
        )
        self.original = replace(self.original, channels=original)

    @property
    def _by_number(self) -> dict[int, Layer]:
        return {layer.number: layer for layer in self.layer_table}
