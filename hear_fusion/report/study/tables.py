"""Tables of a study: what every layer is worth, what the fusion gains (Table III)."""

from __future__ import annotations

from collections.abc import Sequence

from hear_fusion.report.formats import NONE, Cell, Number, Table
from hear_fusion.report.labels import joined, slug
from hear_fusion.report.study.averages import SIGNS, layer_means, mean_of, percent, task_groups
from hear_fusion.study.results import Estimate, Study, TaskStudy


def gains_table(study: Study, name: str) -> Table:
    """Make the measured Table III: a row a task, then averages.

    Args:
        study: A network on its tasks.
        name: Of the study.

    Returns:
        Original, fused and difference in percent with intervals; heareval's scores beside them
        where there are any.
    """
    official = any(
        score is not None
        for task in study.tasks
        for score in (task.original.official, task.fused.official, task.gain.official)
    )
    rows = [_gain_row([task], task.task, official) for task in study.tasks]
    rows += [
        _gain_row(tasks, f"average of {group}", official)
        for group, tasks in task_groups(study).items()
    ]
    head = ["task", "M or L", "n", "original", "fused", "difference", "p", "sd", "sd fused"]
    if official:
        head += ["heareval original", "heareval fused", "heareval difference"]
    return Table(
        f"differences-{slug(name)}",
        f"{name} against the original {study.backbone}",
        "Accuracy in percent with 95 % intervals over n test clips; differences are paired, p by "
        "sign flips, two-sided, not corrected for the number of tasks. The interval of an average "
        "takes the tasks as they are. sd: standard deviation over seeds and folds.",
        tuple(head),
        tuple(rows),
        frozenset(range(len(study.tasks), len(rows))),
    )


def _gain_row(tasks: Sequence[TaskStudy], name: str, official: bool) -> tuple[Cell, ...]:
    alone = tasks[0] if len(tasks) == 1 else None
    row: list[Cell] = [
        name,
        SIGNS[alone.group] if alone else "",
        Number(sum(task.gain.n for task in tasks), digits=0),
        mean_of([task.original for task in tasks]),
        mean_of([task.fused for task in tasks]),
        mean_of([task.gain for task in tasks]),
        Number(alone.gain.p, digits=4) if alone else "",
        _deviation(alone.original) if alone else "",
        _deviation(alone.fused) if alone else "",
    ]
    if official:
        row += [
            _official([task.original.official for task in tasks]),
            _official([task.fused.official for task in tasks]),
            _official([task.gain.official for task in tasks], signed=True),
        ]
    return tuple(row)


def _deviation(found: Estimate) -> Cell:
    """Show the deviation over seeds and folds, where there is more than one."""
    return Number(100 * found.deviation) if found.n_seeds * found.n_folds > 1 else NONE


def _official(scores: Sequence[float | None], *, signed: bool = False) -> Cell:
    """Average heareval's scores, where every task has one."""
    known = [score for score in scores if score is not None]
    if len(known) < len(scores):
        return NONE
    return Number(100 * sum(known) / len(known), signed=signed)


def layers_table(study: Study, name: str) -> Table:
    """Make the table behind the curves: a row a layer, a column a task, then group averages.

    Args:
        study: A network on its tasks.
        name: Of the study.

    Returns:
        Accuracies in percent with intervals; the chosen layers stand out.
    """
    head = ["layer"]
    columns: list[dict[int | str, Cell]] = []
    for task in study.tasks:
        every: dict[int | str, Estimate] = dict(task.layers.items())
        every |= {"original": task.original, "fused": task.fused}
        head.append(task.task)
        columns.append({key: percent(found) for key, found in every.items()})
        if any(found.official is not None for found in task.layers.values()):
            head.append(f"{task.task} (heareval)")
            columns.append({key: _official([found.official]) for key, found in every.items()})
    for valid in (False, True):
        for group, sign in SIGNS.items():
            means = layer_means(study, group, valid=valid)
            if means:
                head.append(f"mean of {sign} tasks" + (", validation" if valid else ""))
                columns.append({key: Number(mean) for key, mean in means.items()})
    numbers = sorted(study.tasks[0].layers)
    titles: dict[int | str, str] = {number: _layer_title(study, number) for number in numbers}
    titles |= {"original": "original", "fused": f"fused {joined(study.chosen)}"}
    rows = [(title, *(column.get(key, "") for column in columns)) for key, title in titles.items()]
    return Table(
        f"layers-{slug(name)}",
        f"Layers of {study.backbone}",
        "Accuracy in percent on test clips with 95 % intervals; n is that of the table of "
        "differences. M is the best layer for the mean of the M tasks and L for that of the L "
        f"tasks, on {study.selection} scores.",
        tuple(head),
        tuple(rows),
        frozenset(i for i, number in enumerate(numbers) if number in study.chosen),
    )


def _layer_title(study: Study, number: int) -> str:
    signs = [sign for sign, chosen in (("M", study.middle), ("L", study.late)) if chosen == number]
    return f"{number} ({' and '.join(signs)})" if signs else str(number)
