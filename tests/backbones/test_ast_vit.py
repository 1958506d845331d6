"""AST against transformers' port under the same random weights, and its containers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchaudio.compliance import kaldi
from transformers import ASTConfig, ASTForAudioClassification, ASTModel

from hear_fusion.backbones import ORIGINAL
from hear_fusion.backbones.ast_vit import Ast
from hear_fusion.backbones.transformer import fit_positions
from hear_fusion.checkpoints import WeightsError, read_tensors
from hear_fusion.extractor import Extractor
from tests.networks import FULL_AST_WIDTHS, ast_tensors

LAYERS = tuple(range(1, 13))
DIM = 128  # two heads


def slim_tensors() -> dict[str, Tensor]:
    return ast_tensors((DIM, 96))


def positions_by_the_rule(table: np.ndarray[Any, Any], n_columns: int) -> np.ndarray[Any, Any]:
    """The author's rule, column by column: (token, dim) for a grid of 12 x ``n_columns``."""
    grid = table[2:].reshape(12, 101, -1)
    if n_columns <= 101:
        start = 50 - n_columns // 2
        columns = [grid[:, start + i] for i in range(n_columns)]
    else:
        columns = []
        for i in range(n_columns):
            place = min(max((i + 0.5) * 101 / n_columns - 0.5, 0.0), 100.0)
            left = min(int(place), 99)
            columns.append(grid[:, left] * (1 - place + left) + grid[:, left + 1] * (place - left))
    patches = np.stack(columns, axis=1).reshape(12 * n_columns, -1)
    return np.concatenate([table[:2], patches])


def reference(tensors: dict[str, Tensor], n_mel: int) -> Any:
    """Transformers' model for sounds of ``n_mel`` mel frames."""
    dim, hidden = tensors["v.blocks.0.mlp.fc2.weight"].shape
    config = ASTConfig(
        hidden_size=dim, num_attention_heads=dim // 64, intermediate_size=hidden,
        layer_norm_eps=1e-6, max_length=n_mel,
    )  # fmt: skip
    model: Any = ASTModel(config)
    model.eval()
    model.embeddings.cls_token.data = tensors["v.cls_token"].clone()
    model.embeddings.distillation_token.data = tensors["v.dist_token"].clone()
    table = positions_by_the_rule(tensors["v.pos_embed"][0].numpy(), 1 + (n_mel - 16) // 10)
    assert model.embeddings.position_embeddings.shape[1:] == table.shape
    model.embeddings.position_embeddings.data = torch.from_numpy(table)[None].float()

    def fill(module: Any, key: str, part: slice = slice(None)) -> None:
        module.weight.data = tensors[f"{key}.weight"][part].clone()
        module.bias.data = tensors[f"{key}.bias"][part].clone()

    fill(model.embeddings.patch_embeddings.projection, "v.patch_embed.proj")
    fill(model.layernorm, "v.norm")
    for i, layer in enumerate(model.layers):
        block = f"v.blocks.{i}"
        fill(layer.layernorm_before, f"{block}.norm1")
        attention = layer.attention
        for j, part in enumerate((attention.q_proj, attention.k_proj, attention.v_proj)):
            fill(part, f"{block}.attn.qkv", slice(j * dim, (j + 1) * dim))
        fill(attention.o_proj, f"{block}.attn.proj")
        fill(layer.layernorm_after, f"{block}.norm2")
        fill(layer.mlp.fc1, f"{block}.mlp.fc1")
        fill(layer.mlp.fc2, f"{block}.mlp.fc2")
    return model


def reference_input(audio: Tensor) -> Tensor:
    clips = [
        kaldi.fbank(
            sound[None], htk_compat=True, sample_frequency=16000, use_energy=False,
            window_type="hanning", num_mel_bins=128, dither=0.0, frame_shift=10,
        )
        for sound in audio
    ]  # fmt: skip
    return (torch.stack(clips) + 4.2677393) / (2 * 4.5689974)


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


def assert_every_layer_equal(tensors: dict[str, Tensor], audio: Tensor) -> None:
    log_mel = reference_input(audio)
    theirs = reference(tensors, log_mel.shape[1])
    output = theirs(log_mel, output_hidden_states=True)
    assert len(output.hidden_states) == 13
    network = Ast.from_tensors(tensors)
    extractor, dim = Extractor(network, LAYERS), network.original.dim
    scenes, frames = extractor.scenes(audio), extractor.frames(audio)
    for number, scene, z in zip(
        LAYERS, scenes.split(dim, dim=-1), frames.split(dim, dim=-1), strict=True
    ):
        tokens = theirs.layernorm(output.hidden_states[number])
        # Rows of bands are slow, columns of time fast.
        theirs_z = tokens[:, 2:].reshape(len(audio), 12, -1, dim).mean(dim=1)
        assert relative_error(scene, (tokens[:, 0] + tokens[:, 1]) / 2) < 1e-4
        assert z.shape == theirs_z.shape
        assert relative_error(z, theirs_z) < 1e-4
    embedding = Extractor(network, (ORIGINAL,)).scenes(audio)
    assert relative_error(embedding, output.pooler_output) < 1e-4


@torch.no_grad()
@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.7, 5.0, 12.0])
def test_every_layer_equals_transformers(seconds: float, noise: Callable[..., Tensor]) -> None:
    assert_every_layer_equal(slim_tensors(), noise(2, round(seconds * 16000)))


