"""AST (Gong et al., 2021): twelve transformer layers on patches of the spectrogram."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from hear_fusion.backbones.ast_names import HUGGING_FACE_PREFIX, UNUSED, names_in
from hear_fusion.backbones.ast_training import (
    AUDIOSET,
    Training,
    note_assumption,
    training_beside,
)
from hear_fusion.backbones.base import ORIGINAL, Backbone, Layer, LayerOutput
from hear_fusion.backbones.reading import StateReader, frozen_conv, frozen_linear, frozen_norm
from hear_fusion.backbones.transformer import Block, fit_positions
from hear_fusion.checkpoints import WeightsError, WeightsRecord
from hear_fusion.errors import InvalidError
from hear_fusion.frontends import FrontEnd
from hear_fusion.timeline import Windows

EPS = 1e-6  # the author's; Hugging Face's port says 1e-12
N_LAYERS = 12
HEAD_DIM = 64  # in every size of this family of transformers, so it tells the number of heads
PATCH, STRIDE = 16, 10  # mel frames, and bands
N_ROWS = 12  # patches that cover the bands at one time
N_EXTRA = 2  # class and distillation tokens, before the patches

FRONT_END = FrontEnd(
    sample_rate=16000, n_fft=512, window=400, hop=160, centred=False,
    n_mels=128, f_min=20.0, f_max=8000.0, mel_scale="kaldi", power=2,
    log="ln_max", floor=torch.finfo(torch.float32).eps,
    symmetric=True, remove_mean=True, pre_emphasis=0.97,
)  # fmt: skip


class Ast(Backbone):
    """AST without its classifier; a layer is tapped through the final normalisation."""

    name = "ast"
    title = "AST"
    licence = "BSD-3-Clause"
    published_layers = (5, 12)
    weight_options = ("input_mean", "input_std")
    layer_table = tuple(
        Layer(number, f"v.blocks.{number - 1}", channels=768, freq=1, stride=STRIDE)
        for number in range(1, N_LAYERS + 1)
    )
    original = Layer(ORIGINAL, "v.norm", channels=768, freq=1, stride=STRIDE)
    front_end = FRONT_END
    timeline = Windows(
        sample_rate=FRONT_END.sample_rate,
        mel_hop=FRONT_END.hop,
        mel_window=FRONT_END.window,
        centred=False,
        frame_stride=STRIDE,
        hops_ms=(100, 50, 25),
        column=PATCH,
        longest=2998,  # 30 s
        window=AUDIOSET.window,  # what the position embeddings were trained for
    )
    records = (
        WeightsRecord(
            filename="ast-finetuned-audioset-10-10-0.4593.safetensors",
            url="https://huggingface.co/MIT/ast-finetuned-audioset-10-10-0.4593/resolve/main/model.safetensors",
            licence="BSD-3-Clause",
            source="Hugging Face, MIT/ast-finetuned-audioset-10-10-0.4593 (Gong et al., 2021)",
            size_bytes=346_404_948,
            sha256="ae0c1e2ad4e1381d851fa9bf298ba13ebc9c5a914cdee2dbe427a6583869924d",
        ),
        WeightsRecord(
            filename="ast-finetuned-audioset-10-10-0.4593.bin",
            url="https://huggingface.co/MIT/ast-finetuned-audioset-10-10-0.4593/resolve/main/pytorch_model.bin",
            licence="BSD-3-Clause",
            source="Hugging Face, the same repository",
            size_bytes=346_445_675,
            sha256="9ca280ba0276a0d2243f7dd561c72b10cc7c3955a2b1f12e42e93983f24b8ca4",
        ),
        WeightsRecord(
            filename="audioset_10_10_0.4593.pth",
            url="https://www.dropbox.com/s/ca0b1v2nlxzyeb4/audioset_10_10_0.4593.pth?dl=1",
            licence="BSD-3-Clause",
            source="the author's repository, YuanGongND/ast",
            size_bytes=352_587_700,
        ),
        WeightsRecord(
            filename="audioset_0.4593.pth",
            url="https://www.dropbox.com/s/cv4knew8mvbrnvq/audioset_0.4593.pth?dl=1",
            licence="BSD-3-Clause",
            source="what the author's code fetches; the paper's file",
            size_bytes=352_587_836,
        ),
    )

    def __init__(
        self,
        extra_tokens: Tensor,
        positions: Tensor,
        patches: nn.Conv2d,
        blocks: list[Block],
        norm: nn.LayerNorm,
        normalisation: tuple[float, float] = (AUDIOSET.mean, AUDIOSET.std),
        training: Training = AUDIOSET,
    ) -> None:
        super().__init__()
        self.timeline = replace(type(self).timeline, window=training.window)
        if training != AUDIOSET:  # it belongs to the weights, as their digest shall say
            self.register_buffer("training_sounds", training.as_tensor())
        self.input_mean, self.input_std = normalisation
        self.extra_tokens = nn.Parameter(extra_tokens, requires_grad=False)
        self.positions = nn.Parameter(positions, requires_grad=False)
        self.patches, self.blocks, self.norm = patches, nn.ModuleList(blocks), norm
        dim = positions.shape[2]
        self._set_widths(dict.fromkeys(range(1, N_LAYERS + 1), dim), original=dim)

    @classmethod
    def from_tensors(
        cls,
        tensors: Mapping[str, Tensor],
        input_mean: float | None = None,
        input_std: float | None = None,
        training: Training = AUDIOSET,
    ) -> Self:
        """Build AST from the author's state dict, or Hugging Face's with or without classifier.

        The network sees ``(log_mel - input_mean) / (2 input_std)``: by default of the sounds it
        was trained on; the paper measures both on each task's training sounds.
        """
        input_mean = training.mean if input_mean is None else input_mean
        input_std = training.std if input_std is None else input_std
        if not (math.isfinite(input_mean) and math.isfinite(input_std) and input_std > 0):
            raise InvalidError(
                "input_mean and input_std must be finite, and input_std above 0, "
                f"got {input_mean} and {input_std}"
            )
        tensors = {key.removeprefix(HUGGING_FACE_PREFIX): value for key, value in tensors.items()}
        state, keys = StateReader(tensors, ignored=UNUSED), names_in(tensors)
        cls_token = state.take(keys["cls"], 1, 1, -1)
        dim = cls_token.shape[2]
        tokens = torch.cat([cls_token, state.take(keys["dist"], 1, 1, dim)], dim=1)
        positions = _positions(state, keys["positions"], dim, training)
        kernel = state.weight_and_bias(keys["patches"], dim, 1, PATCH, PATCH)
        patches = frozen_conv(*kernel, stride=STRIDE, padding=0)
        blocks = [_block(state, keys, i, dim) for i in range(N_LAYERS)]
        norm = frozen_norm(*state.weight_and_bias(keys["norm"], dim), EPS)
        state.finish()
        return cls(tokens, positions, patches, blocks, norm, (input_mean, input_std), training)

    @classmethod
    def options_beside(cls, path: Path, given: Collection[str]) -> dict[str, Any]:
        """Read Hugging Face's description of the sounds that the network was trained on."""
        training = training_beside(path)
        official = {record.size_bytes for record in cls.records}
        known = {"input_mean", "input_std"} <= set(given) or path.stat().st_size in official
        if training is None and not known:
            note_assumption(path)
        return {"training": training or AUDIOSET}

    def forward_layers(self, log_mel: Tensor, layers: Collection[int]) -> dict[int, LayerOutput]:
        """Compute the layers asked for, each through the final normalisation.

        Frames are the patches of one time averaged over their rows of bands; the clip vector is
        the mean of the class and distillation tokens. `ORIGINAL` is layer 12.
        """
        last = max(N_LAYERS if number == ORIGINAL else number for number in layers)
        outputs: dict[int, LayerOutput] = {}
        tokens = self._embed(log_mel)
        for number, block in enumerate(self.blocks[:last], start=1):
            tokens = block(tokens)
            if number in layers:
                outputs[number] = self._output(tokens)
        if ORIGINAL in layers:
            outputs[ORIGINAL] = self._output(tokens)
        return outputs

    def scene(self, number: int, mean: Tensor, maximum: Tensor) -> Tensor:  # noqa: ARG002
        """Take the clip vector itself, or the mean of windows weighted by their columns."""
        return mean

    def _embed(self, log_mel: Tensor) -> Tensor:
        normalised = (log_mel - self.input_mean) / (2 * self.input_std)
        grid = self.patches(normalised.transpose(2, 3))  # (batch, dim, row, column)
        tokens = torch.cat(
            [self.extra_tokens.expand(grid.shape[0], -1, -1), grid.flatten(2).transpose(1, 2)],
            dim=1,
        )
        # Made anew for every batch: kept, they would outlive the weights that they are made of.
        return tokens + fit_positions(self.positions, N_ROWS, grid.shape[3], N_EXTRA)

    def _output(self, tokens: Tensor) -> LayerOutput:
        tokens = self.norm(tokens)
        rows = tokens[:, N_EXTRA:].unflatten(1, (N_ROWS, -1))  # (batch, row, column, dim)
        frames = rows.mean(dim=1).transpose(1, 2).unsqueeze(3)  # (batch, dim, column, 1)
        return LayerOutput(frames, clip=tokens[:, :N_EXTRA].mean(dim=1))


