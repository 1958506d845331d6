"""Random weights under the official names: slim for speed, full width for parity."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from hear_fusion.backbones import REGISTRY
from hear_fusion.backbones.vggish import POOLED_CELLS, TORCH_KEYS
from hear_fusion.names import Choice

# The fusion of each network that is published, and the longest hop that hear-validator is quiet on.
FUSIONS = {name: str(Choice(name, net.published_layers)) for name, net in REGISTRY.items()}
FINE_HOPS_MS = {
    name: max(hop for hop in net.timeline.hops_ms if hop <= 50) for name, net in REGISTRY.items()
}

CNN14_WIDTHS = (4, 6, 8, 10, 12, 16)
YAMNET_WIDTHS = (4, 6, 8, 8, 10, 10, 12, 12, 12, 12, 12, 12, 16, 16)
VGGISH_WIDTHS = (4, 6, 8, 8, 10, 12, 20, 20, 16)
AST_WIDTHS = (64, 32)  # of tokens, and between the dense layers
FULL_CNN14_WIDTHS = (64, 128, 256, 512, 1024, 2048)
# As yamnet.h5 names them, written down here and not taken from the code under test.
KERAS_CONVS = (
    (1, "layer1/conv"),
    *((n, f"layer{n}/{kind}_conv") for n in range(2, 15) for kind in ("depthwise", "pointwise")),
)
FULL_YAMNET_WIDTHS = (32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)
FULL_VGGISH_WIDTHS = (64, 128, 256, 256, 512, 512, 4096, 4096, 128)
FULL_AST_WIDTHS = (768, 3072)


def _uniform(rng: torch.Generator, low: float, high: float, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=rng) * (high - low) + low


def _kernel(rng: torch.Generator, *shape: int) -> Tensor:
    fan_in = shape[1] * shape[2] * shape[3]
    scale: float = (2.0 / fan_in) ** 0.5
    return torch.randn(*shape, generator=rng) * scale


def cnn14_tensors(widths: tuple[int, ...] = CNN14_WIDTHS, seed: int = 0) -> dict[str, Tensor]:
    """A PANNs state dict; batch norms are far from their defaults, which would hide mistakes."""
    rng = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}

    def batch_norm(prefix: str, n: int) -> None:
        state[f"{prefix}.weight"] = _uniform(rng, 0.5, 1.5, n)
        state[f"{prefix}.bias"] = _uniform(rng, -0.5, 0.5, n)
        state[f"{prefix}.running_mean"] = _uniform(rng, -0.5, 0.5, n)
        state[f"{prefix}.running_var"] = _uniform(rng, 0.5, 2.0, n)
        state[f"{prefix}.num_batches_tracked"] = torch.tensor(1000)

    batch_norm("bn0", 64)
    state["bn0.running_mean"] = _uniform(rng, -60.0, -20.0, 64)
    state["bn0.running_var"] = _uniform(rng, 100.0, 400.0, 64)
    n_in = 1
    for k, n_out in enumerate(widths, start=1):
        state[f"conv_block{k}.conv1.weight"] = _kernel(rng, n_out, n_in, 3, 3)
        state[f"conv_block{k}.conv2.weight"] = _kernel(rng, n_out, n_out, 3, 3)
        batch_norm(f"conv_block{k}.bn1", n_out)
        batch_norm(f"conv_block{k}.bn2", n_out)
        n_in = n_out
    for name, n_out in (("fc1", n_in), ("fc_audioset", 527)):
        state[f"{name}.weight"] = torch.randn(n_out, n_in, generator=rng) * n_in**-0.5
        state[f"{name}.bias"] = _uniform(rng, -0.1, 0.1, n_out)
    return state


def yamnet_tensors(widths: tuple[int, ...] = YAMNET_WIDTHS, seed: int = 0) -> dict[str, Tensor]:
    """The tensors of a yamnet.h5, by their Keras names."""
    rng = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}
    n_in = 1
    for number, name in KERAS_CONVS:
        if "depthwise" in name:
            n_out = n_in
            kernel = _kernel(rng, n_out, 1, 3, 3).permute(2, 3, 0, 1)
            state[f"{name}/depthwise_kernel"] = kernel.contiguous()
        else:
            n_out = widths[number - 1]
            size = 3 if number == 1 else 1
            kernel = _kernel(rng, n_out, n_in, size, size).permute(2, 3, 1, 0)
            state[f"{name}/kernel"] = kernel.contiguous()
        state[f"{name}/bn/beta"] = _uniform(rng, -0.3, 0.7, n_out)
        state[f"{name}/bn/moving_mean"] = _uniform(rng, -0.3, 0.3, n_out)
        state[f"{name}/bn/moving_variance"] = _uniform(rng, 0.5, 2.0, n_out)
        n_in = n_out
    return state


def vggish_tensors(
    widths: tuple[int, ...] = VGGISH_WIDTHS, seed: int = 0, dense: str = "embeddings"
) -> dict[str, Tensor]:
    """A torch port's state dict; ``dense`` is what it calls the fully connected layers."""
    rng = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}
    n_in = 1
    for (number, key), n_out in zip(TORCH_KEYS.items(), widths, strict=True):
        key = key.format(dense=dense)
        if number == 18:
            n_in *= POOLED_CELLS
        if number < 18:
            state[f"{key}.weight"] = _kernel(rng, n_out, n_in, 3, 3)
        else:
            state[f"{key}.weight"] = _kernel(rng, n_out, n_in, 1, 1).flatten(1)
        state[f"{key}.bias"] = _uniform(rng, -0.2, 0.3, n_out)
        n_in = n_out
    return state


