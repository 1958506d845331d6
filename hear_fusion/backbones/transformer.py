"""Parts of a vision transformer: its blocks, and its position embeddings at any length."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Self-attention, then two dense layers; each sees normalised tokens and adds to them.

    Args:
        norm1, qkv, proj: Of the attention; ``qkv`` gives queries, keys and values, in this order.
        norm2, fc1, fc2: Of the dense layers, with an exact GELU between.
        head_dim: Features of one attention head.
    """

    def __init__(
        self,
        *,
        norm1: nn.LayerNorm,
        qkv: nn.Linear,
        proj: nn.Linear,
        norm2: nn.LayerNorm,
        fc1: nn.Linear,
        fc2: nn.Linear,
        head_dim: int,
    ) -> None:
        super().__init__()
        self.norm1, self.qkv, self.proj = norm1, qkv, proj
        self.norm2, self.fc1, self.fc2 = norm2, fc1, fc2
        self.head_dim = head_dim

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (batch, token, dim) to tokens of the same shape."""
        tokens = tokens + self._attend(self.norm1(tokens))
        output: Tensor = tokens + self.fc2(F.gelu(self.fc1(self.norm2(tokens))))
        return output

    def _attend(self, tokens: Tensor) -> Tensor:
        # (batch, token, 3 * dim) -> query, key, value of (batch, head, token, head_dim)
        parts = self.qkv(tokens).unflatten(2, (3, -1, self.head_dim)).permute(2, 0, 3, 1, 4)
        heads = F.scaled_dot_product_attention(parts[0], parts[1], parts[2])
        output: Tensor = self.proj(heads.transpose(1, 2).flatten(2))  # heads slow, features fast
        return output


def fit_positions(table: Tensor, n_rows: int, n_columns: int, n_extra: int) -> Tensor:
    """Cut or stretch position embeddings to another number of columns, as AST's author does.

    A shorter grid takes the middle of the trained one; a longer one interpolates linearly.

    Args:
        table: Trained embeddings, shape (1, n_extra + n_rows * trained columns, dim); rows slow.
        n_rows: Patches at one time.
        n_columns: Columns wanted.
        n_extra: Tokens before the patches, whose embeddings stay.

    Returns:
        Embeddings, shape (1, n_extra + n_rows * n_columns, dim).

    >>> fit_positions(torch.zeros(1, 2 + 12 * 101, 8), 12, 49, 2).shape
    torch.Size([1, 590, 8])
    """
    extra, patches = table[:, :n_extra], table[:, n_extra:]
    grid = patches.transpose(1, 2).unflatten(2, (n_rows, -1))  # (1, dim, row, column)
    trained = grid.shape[3]
    if n_columns < trained:
        start = trained // 2 - n_columns // 2
        grid = grid[..., start : start + n_columns]
    elif n_columns > trained:
        grid = F.interpolate(grid, (n_rows, n_columns), mode="bilinear", align_corners=False)
    return torch.cat([extra, grid.flatten(2).transpose(1, 2)], dim=1)
