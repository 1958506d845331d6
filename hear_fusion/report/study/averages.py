"""Averages over tasks, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hear_fusion.report.formats import Number
from hear_fusion.report.study.published_scores import find_paper_task
from hear_fusion.study.results import Estimate, Gain, Study, TaskStudy

# How the paper names the layer a group of tasks speaks for.
SIGNS = {"middle": "M", "late": "L"}


def percent(found: Estimate | Gain) -> Number:
    """Show an accuracy, or a difference of two with its sign, in percent."""
    return Number(
        100 * found.value, 100 * found.low, 100 * found.high, signed=isinstance(found, Gain)
    )


def mean_of(found: Sequence[Estimate | Gain]) -> Number:
    """Average over tasks; tasks share no clips, so the squares of their half-widths add.

    The tasks themselves are fixed: the interval speaks of other clips, not of other tasks.

    Args:
        found: Accuracies or differences, one a task.

    Returns:
        Mean and 95 % interval, in percent.

    >>> print(mean_of([Gain(0.03, 0.0, 0.06, 0.05, 10), Gain(0.05, 0.01, 0.09, 0.05, 10)]))
    +4.0 [+1.5, +6.5]
    """
    value = sum(one.value for one in found) / len(found)
    below = math.hypot(*(one.value - one.low for one in found)) / len(found)
    above = math.hypot(*(one.high - one.value for one in found)) / len(found)
    signed = isinstance(found[0], Gain)
    return Number(100 * value, 100 * (value - below), 100 * (value + above), signed=signed)


def task_groups(study: Study) -> Mapping[str, Sequence[TaskStudy]]:
    """Find the groups of tasks worth an average of their own.

    Returns:
        Tasks by the name of the group: the paper's families, what M and L speak for, all of them;
        only groups of two or more, and none that is all of the tasks under another name.
    """
    groups: dict[str, list[TaskStudy]] = {}
    for task in study.tasks:
        paper_task = find_paper_task(task)
        if paper_task is not None:
            groups.setdefault(f"{paper_task.family} tasks", []).append(task)
    for group, sign in SIGNS.items():
        groups[f"{sign} tasks"] = [task for task in study.tasks if task.group == group]
    several = {name: tasks for name, tasks in groups.items() if 2 <= len(tasks) < len(study.tasks)}
    if len(study.tasks) > 1:
        several["all tasks"] = list(study.tasks)
    return several


def layer_means(study: Study, group: str, *, valid: bool = False) -> dict[int, float]:
    """Average each layer over the tasks of a group, as the choice of M or L does.

    Args:
        study: A network on its tasks.
        group: ``middle`` or ``late``.
        valid: On validation instead of test clips.

    Returns:
        Accuracy in percent by layer; empty where the group has no task.
    """
    tasks = [task for task in study.tasks if task.group == group]
    if not tasks:
        return {}
    return {
        layer: 100
        * sum(task.layers[layer].valid if valid else task.layers[layer].value for task in tasks)
        / len(tasks)
        for layer in sorted(tasks[0].layers)
    }
