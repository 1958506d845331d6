"""Clips of a task as the heads of one fold take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from hear_fusion.errors import InvalidError
from hear_fusion.probes.features import Features, LayerArrays
from hear_fusion.probes.heads import Clips
from hear_fusion.probes.protocol import Protocol
from hear_fusion.probes.rotations import Rotation, hold_out

# Layers of each split.
Representation = Mapping[str, LayerArrays]
Labels = Mapping[str, Sequence[str]]


def clips_of_fold(
    representations: Mapping[str, Representation],
    labels: Labels,
    rotation: Rotation,
    protocol: Protocol,
    device: torch.device | str,
) -> Clips:
    """Take the splits of a rotation: training first, then validation if there is one, then test.

    Args:
        representations: By name, of equal dimension.
        labels: One a clip, by split.
        rotation: Which splits.
        protocol: Seeds, and the share to hold out where there is no split for validation.
        device: Where to train.

    Raises:
        ValueError: If labels are not one a clip, or features not finite.
    """
    valid_splits = () if rotation.valid is None else (rotation.valid,)
    splits = (*rotation.train, *valid_splits, rotation.test)
    for name, layers in representations.items():
        for split in splits:
            _check_labels(name, split, layers[split], labels[split])
    n_train = sum(len(labels[split]) for split in rotation.train)
    end = n_train + sum(len(labels[split]) for split in valid_splits)
    vocabulary = sorted({label for split in rotation.train for label in labels[split]})
    index = {label: place for place, label in enumerate(vocabulary)}
    classes = np.array([index.get(label, -1) for split in splits for label in labels[split]])
    if valid_splits:
        draws = [(np.arange(n_train), np.arange(n_train, end))] * len(protocol.seeds)
    else:
        draws = [
            hold_out(classes[:n_train], protocol.held_out, seed, protocol.max_draws)
            for seed in protocol.seeds
        ]
    train, valid = (torch.from_numpy(np.stack(part)) for part in zip(*draws, strict=True))
    return Clips(
        Features(
            [[layers[split] for split in splits] for layers in representations.values()],
            n_fit=n_train,
            device=device,
        ),
        torch.from_numpy(classes),
        len(vocabulary),
        train,
        valid,
        torch.arange(end, len(classes)),
    )


def _check_labels(name: str, split: str, layers: LayerArrays, labels: Sequence[str]) -> None:
    sizes = {len(array) for array in layers}
    if sizes != {len(labels)} or not labels:
        raise InvalidError(
            f"labels of {split} must be one or more, one a clip, got {len(labels)} "
            f"for {sorted(sizes)} clips of {name}; embed the task again"
        )
