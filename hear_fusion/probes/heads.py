"""Linear heads of all learning rates, seeds and representations, trained at once (Section IV-A).

A run is a representation and a seed, with a head for each learning rate. Runs of one seed begin
with the same weights and see the same batches. A head that is done leaves. Each head is what this
loop gives for it alone, from the same weights and the same batches::

    head = torch.nn.Linear(dim, n_classes)
    adam = torch.optim.Adam(head.parameters(), learning_rate, weight_decay=weight_decay)
    for rows, classes in batches:
        adam.zero_grad()
        (cross_entropy(head(rows), classes) / n_classes).backward()
        adam.step()

``test_as_torchs_own_linear_adam_and_cross_entropy`` in ``tests/probes/test_heads.py`` trains both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hear_fusion.probes.features import CHUNK_BYTES, Features
from hear_fusion.probes.head_stack import HeadStack, initial_weights, logits
from hear_fusion.probes.protocol import Protocol

# Memory of heads trained at once: a CPU is slower once they outgrow its caches, a GPU is the better
# used the more there are.
_CPU_BYTES, _GPU_BYTES = 96 << 20, 1 << 30


@dataclass(frozen=True)
class Clips:
    """What heads train, validate and are tested on.

    Attributes:
        features: All clips, in all representations.
        classes: Class index of each, -1 if training has no such class, shape (clip,), int64.
        n_classes: Number of classes C.
        train, valid: Which clips, for each seed, shape (seed, clip), int64.
        test: Which clips, shape (clip,), int64.
    """

    features: Features
    classes: Tensor
    n_classes: int
    train: Tensor
    valid: Tensor
    test: Tensor


@dataclass(frozen=True)
class Trained:
    """Heads of a run at their best epoch.

    Attributes:
        valid_accuracy: Best accuracy on validation, shape (learning_rate,).
        best_epoch: When it was reached last, from 1, shape (learning_rate,).
        correct: Whether each test clip is right, shape (learning_rate, clip).
        losses: Mean training loss, NaN once a head has left, shape (epoch, learning_rate).
    """

    valid_accuracy: NDArray[np.float64]
    best_epoch: NDArray[np.int64]
    correct: NDArray[np.bool_]
    losses: NDArray[np.float64]


@torch.no_grad()
def train_heads(
    clips: Clips,
    protocol: Protocol,
    *,
    device: torch.device | str = "cpu",
    on_done: Callable[[], object] = lambda: None,
) -> list[list[Trained]]:
    """Train a head of each learning rate in each run, stop each by its patience, test the best.

    Args:
        clips: What to train, validate and test on.
        protocol: Learning rates, seeds, epochs, patience, batch size.
        device: Where the features come from, and where to compute.
        on_done: Called once for each run that has ended.

    Returns:
        By representation and seed.
    """
    n_seeds = len(protocol.seeds)
    runs = torch.cartesian_prod(torch.arange(len(clips.features)), torch.arange(n_seeds))
    n_logits = len(protocol.learning_rates) * clips.n_classes
    # Of a run: weights, best weights, gradient, Adam's two means; rows and logits of a batch.
    n_bytes = 5 * 4 * n_logits * clips.features.width
    n_bytes += 4 * protocol.batch_size * (clips.features.width + 2 * n_logits)
    most = _CPU_BYTES if torch.device(device).type == "cpu" else _GPU_BYTES
    n_parts = -(-len(runs) // max(1, most // n_bytes))
    trained: list[Trained] = []
    for part in runs.tensor_split(n_parts):
        trained += _train(_Training(clips, part, protocol, torch.device(device)), protocol, on_done)
    return [trained[begin : begin + n_seeds] for begin in range(0, len(trained), n_seeds)]


def _train(
    training: _Training, protocol: Protocol, on_done: Callable[[], object]
) -> Sequence[Trained]:
    for epoch in range(1, protocol.max_epochs + 1):
        n_before = training.n_left
        training.epoch(epoch)
        n_after = training.n_left if epoch < protocol.max_epochs else 0
        for _ in range(n_before - n_after):
            on_done()
        if not n_after:
            break
    return training.results()


class _Training:
    """Runs under way: the heads left, and the best of each head so far.

    Heads are numbered over all runs. Of one run fewer may be left than of another: finished heads
    then fill its places, so that the stack is a full array, and count no more.
    """

    def __init__(
        self, clips: Clips, runs: Tensor, protocol: Protocol, device: torch.device
    ) -> None:
        features = clips.features
        self._clips, self._protocol, self._device = clips, protocol, device
        self._classes = clips.classes.to(device)
        self._buffer = torch.empty(0, device=device)
        self._generators = [torch.Generator().manual_seed(seed) for seed in protocol.seeds]
        start = torch.stack(
            [
                initial_weights(clips.n_classes, features.dim, features.width, generator)
                for generator in self._generators
            ]
        ).to(device)
        learning_rates = torch.tensor(protocol.learning_rates, device=device)
        self._learning_rates = learning_rates.expand(len(runs), -1)
        scaled = start[runs[:, 1], None] / learning_rates[:, None, None]
        self._stack = HeadStack(scaled, self._learning_rates, protocol.weight_decay)
        self._best = scaled.flatten(0, 1).clone()
        self._best_hits = torch.full((len(self._best),), -1)
        self._best_epoch = torch.zeros(len(self._best), dtype=torch.int64)
        self._losses: list[Tensor] = []
        self._all_runs = runs
        # By place in the stack: representation and seed, shape (run, 2); the head, and whether it
        # counts, shape (run, head).
        self._runs = runs
        self._heads = torch.arange(len(self._best)).view(self._learning_rates.shape)
        self._counts = torch.ones_like(self._heads, dtype=torch.bool)

    @property
    def n_left(self) -> int:
        """Runs with a head left."""
        return len(self._runs)

    def epoch(self, epoch: int) -> None:
        """Take the steps of an epoch, remember better heads, let finished ones go."""
        losses = torch.full((len(self._best),), torch.nan)
        losses[self._heads[self._counts]] = self._steps()[self._counts]
        self._losses.append(losses)
        valid = self._clips.valid[self._runs[:, 1]]
        hits = self._correct(self._stack.scaled, self._stack.learning_rates, valid).sum(2)
        # A tie moves the best to the later epoch.
        better = self._counts & (hits >= self._best_hits[self._heads])
        improved = self._heads[better]
        self._best_hits[improved], self._best_epoch[improved] = hits[better], epoch
        for head, (run, place) in zip(improved.tolist(), better.nonzero().tolist(), strict=True):
            self._best[head].copy_(self._stack.scaled[run, place])
        self._counts &= epoch - self._best_epoch[self._heads] < self._protocol.patience
        self._leave()

    def results(self) -> list[Trained]:
        """Test all heads at their best."""
        self._runs, shape = self._all_runs, self._learning_rates.shape
        test = self._clips.test.expand(len(self._runs), -1)
        correct = self._correct(self._best.unflatten(0, shape), self._learning_rates, test).numpy()
        accuracies = self._best_hits.view(shape).double() / self._clips.valid.shape[1]
        epochs = self._best_epoch.view(shape)
        losses = torch.stack(self._losses, dim=1).unflatten(0, shape).double()
        return [
            Trained(
                accuracies[run].numpy(), epochs[run].numpy(), correct[run], losses[run].T.numpy()
            )
            for run in range(len(self._runs))
        ]

    def _steps(self) -> Tensor:
        """Mean losses over one pass, by place, shape (run, head)."""
        shuffled = torch.stack(
            [
                train[torch.randperm(len(train), generator=generator)]
                for train, generator in zip(self._clips.train, self._generators, strict=True)
            ]
        )
        order = shuffled[self._runs[:, 1]]
        total = torch.zeros(self._heads.shape, device=self._device)
        for index in order.to(self._device).split(self._protocol.batch_size, dim=1):
            losses = self._stack.step(self._rows(index), self._classes[index])
            total += index.shape[1] * losses
        return (total / order.shape[1]).cpu()

    def _correct(self, scaled: Tensor, learning_rates: Tensor, clips: Tensor) -> Tensor:
        """Whether each head is right on each clip, shape (run, head, clip), on the CPU."""
        n_bytes = 4 * len(clips) * (scaled.shape[-1] + scaled.shape[1] * scaled.shape[2])
        n_clips = max(1, CHUNK_BYTES // n_bytes)
        parts = []
        for index in clips.to(self._device).split(n_clips, dim=1):
            found = logits(scaled, learning_rates, self._rows(index)).argmax(2)
            parts.append((found == self._classes[index][:, None]).cpu())
        return torch.cat(parts, dim=2)

    def _rows(self, index: Tensor) -> Tensor:
        """Gather clips of the runs left, shape (run, clip, width), in memory that is used again."""
        shape = (*index.shape, self._clips.features.width)
        n = index.numel() * shape[-1]
        if len(self._buffer) < n:
            self._buffer = torch.empty(n, device=self._device)
        return self._clips.features.rows(self._runs[:, 0], index, out=self._buffer[:n].view(shape))

    def _leave(self) -> None:
        """Drop runs without a head that counts, and places that no run needs."""
        n_runs, n_places = self._counts.shape
        going = self._counts.any(1)
        n_needed = int(self._counts.sum(1).max())
        if going.all() and n_needed == n_places:
            return
        first = self._counts.sort(dim=1, descending=True, stable=True).indices[:, :n_needed]
        places = (first + n_places * torch.arange(n_runs)[:, None])[going]
        self._runs = self._runs[going]
        self._heads, self._counts = self._heads.take(places), self._counts.take(places)
        self._stack.keep(places)
