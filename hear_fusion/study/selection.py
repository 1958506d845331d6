"""The choice of a middle layer M and a late layer L, Section IV-C of the paper.

Tasks fall into two groups, those that late layers serve (in the paper ESC-50, UrbanSound8K and
GTZAN) and the others. L is the layer where the first group's average peaks, M the one where the
second group's does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hear_fusion.errors import InvalidError

Group = Literal["middle", "late"]
Grouping = Literal["config", "data", "mixed"]
Scores = Mapping[int, float]
"""By layer number, an accuracy on one task."""


@dataclass(frozen=True)
class Selection:
    """The chosen layers, and what they were chosen by.

    Attributes:
        middle, late: The layers M and L; the same one where both groups peak there.
        groups: The group of each task.
        grouping: Whether the groups were given, found from the scores, or some of each.
    """

    middle: int
    late: int
    groups: Mapping[str, Group]
    grouping: Grouping

    @property
    def chosen(self) -> tuple[int, ...]:
        """Layer numbers of the fusion (`fused_layers`)."""
        return fused_layers(self.middle, self.late)


def fused_layers(middle: int, late: int) -> tuple[int, ...]:
    """List the layers of the fusion of M and L, ascending; one alone where they are the same.

    >>> fused_layers(6, 3), fused_layers(4, 4)
    ((3, 6), (4,))
    """
    return tuple(sorted({middle, late}))


def select_layers(scores: Mapping[str, Scores], given: Mapping[str, Group]) -> Selection:
    """Choose M and L.

    A task whose group is not given belongs where its own best layer lies: in the upper half of the
    layers, or below. A group without a task is spoken for by all tasks, on its half of the layers
    alone. Of layers with equal averages the earlier one is chosen.

    Args:
        scores: For each task an accuracy a layer; the same layers everywhere.
        given: Groups of some or all tasks, or of none.

    Raises:
        ValueError: If there is no task, or the layers differ between tasks.

    >>> seen = {"dogs": {1: 0.2, 2: 0.5, 3: 0.6, 4: 0.9}, "words": {1: 0.3, 2: 0.8, 3: 0.4, 4: 0.1}}
    >>> select_layers(seen, {}).groups
    {'dogs': 'late', 'words': 'middle'}
    >>> chosen = select_layers(seen, {})
    >>> (chosen.middle, chosen.late)
    (2, 4)
    """
    layers = _common_layers(scores)
    groups: dict[str, Group] = {
        task: given.get(task) or found_group(of_task) for task, of_task in scores.items()
    }
    known = [task for task in groups if task in given]
    grouping: Grouping = "mixed" if known else "data"
    if len(known) == len(groups):
        grouping = "config"
    early_half, late_half = _halves(layers)
    return Selection(
        middle=_peak(scores, groups, "middle", early_half),
        late=_peak(scores, groups, "late", late_half),
        groups=groups,
        grouping=grouping,
    )


def found_group(scores: Scores) -> Group:
    """Tell by a task's scores which half of the layers serves it best.

    >>> found_group({5: 0.1, 10: 0.9, 15: 0.9, 20: 0.3})
    'middle'
    """
    early_half, _ = _halves(sorted(scores))
    return "middle" if max(sorted(scores), key=lambda n: scores[n]) in early_half else "late"


def group_average(
    scores: Mapping[str, Scores], tasks: Collection[str], layers: Sequence[int]
) -> dict[int, float]:
    """Average the tasks of a group, layer by layer."""
    return {n: float(np.mean([scores[task][n] for task in tasks])) for n in layers}


def _peak(
    scores: Mapping[str, Scores], groups: Mapping[str, Group], group: Group, half: Sequence[int]
) -> int:
    tasks = [task for task, of in groups.items() if of == group]
    layers = _common_layers(scores) if tasks else half
    average = group_average(scores, tasks or list(scores), layers)
    return max(layers, key=lambda n: average[n])


def _halves(layers: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """Split layers in two; the lower half is the smaller one. A single layer is both."""
    middle = len(layers) // 2
    return layers[:middle] or layers, layers[middle:]


def _common_layers(scores: Mapping[str, Scores]) -> list[int]:
    tables = {tuple(sorted(of_task)) for of_task in scores.values()}
    if len(tables) != 1 or () in tables:
        raise InvalidError(
            f"scores must be of one or more tasks and of the same layers on each, got {tables}"
        )
    return list(tables.pop())
