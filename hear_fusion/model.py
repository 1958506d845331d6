"""A network and a choice of its layers, ready to turn sound into embeddings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from itertools import accumulate
from os import PathLike
from typing import Any, Self

import torch
from torch import Tensor

from hear_fusion.backbones import ORIGINAL, REGISTRY, Backbone, load_backbone
from hear_fusion.checkpoints import tensors_sha256
from hear_fusion.errors import InvalidError, InvalidTypeError
from hear_fusion.extractor import DEFAULTS, Extractor, Settings
from hear_fusion.inputs import Sound, Sounds, check_batch
from hear_fusion.names import Choice, check_hop
from hear_fusion.runtimes.eager import EagerModule
from hear_fusion.runtimes.precision import arithmetic
from hear_fusion.runtimes.surroundings import undisturbed

_SETTINGS = tuple(field.name for field in fields(Settings))


class FusionModel(EagerModule):
    """Turns a batch of sounds into scene vectors z~ or frames z of the chosen layers.

    Attributes:
        choice: Network, layers and hop.
        sample_rate: The rate that sounds must have, in Hz.
        scene_embedding_size, timestamp_embedding_size: Features of z~ and of one frame of z.
    """

    def __init__(
        self,
        backbone: Backbone,
        choice: Choice,
        settings: Settings = DEFAULTS,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.choice = choice
        self.extractor = Extractor(backbone, choice.layers or (ORIGINAL,), settings)
        self.sample_rate = backbone.timeline.sample_rate
        self.scene_embedding_size = self.timestamp_embedding_size = self.extractor.dim
        self.eval().requires_grad_(False)

    @classmethod
    @undisturbed()
    def load(
        cls,
        choice: Choice,
        weights: str | PathLike[str] | None = None,
        *,
        hop_ms: int | None = None,
        **options: Any,
    ) -> Self:
        """Load a network's weights and make the model of a choice.

        Args:
            choice: Network, layers and hop.
            weights: Any official weight file of the network, recognised by content; by default
                the official one from the cache, fetched when absent.
            hop_ms: Hop of the timestamps in ms; scenes never change. Not beside a name with a hop.
            options: Fields of `Settings`, as described for `hear_fusion.load`; ``sample_rate`` of
                a CNN14 file that does not tell its own; ``input_mean`` and ``input_std`` of AST's
                log-mel.

        Returns:
            The model, frozen, in eval mode, on the CPU; move it with ``.to(device)``.

        Raises:
            WeightsError: If the weights cannot be had or do not fit.
            TypeError: If an option is unknown.
            ValueError: If an option has an illegal value.
        """
        own = REGISTRY[choice.backbone].weight_options
        unknown = sorted(set(options) - {*_SETTINGS, *own})
        if unknown:
            raise InvalidTypeError(
                f"options of {choice} must be among {['hop_ms', *_SETTINGS, *own]}, got {unknown}"
            )
        settings = Settings(**{name: options.pop(name) for name in _SETTINGS if name in options})
        if hop_ms is not None:
            check_hop(choice.backbone, hop_ms)
            if choice.hop_ms not in (None, hop_ms):
                raise InvalidError(f"hop_ms must be {choice.hop_ms} as in {choice}, got {hop_ms}")
            choice = replace(choice, hop_ms=hop_ms)
        return cls(load_backbone(choice.backbone, weights, **options), choice, settings)

    def with_choice(self, choice: Choice) -> Self:
        """Make a model of the same network, weights and options for another choice.

        Args:
            choice: Layers and hop; `ORIGINAL` may stand among the layers, to have the original
                embedding from the same pass.
        """
        return type(self)(self.backbone, choice, self.extractor.settings)

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the network's tensors as they are now, read anew: 0.2 s for 350 MB."""
        rate = torch.tensor(self.sample_rate, device="cpu")  # a bare file may be read at either
        return tensors_sha256({**self.backbone.state_dict(), "sample_rate": rate})

    def __repr__(self) -> str:
        """Say what the model computes, from which weights; not its tree of modules."""
        size = self.scene_embedding_size
        frame_ms = self.choice.hop_ms or self.extractor.timeline.frame_ms()
        return (
            f"FusionModel({self.choice}: sound at {self.sample_rate} Hz -> "
            f"scenes ({size}), frames ({size}) every {frame_ms:g} ms; "
            f"weights {self.weights_sha256[:16]}, {self.backbone.licence})"
        )

    def train(self, mode: bool = True) -> Self:  # noqa: ARG002
        """Stay in eval mode: the network is a fixed function, whatever a caller's loop does."""
        return super().train(False)

    def forward(self, audio: Tensor) -> Tensor:
        """Do the same as `scenes`."""
        return self.scenes(audio)

    @torch.no_grad()
    def scenes(self, audio: Tensor) -> Tensor:
        """Compute one vector a clip: z~ = mean(z) + max(z), Eq. (3); AST makes its own.

        Args:
            audio: Waveforms in [-1, 1] at `sample_rate`, float, shape (n_sounds, n_samples), on
                the model's device. Clips too short for one frame are padded with zeros.

        Returns:
            z~, shape (n_sounds, scene_embedding_size), float32.

        Raises:
            TypeError: If `audio` is not a floating-point tensor.
            ValueError: If its shape, device or a sample (NaN, infinite) is wrong; see `allow_slow`.
        """
        audio = self._checked(audio)
        with arithmetic("fp32", audio.device):
            return self.extractor.scenes(audio)

    @torch.no_grad()
    def timestamp_embeddings(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Compute frames z of every clip, Eq. (1) and (2), and the times of their centres.

        Args:
            audio: As for `scenes`.

        Returns:
            z, shape (n_sounds, n_timestamps, timestamp_embedding_size), and timestamps in ms,
            shape (n_sounds, n_timestamps): evenly spaced, none past the clip's end; float32.

        Raises:
            TypeError, ValueError: As `scenes`.
        """
        audio = self._checked(audio)
        with arithmetic("fp32", audio.device):
            z = self.extractor.frames(audio, self.choice.hop_ms)
        times = self.extractor.timeline.timestamps_ms(audio.shape[1], self.choice.hop_ms)
        return z, torch.tensor(times, dtype=torch.float32, device=z.device).repeat(z.shape[0], 1)

    def embed(self, sounds: Sound | Iterable[Sound], sample_rate: int | None = None) -> Any:
        """Compute one vector a sound, z~, of files or arrays of any rate, length and number.

        Args:
            sounds: A file, samples (n_samples,), or a pair (samples, their rate in Hz); or a list
                of these, where samples may have channels; or samples (n_sounds, n_samples).
                Channels are mixed to their mean, other rates resampled.
            sample_rate: Rate of samples that come without one, in Hz; by default the model's.

        Returns:
            Shape (scene_embedding_size,) for one sound, (n_sounds, scene_embedding_size) for more;
            tensors of tensors, NumPy arrays of anything else; float32.

        Raises:
            TypeError: If that is no sound.
            ValueError: If a sound cannot be read or used; names it.
        """
        return self._map(self.scenes, sounds, sample_rate)

    def frames(self, sounds: Sound | Iterable[Sound], sample_rate: int | None = None) -> Any:
        """Compute the frames z of each sound, and the times of their centres in ms.

        Args:
            sounds: As for `embed`.
            sample_rate: As for `embed`.

        Returns:
            The pair of `timestamp_embeddings` without n_sounds for one sound, and a list of such
            pairs for a list, whose sounds have different numbers of frames.

        Raises:
            TypeError, ValueError: As `embed`.
        """
        return self._map(self.timestamp_embeddings, sounds, sample_rate)

    def layers(
        self, sounds: Sound | Iterable[Sound], sample_rate: int | None = None
    ) -> dict[int, Any]:
        """Compute scene features of each chosen layer on its own, one pass for all.

        Args:
            sounds: As for `embed`.
            sample_rate: As for `embed`.

        Returns:
            By layer number (0: the original embedding) what `embed` returns, of its size.

        Raises:
            TypeError, ValueError: As `embed`.
        """
        vectors = self.embed(sounds, sample_rate)
        rows = self.extractor.taps
        stops = list(accumulate(row.dim for row in rows))
        return {
            row.number: vectors[..., stop - row.dim : stop]
            for row, stop in zip(rows, stops, strict=True)
        }

    def _checked(self, audio: Tensor) -> Tensor:
        self.refuse_recording()
        weights = next(self.backbone.parameters())
        if weights.dtype != torch.float32:
            raise InvalidTypeError(
                f"the model must be float32, got {weights.dtype}; load it with precision='bf16' "
                "for faster arithmetic"
            )
        return check_batch(audio, weights.device)

    def _map(self, compute: Any, sounds: Any, sample_rate: int | None) -> Any:
        is_batch = isinstance(sounds, Tensor) and sounds.ndim == 2 and sounds.is_floating_point()
        if is_batch and sample_rate in (None, self.sample_rate):  # stays on its device
            return compute(sounds)
        given = Sounds.of(sounds, sample_rate, self.sample_rate)
        return given.map(compute, self.sample_rate, next(self.backbone.parameters()).device)