def _positions(state: StateReader, key: str, dim: int, training: Training) -> Tensor:
    positions = state.take(key, 1, -1, dim)
    n_columns, rest = divmod(positions.shape[1] - N_EXTRA, N_ROWS)
    if dim % HEAD_DIM or n_columns < 1 or rest:
        raise WeightsError(
            f"tensor {key!r} must have {N_EXTRA} + {N_ROWS} x columns tokens of a multiple of "
            f"{HEAD_DIM} features, got shape {tuple(positions.shape)}"
        )
    if training != AUDIOSET and n_columns != 1 + (training.window - PATCH) // STRIDE:
        raise WeightsError(
            f"tensor {key!r} must have the columns of {training.window} mel frames, the max_length "
            f"of the preprocessor_config.json beside it, got {n_columns} columns"
        )
    return positions


def _block(state: StateReader, keys: Mapping[str, str], index: int, dim: int) -> Block:
    def take(part: str, *shape: int) -> tuple[Tensor, Tensor]:
        return state.weight_and_bias(keys[part].format(index), *shape)

    if "qkv" in keys:
        qkv = take("qkv", 3 * dim, dim)
    else:
        weights, biases = zip(*(take(part, dim, dim) for part in "qkv"), strict=True)
        qkv = torch.cat(weights), torch.cat(biases)
    fc1 = take("fc1", -1, dim)
    return Block(
        norm1=frozen_norm(*take("norm1", dim), EPS),
        qkv=frozen_linear(*qkv),
        proj=frozen_linear(*take("proj", dim, dim)),
        norm2=frozen_norm(*take("norm2", dim), EPS),
        fc1=frozen_linear(*fc1),
        fc2=frozen_linear(*take("fc2", dim, fc1[0].shape[0])),
        head_dim=HEAD_DIM,
    )
