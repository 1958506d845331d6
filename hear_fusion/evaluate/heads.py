"""Linear heads of many learning rates, trained together (Section IV-A).

All heads see the same batches and begin with the same weights, so that one matrix product scores
a batch for all of them and another gives all gradients. A head that is done leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import log_softmax
from torch.optim.adam import adam

from hear_fusion.evaluate.features import Features
from hear_fusion.evaluate.protocol import Protocol

_LOG_TINY = -60.0  # of a probability that no gradient shows in float32


@dataclass(frozen=True)
class Clips:
    """What the heads of a run train, validate and are tested on.

    Attributes:
        features: All clips.
        classes: Class index of each, -1 if training has no such class, shape (clip,), int64.
        n_classes: Number of classes C.
        train, valid, test: Which clips, each of shape (clip,), int64.
    """

    features: Features
    classes: Tensor
    n_classes: int
    train: Tensor
    valid: Tensor
    test: Tensor


@dataclass(frozen=True)
class Trained:
    """Heads at their best epoch.

    Attributes:
        valid_accuracy: Best accuracy on validation, shape (rate,).
        best_epoch: When it was reached last, from 1, shape (rate,).
        correct: Whether each test clip is right, shape (rate, clip).
        losses: Mean training loss, NaN once a head has left, shape (epoch, rate).
    """

    valid_accuracy: NDArray[np.float64]
    best_epoch: NDArray[np.int64]
    correct: NDArray[np.bool_]
    losses: NDArray[np.float64]


class _Heads:
    """Heads still training, and Adam's state of them.

    Adam moves a weight by its rate times a direction that does not depend on the rate. So weights
    are kept divided by the rate of their head, and one call at rate 1 moves all heads at once.
    """

    def __init__(self, weights: Tensor, rates: Tensor, weight_decay: float) -> None:
        self._rates = rates[:, None, None].to(weights)
        self._scaled = weights / self._rates
        self._weight_decay = weight_decay
        self._mean, self._square = torch.zeros_like(weights), torch.zeros_like(weights)
        self._gradient = torch.empty_like(weights)
        self._n_steps = torch.zeros((), device=weights.device)
        self._minus_one = torch.tensor(-1.0, device=weights.device)

    def __len__(self) -> int:
        return len(self._scaled)

    @property
    def weights(self) -> Tensor:
        """Weights, shape (head, class, width)."""
        return self._scaled * self._rates

    def scores(self, rows: Tensor) -> Tensor:
        """Logits, shape (head, class, clip): clips last, where sums over classes are fast."""
        scores = self._scaled.flatten(0, 1) @ rows.T
        return scores.view(*self._scaled.shape[:2], len(rows)).mul_(self._rates)

    def step(self, rows: Tensor, classes: Tensor) -> Tensor:
        """Take one step of each head; give its loss before, shape (head,)."""
        n_heads, n_classes, _ = self._scaled.shape
        log_probability = log_softmax(self.scores(rows), dim=1)
        at = classes.expand(n_heads, 1, -1)
        losses = log_probability.gather(1, at).mean((1, 2)) / -n_classes
        # The gradient of cross-entropy by the logits: softmax minus one-hot. Probabilities of
        # confident heads would be denormal numbers, with which matrix products take twice as long.
        error = (
            log_probability.clamp_(min=_LOG_TINY)
            .exp_()
            .scatter_add_(1, at, self._minus_one.expand(at.shape))
        )
        error *= 1 / (len(rows) * n_classes)
        torch.mm(error.flatten(0, 1), rows, out=self._gradient.flatten(0, 1))
        self._update()
        return losses

    def _update(self) -> None:
        if self._weight_decay:
            self._gradient.addcmul_(self._scaled, self._rates, value=self._weight_decay)
        adam(
            [self._scaled],
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
        """Let all other heads go."""
        index = which.to(self._scaled.device)
        self._rates, self._scaled, self._mean, self._square = (
            tensor.index_select(0, index)
            for tensor in (self._rates, self._scaled, self._mean, self._square)
        )
        self._gradient = torch.empty_like(self._scaled)


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


@torch.no_grad()
def train_heads(
    clips: Clips, seed: int, protocol: Protocol, *, device: torch.device | str = "cpu"
) -> Trained:
    """Train a head of each learning rate, stop each by its patience, test its best weights.

    Args:
        clips: What to train, validate and test on.
        seed: Seed of the initial weights and of the batches.
        protocol: Learning rates, epochs, patience, batch size.
        device: Where the features come from, and where to compute.
    """
    features = clips.features
    generator = torch.Generator().manual_seed(seed)
    start = initial_weights(clips.n_classes, features.dim, features.width, generator).to(device)
    rates = torch.tensor(protocol.learning_rates)
    heads = _Heads(start.repeat(len(rates), 1, 1), rates, protocol.weight_decay)
    classes = clips.classes.to(device)
    best = heads.weights.clone()
    best_hits = torch.full((len(rates),), -1)
    best_epoch = torch.zeros(len(rates), dtype=torch.int64)
    alive = torch.arange(len(rates))
    losses = []
    for epoch in range(1, protocol.max_epochs + 1):
        order = clips.train[torch.randperm(len(clips.train), generator=generator)]
        losses.append(torch.full((len(rates),), torch.nan))
        losses[-1][alive] = _epoch(heads, features, classes, order, protocol.batch_size)
        hits = _correct(heads, features, classes, clips.valid).sum(1)
        # A tie moves the best to the later epoch.
        better = hits >= best_hits[alive]
        improved = alive[better]
        best_hits[improved], best_epoch[improved] = hits[better], epoch
        best[improved.to(device)] = heads.weights[better.to(device)]
        going = epoch - best_epoch[alive] < protocol.patience
        if not going.all():
            heads.keep(going.nonzero().squeeze(1))
            alive = alive[going]
            if not len(alive):
                break
    heads = _Heads(best, rates, protocol.weight_decay)
    return Trained(
        (best_hits.double() / len(clips.valid)).numpy(),
        best_epoch.numpy(),
        _correct(heads, features, classes, clips.test).numpy(),
        torch.stack(losses).double().numpy(),
    )


def _epoch(
    heads: _Heads, features: Features, classes: Tensor, order: Tensor, batch_size: int
) -> Tensor:
    """Mean loss of each head over one pass."""
    total = torch.zeros(len(heads), device=classes.device)
    for batch in order.split(batch_size):
        rows = features.rows(batch)
        total += len(batch) * heads.step(rows, classes[batch.to(classes.device)])
    return (total / len(order)).cpu()


def _correct(heads: _Heads, features: Features, classes: Tensor, index: Tensor) -> Tensor:
    """Whether each head is right on each clip, shape (head, clip), on the CPU."""
    parts = []
    for begin, end in features.chunks(0, len(index)):
        part = index[begin:end]
        found = heads.scores(features.rows(part)).argmax(1)
        parts.append((found == classes[part.to(classes.device)]).cpu())
    return torch.cat(parts, dim=1)
