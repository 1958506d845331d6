"""The paper's linear evaluation (Section IV-A) of scene embeddings, beside heareval's own head.

heareval's predictor takes features as they are, so that layers of large variance dominate a
fusion. Here every feature is standardised on the training clips, then a single linear layer is
trained, with the learning rate and the epoch that are best on validation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from hear_fusion.errors import InvalidError
from hear_fusion.probes.features import HELD_BYTES, bytes_of
from hear_fusion.probes.fold import Labels, Representation, clips_of_fold
from hear_fusion.probes.heads import Trained, train_heads
from hear_fusion.probes.protocol import Protocol
from hear_fusion.probes.rotations import rotations
from hear_fusion.tasks.schema import TaskMetadata


@dataclass(frozen=True)
class LinearResult:
    """Heads of a representation at the learning rate chosen on validation.

    Attributes:
        learning_rate: The one of the best mean over seeds and folds.
        valid_accuracy: Shape (seed, fold).
        test_accuracy: Shape (seed, fold).
        correct: Whether each test clip is right: for each fold shape (seed, clip).
        best_epoch: Epoch of the weights tested, from 1, shape (seed, fold).
        valid_by_learning_rate: Mean validation accuracy of each.
        wall_s: Wall time, of heads trained together their share.
    """

    learning_rate: float
    valid_accuracy: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]
    correct: tuple[NDArray[np.bool_], ...]
    best_epoch: NDArray[np.int64]
    valid_by_learning_rate: dict[float, float]
    wall_s: float


def linear_evaluation(
    representations: Mapping[str, Representation],
    labels: Labels,
    metadata: TaskMetadata,
    protocol: Protocol | None = None,
    device: torch.device | str = "cpu",
    on_step: Callable[[int, int], object] | None = None,
) -> Iterator[tuple[str, LinearResult]]:
    """Evaluate representations of the clips of a task.

    Heads of all learning rates, seeds and representations of one dimension train together.

    Args:
        representations: By name, for each split its layers (clip, dim), float32, which may be
            memory-mapped; a fusion is the list of its layers.
        labels: One label a clip, by split.
        metadata: The task's.
        protocol: Settings; None: the paper's.
        device: Where to train.
        on_step: Called with runs done and runs in all after each run; a run is a representation,
            a fold and a seed.

    Yields:
        Name and result of each representation, as soon as it is there.

    Raises:
        ValueError: If the task is not of scenes with one label each, or features and labels do
            not fit or are not finite.
    """
    protocol = protocol or Protocol()
    require_single_label(metadata)
    folds = rotations(metadata)
    n_runs, n_done = len(representations) * len(folds) * len(protocol.seeds), 0

    def count() -> None:
        nonlocal n_done
        n_done += 1
        if on_step is not None:
            on_step(n_done, n_runs)

    for names in _groups(representations, labels):
        group = {name: representations[name] for name in names}
        began = time.monotonic()
        # No name for the clips of a fold: its features, gigabytes, are freed before the next one's.
        trained = [
            train_heads(
                clips_of_fold(group, labels, fold, protocol, device),
                protocol,
                device=device,
                on_done=count,
            )
            for fold in folds
        ]
        wall_s = (time.monotonic() - began) / len(names)
        for name, of_folds in zip(names, zip(*trained, strict=True), strict=True):
            yield name, _choose(of_folds, protocol, wall_s)


def _groups(representations: Mapping[str, Representation], labels: Labels) -> Iterator[list[str]]:
    """Part representations, by name, into groups of one dimension whose features can be held."""
    n_clips = max(1, sum(map(len, labels.values())))
    by_dim: dict[int, list[str]] = {}
    for name, splits in representations.items():
        layers = next(iter(splits.values()))
        by_dim.setdefault(sum(array.shape[-1] for array in layers), []).append(name)
    for dim, names in by_dim.items():
        size = max(1, HELD_BYTES // bytes_of(n_clips, dim))
        yield from (names[begin : begin + size] for begin in range(0, len(names), size))


def require_single_label(metadata: TaskMetadata) -> None:
    """Check that the head applies.

    Raises:
        ValueError: If it does not.
    """
    if not metadata.is_single_label:
        raise InvalidError(
            "task must be of scenes with one label each (scene, multiclass), got "
            f"{metadata.embedding_type}, {metadata.prediction_type}; score it by "
            "'hear-fusion evaluate'"
        )


def _choose(folds: Sequence[Sequence[Trained]], protocol: Protocol, wall_s: float) -> LinearResult:
    """Keep the learning rate that is best on validation over all folds and seeds."""
    # Shape (fold, seed, learning_rate).
    valid = np.array([[run.valid_accuracy for run in fold] for fold in folds])
    means = valid.mean(axis=(0, 1))
    chosen = int(means.argmax())
    correct = tuple(np.stack([run.correct[chosen] for run in fold]) for fold in folds)
    return LinearResult(
        learning_rate=protocol.learning_rates[chosen],
        valid_accuracy=valid[:, :, chosen].T,
        test_accuracy=np.stack([fold.mean(axis=1) for fold in correct], axis=1),
        correct=correct,
        best_epoch=np.array([[run.best_epoch[chosen] for run in fold] for fold in folds]).T,
        valid_by_learning_rate=dict(zip(protocol.learning_rates, means.tolist(), strict=True)),
        wall_s=wall_s,
    )