def ast_tensors(widths: tuple[int, int] = AST_WIDTHS, seed: int = 0) -> dict[str, Tensor]:
    """The author's state dict without its classifiers, and without ``module.``."""
    rng = torch.Generator().manual_seed(seed)
    dim, hidden = widths
    state: dict[str, Tensor] = {}

    def dense(key: str, n_out: int, *shape: int) -> None:
        fan_in = math.prod(shape)
        state[f"{key}.weight"] = torch.randn(n_out, *shape, generator=rng) * fan_in**-0.5
        state[f"{key}.bias"] = _uniform(rng, -0.2, 0.2, n_out)

    def norm(key: str) -> None:
        state[f"{key}.weight"] = _uniform(rng, 0.5, 1.5, dim)
        state[f"{key}.bias"] = _uniform(rng, -0.5, 0.5, dim)

    state["v.cls_token"] = torch.randn(1, 1, dim, generator=rng)
    state["v.dist_token"] = torch.randn(1, 1, dim, generator=rng)
    state["v.pos_embed"] = torch.randn(1, 2 + 12 * 101, dim, generator=rng)
    dense("v.patch_embed.proj", dim, 1, 16, 16)
    for i in range(12):
        block = f"v.blocks.{i}"
        norm(f"{block}.norm1")
        dense(f"{block}.attn.qkv", 3 * dim, dim)
        dense(f"{block}.attn.proj", dim, dim)
        norm(f"{block}.norm2")
        dense(f"{block}.mlp.fc1", hidden, dim)
        dense(f"{block}.mlp.fc2", dim, hidden)
    norm("v.norm")
    return state


@dataclass(frozen=True)
class RandomWeights:
    """Makers of a network's tensors, as its official file names them.

    Attributes:
        slim: A narrow network of the same family, for speed.
        full: The published widths.
    """

    slim: Callable[[], dict[str, Tensor]]
    full: Callable[[], dict[str, Tensor]]


# A new network adds its line here, and nowhere else in the tests.
RANDOM_WEIGHTS = {
    "cnn14": RandomWeights(cnn14_tensors, partial(cnn14_tensors, FULL_CNN14_WIDTHS)),
    "yamnet": RandomWeights(yamnet_tensors, partial(yamnet_tensors, FULL_YAMNET_WIDTHS)),
    "vggish": RandomWeights(vggish_tensors, partial(vggish_tensors, FULL_VGGISH_WIDTHS)),
    "ast": RandomWeights(ast_tensors, partial(ast_tensors, FULL_AST_WIDTHS)),
}
