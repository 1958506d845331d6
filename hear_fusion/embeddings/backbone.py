"""A network on its way through the tasks: its weights, its options, its device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch

from hear_fusion.backbones import ORIGINAL, REGISTRY
from hear_fusion.embeddings.pace import Pace
from hear_fusion.errors import InvalidError
from hear_fusion.model import FusionModel
from hear_fusion.names import Choice
from hear_fusion.runtimes.devices import find_device
from hear_fusion.runtimes.surroundings import undisturbed


@dataclass(frozen=True)
class LoadedBackbone:
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
    @undisturbed()
    def load(
        cls,
        backbone: str,
        model_file: Path | None = None,
        options: Mapping[str, Any] | None = None,
        device: str | torch.device = "cpu",
    ) -> Self:
        """Load a network's weights.

        Raises:
            ValueError: If an option is illegal (a hop is none, since hops belong to modules), or
                this machine has no such device.
            WeightsError: If the weights cannot be had or do not fit.
        """
        where = find_device(device, REGISTRY[backbone].front_end.dtype)
        options = dict(options or {})
        if "hop_ms" in options:
            raise InvalidError(
                f"hop_ms must be in the module's name here, got {options['hop_ms']!r} as an "
                f"option; write {backbone}_..._{options['hop_ms']}ms"
            )
        try:
            model = FusionModel.load(Choice(backbone), str(model_file or ""), **options)
        except TypeError as err:
            raise InvalidError(str(err)) from err
        return cls(model.to(where), options, model_file, str(where))

    @property
    def name(self) -> str:
        """Its key in the registry."""
        return self.model.choice.backbone

    @property
    def sample_rate(self) -> int:
        """Rate of the sound that it takes, in Hz."""
        return self.model.sample_rate

    def layer_numbers(self) -> tuple[int, ...]:
        """List all layers, the original embedding before them."""
        return (ORIGINAL, *self.model.backbone.layer_numbers())

    def dims(self) -> dict[int, int]:
        """Dimension of the features of every layer, by number."""
        backbone = self.model.backbone
        return {layer.number: layer.dim for layer in (backbone.original, *backbone.layer_table)}

    def with_layers(self, layers: Sequence[int], pace: Pace) -> FusionModel:
        """Make a model of some layers at a pace of the store."""
        return self.model.with_choice(Choice(self.name, tuple(sorted(layers)), pace.hop_ms))
