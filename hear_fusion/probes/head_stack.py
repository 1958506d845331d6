"""Linear heads as batched products: a row of heads for each run, all moved by one Adam call."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

try:  # its public place from torch 2.15 on
    from torch.optim.functional import adam
except ImportError:
    from torch.optim.adam import adam

_LOG_TINY = -60.0  # of a probability that no gradient shows in float32


def logits(scaled: Tensor, learning_rates: Tensor, rows: Tensor) -> Tensor:
    """Compute the logits of heads.

    Args:
        scaled: Weights over learning rate, shape (run, head, class, width).
        learning_rates: That of each head, shape (run, head).
        rows: Of each run, shape (run, clip, width).

    Returns:
        Shape (run, head, class, clip): clips last, where sums over classes are fast.
    """
    out = scaled.new_empty(*scaled.shape[:3], rows.shape[1])
    _products(scaled.flatten(1, 2), rows.mT, out.flatten(1, 2))
    return out.mul_(learning_rates[..., None, None])


def _products(left: Tensor, right: Tensor, out: Tensor) -> None:
    """Multiply matrix by matrix, as `torch.bmm`.

    On a CPU that deals whole matrices to threads. Those that do not come out even would keep one
    thread busy and the others waiting, so all threads work on each of them.
    """
    n = len(left)
    if left.device.type == "cpu":
        n -= n % torch.get_num_threads()
    torch.bmm(left[:n], right[:n], out=out[:n])
    for place in range(n, len(left)):
        torch.mm(left[place], right[place], out=out[place])


class HeadStack:
    """Heads in training, and Adam's state of them.

    The heads of a run see the same rows, those of different runs their own: one batched product
    gives the logits of a batch for all heads and another gives all gradients.

    Adam moves a weight by the learning rate times a direction that does not depend on it. So
    weights are kept divided by the learning rate of their head, and one call at a learning rate of
    1 moves all heads at once.

    Attributes:
        scaled: Weights over learning rate, shape (run, head, class, width).
        learning_rates: That of each head, shape (run, head).
    """

    def __init__(self, scaled: Tensor, learning_rates: Tensor, weight_decay: float) -> None:
        self.scaled, self.learning_rates = scaled, learning_rates
        self._weight_decay = weight_decay
        self._mean, self._square = torch.zeros_like(scaled), torch.zeros_like(scaled)
        self._gradient = torch.empty_like(scaled)
        self._n_steps = torch.zeros((), device=scaled.device)
        self._minus_one = torch.tensor(-1.0, device=scaled.device)

    def step(self, rows: Tensor, classes: Tensor) -> Tensor:
        """Take one step of each head.

        Args:
            rows: Batch of each run, shape (run, clip, width).
            classes: Their classes, shape (run, clip), int64.

        Returns:
            Loss of each head before the step, mean cross-entropy over C, shape (run, head).
        """
        n_heads, n_classes = self.scaled.shape[1:3]
        log_probability = log_softmax(logits(self.scaled, self.learning_rates, rows), dim=2)
        at = classes[:, None, None].expand(-1, n_heads, 1, -1)
        losses = log_probability.gather(2, at).mean((2, 3)) / -n_classes
        # The gradient of cross-entropy by the logits: softmax minus one-hot. Probabilities of
        # confident heads would be denormal numbers, with which matrix products take twice as long.
        error = (
            log_probability.clamp_(min=_LOG_TINY)
            .exp_()
            .scatter_add_(2, at, self._minus_one.expand(at.shape))
        )
        error *= 1 / (rows.shape[1] * n_classes)
        _products(error.flatten(1, 2), rows, self._gradient.flatten(1, 2))
        self._update()
        return losses

    def _update(self) -> None:
        if self._weight_decay:
            self._gradient.addcmul_(
                self.scaled, self.learning_rates[..., None, None], value=self._weight_decay
            )
        adam(
            [self.scaled],
            [self._gradient],
            [self._mean],
            [self._square],
            [],
            [self._n_steps],
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=1.0,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )

    def keep(self, which: Tensor) -> None:
        """Let all other heads go.

        Args:
            which: Places of heads, counted over all runs, shape (run, head), int64.
        """
        index = which.flatten().to(self.scaled.device)
        self.scaled, self._mean, self._square, self.learning_rates = (
            tensor.flatten(0, 1).index_select(0, index).unflatten(0, which.shape)
            for tensor in (self.scaled, self._mean, self._square, self.learning_rates)
        )
        self._gradient = torch.empty_like(self.scaled)


def initial_weights(n_classes: int, dim: int, width: int, generator: torch.Generator) -> Tensor:
    """Draw weights and bias as `torch.nn.Linear` does: uniform within 1 / sqrt(dim).

    Returns:
        Weights, shape (class, width), float32: ``dim`` columns, the bias, zeros.
    """
    weights = torch.zeros(n_classes, width)
    bound = dim**-0.5
    weights[:, :dim] = torch.empty(n_classes, dim).uniform_(-bound, bound, generator=generator)
    weights[:, dim] = torch.empty(n_classes).uniform_(-bound, bound, generator=generator)
    return weights
