"""The paper's linear evaluation (Section IV-A) of scene embeddings, beside heareval's own head.

heareval's predictor takes features as they are, so that layers of large variance dominate a
fusion. Here every feature is standardised on the training clips, then a single linear layer is
trained, with the learning rate and the epoch that are best on validation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hear_fusion.evaluate.features import Features, Layers
from hear_fusion.evaluate.heads import Clips, Trained, train_heads
from hear_fusion.evaluate.protocol import Protocol
from hear_fusion.evaluate.rotations import Rotation, hold_out, rotations

# Layers of each split.
Representation = Mapping[str, Layers]
Labels = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class LinearResult:
    """Heads of a representation at the learning rate chosen on validation.

    Attributes:
        learning_rate: The one of the best mean over seeds and folds.
        valid_accuracy: Shape (seed, fold).
        test_accuracy: Shape (seed, fold).
        correct: Whether each test clip is right: for each fold shape (seed, clip).
        best_epoch: Epoch of the weights tested, from 1, shape (seed, fold).
        valid_by_rate: Mean validation accuracy of each learning rate.
    """

    learning_rate: float
    valid_accuracy: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]
    correct: tuple[NDArray[np.bool_], ...]
    best_epoch: NDArray[np.int64]
    valid_by_rate: dict[float, float]


def linear_evaluation(
    representations: Mapping[str, Representation],
    labels: Labels,
    metadata: Mapping[str, Any],
    protocol: Protocol | None = None,
    device: torch.device | str = "cpu",
    on_step: Callable[[int, int], None] | None = None,
) -> dict[str, LinearResult]:
    """Evaluate representations of the clips of a task.

    Args:
        representations: By name, for each split its layers (clip, dim), float32, which may be
            memory-mapped; a fusion is the list of its layers.
        labels: One label a clip, by split.
        metadata: The task's.
        protocol: Settings; None: the paper's.
        device: Where to train.
        on_step: Called with steps done and steps in all after each run of heads.

    Returns:
        A result for each representation.

    Raises:
        ValueError: If the task is not of scenes with one label each, or features and labels do
            not fit or are not finite.
    """
    protocol = protocol or Protocol()
    require_single_label(metadata)
    runs = rotations(metadata)
    n_steps, n_done = len(representations) * len(runs) * len(protocol.seeds), 0
    results = {}
    for name, representation in representations.items():
        folds = []
        for rotation in runs:
            fold = _Fold.make(name, representation, labels, rotation, device)
            trained = []
            for seed in protocol.seeds:
                trained.append(
                    train_heads(fold.clips(seed, protocol), seed, protocol, device=device)
                )
                n_done += 1
                if on_step is not None:
                    on_step(n_done, n_steps)
            folds.append(trained)
        results[name] = _choose(folds, protocol)
    return results


def is_single_label(metadata: Mapping[str, Any]) -> bool:
    """Tell whether the head applies: scenes with one label a clip."""
    return (metadata["embedding_type"], metadata["prediction_type"]) == ("scene", "multiclass")


def require_single_label(metadata: Mapping[str, Any]) -> None:
    """Check that the head applies.

    Raises:
        ValueError: If it does not.
    """
    if not is_single_label(metadata):
        raise ValueError(
            "task must be of scenes with one label each (scene, multiclass), got "
            f"{metadata['embedding_type']}, {metadata['prediction_type']}; score it by "
            "'hear-fusion evaluate'"
        )


@dataclass(frozen=True)
class _Fold:
    """Clips of a rotation, training first, then validation if there is a split, then test."""

    features: Features
    classes: NDArray[np.int64]
    n_classes: int
    n_train: int
    n_valid: int  # 0: to be held out

    @classmethod
    def make(
        cls,
        name: str,
        representation: Representation,
        labels: Labels,
        rotation: Rotation,
        device: torch.device | str,
    ) -> _Fold:
        valid = () if rotation.valid is None else (rotation.valid,)
        splits = (*rotation.train, *valid, rotation.test)
        for split in splits:
            sizes = {len(array) for array in representation[split]}
            if sizes != {len(labels[split])} or not labels[split]:
                raise ValueError(
                    f"labels of {split} must be one or more, one a clip, got {len(labels[split])} "
                    f"for {sorted(sizes)} clips of {name}; embed the task again"
                )
        n_train = sum(len(labels[split]) for split in rotation.train)
        vocabulary = sorted({label for split in rotation.train for label in labels[split]})
        index = {label: place for place, label in enumerate(vocabulary)}
        classes = [index.get(label, -1) for split in splits for label in labels[split]]
        return cls(
            Features([representation[s] for s in splits], n_fit=n_train, device=device),
            np.array(classes),
            len(vocabulary),
            n_train,
            sum(len(labels[split]) for split in valid),
        )

    def clips(self, seed: int, protocol: Protocol) -> Clips:
        """What the heads of a seed are given."""
        end = self.n_train + self.n_valid
        if self.n_valid:
            train, valid = np.arange(self.n_train), np.arange(self.n_train, end)
        else:
            train, valid = hold_out(
                self.classes[: self.n_train], protocol.held_out, seed, protocol.max_draws
            )
        return Clips(
            self.features,
            torch.from_numpy(self.classes),
            self.n_classes,
            torch.from_numpy(train),
            torch.from_numpy(valid),
            torch.arange(end, len(self.classes)),
        )


def _choose(folds: Sequence[Sequence[Trained]], protocol: Protocol) -> LinearResult:
    """Keep the learning rate that is best on validation over all folds and seeds."""
    valid = np.array([[run.valid_accuracy for run in fold] for fold in folds])  # fold, seed, rate
    by_rate = valid.mean(axis=(0, 1))
    chosen = int(by_rate.argmax())
    correct = tuple(np.stack([run.correct[chosen] for run in fold]) for fold in folds)
    return LinearResult(
        learning_rate=protocol.learning_rates[chosen],
        valid_accuracy=valid[:, :, chosen].T,
        test_accuracy=np.stack([fold.mean(axis=1) for fold in correct], axis=1),
        correct=correct,
        best_epoch=np.array([[run.best_epoch[chosen] for run in fold] for fold in folds]).T,
        valid_by_rate=dict(zip(protocol.learning_rates, by_rate.tolist(), strict=True)),
    )
