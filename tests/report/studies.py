"""Studies made up for tests, with numbers of a realistic size and shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from hear_fusion.study.results import Estimate, Gain, Study, TaskStudy

LAYERS = {
    "cnn14": (1, 2, 3, 4, 5, 6),
    "vggish": (2, 5, 8, 10, 13, 15, 18, 20, 22),
    "ast": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
    "yamnet": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14),
}
CHOSEN = {"cnn14": (3, 6), "vggish": (10, 15), "ast": (5, 12), "yamnet": (5, 13)}


@dataclass(frozen=True)
class Kind:
    """A task as the studies need it: its clips, and how well its best layer does."""

    task: str
    n_clips: int
    n_test: int
    n_classes: int
    n_folds: int
    group: Literal["middle", "late"]
    best: float


NINE = (
    Kind("esc50-v2.0.0-full", 2000, 2000, 50, 5, "late", 0.90),
    Kind("us8k-v1.0.0-full", 8732, 8732, 10, 10, "late", 0.83),
    Kind("speech_commands_35-v0.0.2-full", 105829, 11005, 35, 1, "middle", 0.90),
    Kind("voxceleb1-v1.0.0-full", 153516, 8251, 1251, 1, "middle", 0.48),
    Kind("voxforge-v1.0.0-full", 176428, 28000, 6, 1, "middle", 0.89),
    Kind("crema_d_speakers-v1.0.0-full", 7438, 1551, 6, 1, "middle", 0.58),
    Kind("gtzan_filtered-v1.0.0-full", 930, 290, 10, 1, "late", 0.78),
    Kind("nsynth_family-v2.2.3-full", 305979, 4096, 11, 1, "middle", 0.72),
    Kind("surge-v1.0.0-full", 183392, 17336, 88, 1, "middle", 0.31),
)
DEMO = (
    Kind("esc10-v2.0.0-full", 400, 400, 10, 5, "late", 0.955),
    Kind("demo_words-v1.0.0-full", 1200, 240, 20, 1, "middle", 0.93),
    Kind("demo_voices-v1.0.0-full", 1200, 240, 8, 1, "middle", 0.86),
    Kind("demo_pitch-v1.0.0-full", 1056, 220, 40, 1, "middle", 0.52),
    Kind("demo_instruments-v1.0.0-full", 1056, 220, 11, 1, "late", 0.88),
    Kind("demo_chords-v1.0.0-full", 480, 96, 4, 1, "middle", 0.71),
)


def estimate(
    value: float, n: int = 400, n_folds: int = 1, official: float | None = None
) -> Estimate:
    """Estimate with a binomial interval."""
    half = 1.96 * math.sqrt(value * (1 - value) / n)
    low, high = max(0.0, value - half), min(1.0, value + half)
    return Estimate(value, 0.006, low, high, n, 3, n_folds, value + 0.01, 3e-4, official)


def task_study(kind: Kind, backbone: str, *, official: bool = False) -> TaskStudy:
    """Rise to a peak in the middle or late, with a little noise that the name decides."""
    numbers = LAYERS[backbone]
    depth = np.linspace(0.1, 1.0, len(numbers))
    if kind.group == "late":
        shape = np.minimum(1, 1.12 * depth**0.45) - 0.08 * np.maximum(0, depth - 0.92) * 10
    else:
        peak = 0.4 if kind.n_classes > 8 else 0.5
        shape = 1 - (1.3 if depth.size > 6 else 0.9) * (depth - peak) ** 2
        shape -= np.where(depth > 0.7, (depth - 0.7) * (1.1 if kind.n_classes > 30 else 0.4), 0)
    rng = np.random.default_rng(sum(kind.task.encode()))
    values = np.clip(kind.best * shape + rng.normal(0, 0.008, depth.size), 0.02, 0.99)
    original = float(values[-1]) * (0.97 if kind.group == "late" else 0.8)
    fused = min(0.99, float(values.max()) + 0.012)
    if kind.task.startswith("gtzan"):
        fused = original - 0.023
    scores = (original - 0.02, fused - 0.01) if official else (None, None)
    half = 1.96 * math.sqrt((original * (1 - original) + fused * (1 - fused)) / 2 / kind.n_test)
    gain = Gain(
        fused - original,
        fused - original - half,
        fused - original + half,
        max(1e-5, math.erfc(abs(fused - original) / half * 1.96 / math.sqrt(2))),
        kind.n_test,
        0.01 + fused - original if official else None,
    )
    return TaskStudy(
        kind.task,
        kind.n_clips,
        kind.n_classes,
        kind.n_folds,
        kind.group,
        {
            number: estimate(float(value), kind.n_test, kind.n_folds)
            for number, value in zip(numbers, values, strict=True)
        },
        estimate(original, kind.n_test, kind.n_folds, scores[0]),
        estimate(fused, kind.n_test, kind.n_folds, scores[1]),
        gain,
    )


def best_layer(tasks: Sequence[TaskStudy], group: str) -> int:
    """Choose a layer as the paper does; 0 where the group is empty."""
    mine = [task for task in tasks if task.group == group]
    return max(mine[0].layers, key=lambda n: sum(t.layers[n].valid for t in mine)) if mine else 0


def study(
    backbone: str = "yamnet",
    kinds: Sequence[Kind] = DEMO,
    *,
    official: bool = False,
    selection: Literal["validation", "test"] = "validation",
) -> Study:
    """Make a study of a network on some tasks."""
    tasks = tuple(task_study(kind, backbone, official=official) for kind in kinds)
    middle, late = (
        best_layer(tasks, group) or best_layer(tasks, other)
        for group, other in (("middle", "late"), ("late", "middle"))
    )
    return Study(
        backbone,
        middle,
        late,
        selection,
        "config",
        tasks,
        "ab" * 32,
        {"backbone": backbone, "learning_rates": [1e-4, 1e-3], "seeds": 3, "patience": 20},
        {"hear_fusion": "0.1.0", "torch": "2.14.1"},
        "2 cores, 24 GB, x86-64",
        {"embed": 131.4, "heads": 71.2},
        1_503_238_553,
        "2026-11-25",
    )


def measured_as(backbone: str, original: Sequence[float], fused: Sequence[float]) -> Study:
    """A study of the paper's layers on the nine tasks that measured these accuracies, in percent."""
    made = study(backbone, NINE)
    tasks = [
        replace(
            task,
            original=estimate(first / 100, task.original.n),
            fused=estimate(second / 100, task.fused.n),
            gain=replace(
                task.gain,
                value=(second - first) / 100,
                low=(second - first) / 100 - 0.02,
                high=(second - first) / 100 + 0.02,
            ),
        )
        for task, first, second in zip(made.tasks, original, fused, strict=True)
    ]
    middle, late = CHOSEN[backbone]
    return replace(made, middle=middle, late=late, tasks=tuple(tasks))