@torch.no_grad()
def test_every_layer_equals_transformers_at_full_width(noise: Callable[..., Tensor]) -> None:
    tensors = ast_tensors(FULL_AST_WIDTHS)
    assert_every_layer_equal(tensors, noise(1, 16000))
    network = Ast.from_tensors(tensors)
    assert network.layer_table == Ast.layer_table
    norms = [module for module in network.modules() if isinstance(module, torch.nn.LayerNorm)]
    assert {norm.eps for norm in norms} == {1e-6}
    assert len(norms) == 25
    assert network.original == Ast.original


@pytest.mark.parametrize("n_mel", [16, 25, 26, 98, 1024])
def test_declared_strides_are_real(n_mel: int) -> None:
    network = Ast.from_tensors(slim_tensors())
    for number, output in network.forward_layers(torch.randn(2, 1, n_mel, 128), LAYERS).items():
        layer = network.layer(number)
        assert output.frames.shape == (
            2,
            layer.channels,
            1 + (n_mel - 16) // layer.stride,
            layer.freq,
        )
        assert output.clip is not None
        assert output.clip.shape == (2, layer.dim)


def test_the_embedding_is_layer_12(noise: Callable[..., Tensor]) -> None:
    network, audio = Ast.from_tensors(slim_tensors()), noise(2, 30000)
    own, last = Extractor(network, (ORIGINAL,)), Extractor(network, (12,))
    torch.testing.assert_close(own.scenes(audio), last.scenes(audio), rtol=0, atol=0)
    torch.testing.assert_close(own.frames(audio), last.frames(audio), rtol=0, atol=0)


def test_it_stops_after_the_last_layer_asked_for() -> None:
    network = Ast.from_tensors(slim_tensors())
    ran: list[int] = []
    for number, block in enumerate(network.blocks, start=1):
        block.register_forward_hook(lambda *_, number=number: ran.append(number))
    network.forward_layers(torch.zeros(1, 1, 98, 128), (2, 5))
    assert ran == [1, 2, 3, 4, 5]


# Mel frames, columns and the first column of the trained grid, as the original code was seen to cut.
@pytest.mark.parametrize(
    ("n_columns", "first"), [(9, 46), (24, 38), (49, 26), (99, 1), (100, 0), (101, 0)]
)
def test_position_embeddings_are_cut_from_the_middle(n_columns: int, first: int) -> None:
    table = torch.arange(2.0 + 12 * 101)[None, :, None]
    fitted = fit_positions(table, 12, n_columns, 2)[0, :, 0]
    assert fitted[:2].tolist() == [0.0, 1.0]
    rows = fitted[2:].reshape(12, n_columns)
    for i, row in enumerate(rows.tolist()):
        assert row == [2.0 + 101 * i + first + j for j in range(n_columns)]


@pytest.mark.parametrize("n_columns", [1, 57, 102, 119, 299])
def test_position_embeddings_at_any_length_follow_the_rule(n_columns: int) -> None:
    table = slim_tensors()["v.pos_embed"]
    expected = torch.from_numpy(positions_by_the_rule(table[0].numpy(), n_columns)).float()
    # torch computes the places of columns in float32
    torch.testing.assert_close(
        fit_positions(table, 12, n_columns, 2)[0], expected, rtol=0, atol=1e-4
    )


