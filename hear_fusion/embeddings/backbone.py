"""A network on its way through the tasks: its weights, its options, its device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch

from hear_fusion.backbones import ORIGINAL
from hear_fusion.model import FusionModel
from hear_fusion.names import Choice, parse
from hear_fusion.tasks.clips import BATCH_SECONDS, decoded_batches, list_clips
from hear_fusion.tasks.folders import read_metadata, require_audio


@dataclass(frozen=True)
class Network:
    """A network with its weights and options, ready for any of its layers.

    Attributes:
        model: Gives the original embedding.
        options: Options of `load_model`, as given.
        model_file: Weights file, as given; None for the default one.
        device: Where it runs.
    """

    model: FusionModel
    options: Mapping[str, Any] = field(default_factory=dict)
    model_file: Path | None = None
    device: str = "cpu"

    @classmethod
    def load(
        cls,
        backbone: str,
        model_file: Path | None = None,
        options: Mapping[str, Any] | None = None,
        device: str = "cpu",
    ) -> Self:
        """Load a network's weights.

        Raises:
            ValueError: If an option is illegal; a hop is none, since hops belong to modules.
            WeightsError: If the weights cannot be had or do not fit.
        """
        options = dict(options or {})
        if "hop_ms" in options:
            raise ValueError(
                f"hop_ms must be in the module's name here, got {options['hop_ms']!r} as an "
                f"option; write {backbone}_..._{options['hop_ms']}ms"
            )
        try:
            model = FusionModel.load(Choice(backbone), str(model_file or ""), **options)
        except TypeError as err:
            raise ValueError(str(err)) from err
        return cls(model.to(device), options, model_file, device)

    @property
    def name(self) -> str:
        """Its key in the registry."""
        return self.model.choice.backbone

    @property
    def sample_rate(self) -> int:
        """Rate of the sound that it takes, in Hz."""
        return self.model.sample_rate

    def layer_numbers(self) -> tuple[int, ...]:
        """All layers, the original embedding before them."""
        return (ORIGINAL, *self.model.backbone.layer_numbers())

    def with_layers(self, layers: Sequence[int], pace: str) -> FusionModel:
        """Make a model of some layers at a pace of the store."""
        hop_ms = int(pace.removesuffix("ms")) if pace.endswith("ms") else None
        return self.model.with_choice(Choice(self.name, tuple(sorted(layers)), hop_ms))


def parse_modules(names: Iterable[str], backbone: str) -> list[Choice]:
    """Read names of modules of one network, with or without the package's name before them.

    Raises:
        ValueError: If a name is not valid, or of another network.

    >>> parse_modules(["cnn14", "hear_fusion.cnn14_3_6"], "cnn14")[1].layers
    (3, 6)
    """
    choices = [parse(name.removeprefix("hear_fusion.")) for name in dict.fromkeys(names)]
    other = [str(choice) for choice in choices if choice.backbone != backbone]
    if other:
        raise ValueError(
            f"modules must be choices of {backbone}, got {', '.join(other)}; embed each network "
            "by a command of its own"
        )
    return choices


@torch.no_grad()
def task_statistics(network: Network, task: Path, max_clips: int = 5000) -> tuple[float, float]:
    """Mean and standard deviation of the log-mel of a task's training clips.

    What the paper's evaluation normalises AST's input with. In k-fold tasks every fold counts.

    Args:
        network: The network whose front end is measured.
        task: HEAR task folder with sound at the network's rate.
        max_clips: Clips to measure at the most: shorter ones first, then in heareval's order.

    Returns:
        Mean and standard deviation over all values of all clips.
    """
    metadata = read_metadata(task)
    require_audio(task, network.sample_rate)
    line, count = network.model.backbone.timeline, 0
    total = square = 0.0
    left = max_clips
    for clips in list_clips(task, metadata, network.sample_rate):
        if metadata["split_mode"] == "trainvaltest" and clips.split != "train":
            continue
        for indices, audio in decoded_batches(clips, int(BATCH_SECONDS * network.sample_rate)):
            audio = audio[:left].to(network.device)
            left -= len(indices)
            n_mel = line.n_mel(audio.shape[1], "frames")
            log_mel = network.model.backbone.log_mel(audio, 0, n_mel).double()
            total += float(log_mel.sum())
            square += float(log_mel.square().sum())
            count += log_mel.numel()
            if left <= 0:
                break
    mean = total / count
    return mean, (square / count - mean**2) ** 0.5