def test_input_normalisation_is_an_option(noise: Callable[..., Tensor]) -> None:
    audio = noise(1, 16000)
    default = Ast.from_tensors(slim_tensors())
    same = Ast.from_tensors(slim_tensors(), input_mean=-4.2677393, input_std=4.5689974)
    other = Ast.from_tensors(slim_tensors(), input_mean=-6.6268077, input_std=5.358466)
    scenes = [Extractor(network, (12,)).scenes(audio) for network in (default, same, other)]
    torch.testing.assert_close(scenes[0], scenes[1], rtol=0, atol=0)
    # The network sees no more of the sound than the normalised log-mel.
    log_mel = default.log_mel(audio, 0, 98)
    as_other = (log_mel + 6.6268077) / 5.358466 * 4.5689974 - 4.2677393
    expected = default.forward_layers(as_other, (12,))[12].clip
    torch.testing.assert_close(scenes[2], expected, rtol=1e-4, atol=1e-4)
    assert (scenes[0] - scenes[2]).abs().max() > 1e-2


@pytest.mark.parametrize(
    "options", [{"input_std": 0.0}, {"input_std": -1.0}, {"input_mean": float("nan")}]
)
def test_wrong_normalisation_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="input_mean and input_std must be finite, and input_std"):
        Ast.from_tensors(slim_tensors(), **options)


def same_network(ours: Ast, theirs: Ast) -> bool:
    mine, other = dict(ours.named_parameters()), dict(theirs.named_parameters())
    return mine.keys() == other.keys() and all(torch.equal(mine[k], other[k]) for k in mine)


def test_the_authors_file_with_all_its_159_keys(tmp_path: Path) -> None:
    heads = {
        **{f"v.{head}.weight": torch.zeros(1000, DIM) for head in ("head", "head_dist")},
        **{f"v.{head}.bias": torch.zeros(1000) for head in ("head", "head_dist")},
        **{f"mlp_head.0.{part}": torch.zeros(DIM) for part in ("weight", "bias")},
        "mlp_head.1.weight": torch.zeros(527, DIM),
        "mlp_head.1.bias": torch.zeros(527),
    }
    whole = {f"module.{key}": value for key, value in {**slim_tensors(), **heads}.items()}
    assert len(whole) == 159
    torch.save(whole, tmp_path / "audioset_10_10_0.4593.pth")
    ours = Ast.from_tensors(read_tensors(tmp_path / "audioset_10_10_0.4593.pth"))
    assert same_network(ours, Ast.from_tensors(slim_tensors()))


def test_hugging_faces_files_with_and_without_classifier(tmp_path: Path) -> None:
    expected = Ast.from_tensors(slim_tensors())
    bare = reference(slim_tensors(), n_mel=1024)
    bare.save_pretrained(tmp_path / "bare")
    whole = ASTForAudioClassification(bare.config)
    whole.audio_spectrogram_transformer = bare
    whole.save_pretrained(tmp_path / "whole")
    on_disk = read_tensors(tmp_path / "whole" / "model.safetensors")
    assert len(on_disk) == 203
    prefix = "audio_spectrogram_transformer."
    assert f"{prefix}encoder.layer.0.attention.attention.query.weight" in on_disk
    torch.save(on_disk, tmp_path / "pytorch_model.bin")
    torch.save(whole.state_dict(), tmp_path / "in_memory.pth")
    save_file(bare.state_dict(), tmp_path / "bare_in_memory.safetensors")
    for path in (
        "bare/model.safetensors",
        "whole/model.safetensors",
        "pytorch_model.bin",
        "in_memory.pth",
        "bare_in_memory.safetensors",
    ):
        assert same_network(Ast.from_tensors(read_tensors(tmp_path / path)), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"v.blocks.11.norm2.bias": None}, "'v.blocks.11.norm2.bias' is missing"),
        ({"v.blocks.12.norm1.bias": torch.zeros(1)}, "unknown tensors, such as v.blocks.12"),
        ({"v.pos_embed": torch.zeros(1, 1215, 128)}, r"2 \+ 12 x columns tokens.*\(1, 1215, 128\)"),
        ({"v.pos_embed": torch.zeros(1, 2, 128)}, r"2 \+ 12 x columns tokens.*\(1, 2, 128\)"),
        ({"v.blocks.3.attn.qkv.weight": torch.zeros(128, 128)}, r"float of shape \(384, 128\)"),
    ],
)
def test_unfitting_tensors_are_refused(change: dict[str, Tensor | None], message: str) -> None:
    state: dict[str, Any] = {**slim_tensors(), **change}
    tensors = {key: value for key, value in state.items() if value is not None}
    with pytest.raises(WeightsError, match=message):
        Ast.from_tensors(tensors)


def test_a_width_without_whole_heads_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"multiple of 64 features, got shape \(1, 1214, 96\)"):
        Ast.from_tensors(ast_tensors((96, 64)))
