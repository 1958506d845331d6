"""Measured beside published: Table III again, and our place among other systems (Table IV)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hear_fusion.report.formats import NONE, Cell, Number, Table
from hear_fusion.report.labels import joined, slug
from hear_fusion.report.study.averages import mean_of
from hear_fusion.report.study.published_scores import (
    AVERAGE_TOLERANCE,
    PAPER_TASK_NAMES,
    PAPER_TASKS,
    SYSTEMS,
    TABLE_III,
    Row,
    find_paper_task,
    reproduced,
)
from hear_fusion.study.results import Study, TaskStudy

_PARTS = ("original", "fused", "difference")


def reproduction_table(study: Study, name: str) -> Table | None:
    """Set measured numbers beside Table III of the paper.

    Args:
        study: A network on its tasks.
        name: Of the study.

    Returns:
        A row for each of the paper's tasks, their average where all nine are there; None if the
        paper has neither this network nor any of the tasks.
    """
    paper = TABLE_III.get(study.backbone)
    found = paper_tasks(study)
    if paper is None or not found:
        return None
    same_layers = study.chosen == paper.layers
    rows = []
    for i, paper_task in enumerate(PAPER_TASKS):
        if paper_task.name in found:
            published = (paper.original[i], paper.fused[i], paper.difference[i])
            task = [found[paper_task.name]]
            rows.append(
                _beside(paper_task.name, task, published, paper_task.tolerance, same_layers)
            )
    if len(found) == len(PAPER_TASK_NAMES):
        tasks = list(found.values())
        rows.append(_beside("average", tasks, paper.averages, AVERAGE_TOLERANCE, same_layers))
    other = (
        ""
        if same_layers
        else f" The paper fuses {joined(paper.layers)} and this study {joined(study.chosen)}: "
        "only the original is compared."
    )
    return Table(
        f"reproduction-{slug(name)}",
        f"{paper.title}: measured beside published (Table III)",
        "Accuracy in percent. A number counts as reproduced within the allowed points, a "
        "difference within 1.4 times as many, being made of two numbers." + other,
        (
            "task",
            *(f"{part}{what}" for part in _PARTS for what in ("", ", paper", ", off by")),
            "allowed",
            "reproduced",
        ),
        tuple(rows),
        frozenset({len(PAPER_TASK_NAMES)} if len(found) == len(PAPER_TASK_NAMES) else ()),
    )


def _beside(
    name: str,
    tasks: Sequence[TaskStudy],
    published: Sequence[float],
    tolerance: float,
    same_layers: bool,
) -> tuple[Cell, ...]:
    measured = (
        mean_of([task.original for task in tasks]).value,
        mean_of([task.fused for task in tasks]).value,
        mean_of([task.gain for task in tasks]).value,
    )
    allowed = (tolerance, tolerance, math.sqrt(2) * tolerance)
    row: list[Cell] = [name]
    missed = []
    for part, ours, theirs, points in zip(_PARTS, measured, published, allowed, strict=True):
        signed = part == "difference"
        row += [Number(ours, signed=signed), Number(theirs, signed=signed)]
        if part != "original" and not same_layers:
            row.append(NONE)
            continue
        row.append(Number(round(ours, 1) - theirs, signed=True))
        if not reproduced(ours, theirs, points):
            missed.append(part)
    row += [Number(tolerance), f"not {', '.join(missed)}" if missed else "yes"]
    return tuple(row)


@dataclass(frozen=True)
class _Entry:
    """A line of the comparison: a published system, or what was measured here."""

    name: str
    source: str
    scores: Row
    average: float | None = None
    ours: bool = False

    def mean(self, shared: Sequence[int]) -> float | None:
        """Average over columns, to 0.1 as published ones are; None where one is missing."""
        if len(shared) == len(PAPER_TASKS) and self.average is not None:
            return self.average
        scores = [score for i in shared if (score := self.scores[i]) is not None]
        return round(sum(scores) / len(shared), 1) if len(scores) == len(shared) else None


def comparison_table(studies: Mapping[str, Study]) -> Table | None:
    """Place what was measured among published systems (Table IV and newer).

    All nine tasks are compared where every study has them, otherwise the tasks all studies share.

    Args:
        studies: By name.

    Returns:
        A row a system, best average first, those that lack a task last; None where the studies
        share none of the nine tasks.
    """
    shared = [
        i
        for i, name in enumerate(PAPER_TASK_NAMES)
        if studies and all(name in paper_tasks(study) for study in studies.values())
    ]
    if not shared:
        return None
    entries = _ranked(studies, shared)
    means = [entry.mean(shared) for entry in entries]
    rows = [
        (
            entry.name,
            NONE if mean is None else Number(1 + _n_better(mean, means), digits=0),
            *(_score(entry.scores[i]) for i in shared),
            _score(mean),
            entry.source,
        )
        for entry, mean in zip(entries, means, strict=True)
    ]
    return Table(
        "comparison",
        "Among other systems, under linear evaluation (Table IV and newer)",
        _comparison_caption(shared),
        ("system", "rank", *(PAPER_TASK_NAMES[i] for i in shared), "average", "source"),
        tuple(rows),
        frozenset(i for i, entry in enumerate(entries) if entry.ours),
    )


def missing_tasks(studies: Mapping[str, Study]) -> dict[str, list[str]]:
    """List which of the nine tasks each study lacks; studies that lack none are left out.

    Args:
        studies: By name.

    Returns:
        Names of the paper's columns by study.
    """
    missing = {
        name: [column for column in PAPER_TASK_NAMES if column not in paper_tasks(study)]
        for name, study in studies.items()
    }
    return {name: columns for name, columns in missing.items() if columns}


def paper_tasks(study: Study) -> dict[str, TaskStudy]:
    """Find the paper's tasks in a study, by the names of its columns."""
    return {paper.name: task for task in study.tasks if (paper := find_paper_task(task))}


def _ranked(studies: Mapping[str, Study], shared: Sequence[int]) -> list[_Entry]:
    """Sort all systems, best first; those that lack a shared task last, or out if they lack all."""
    entries = [
        _Entry(system.name, f"{system.source}, {system.year}", system.scores, system.average)
        for system in SYSTEMS
    ]
    for name, study in studies.items():
        tasks = paper_tasks(study)
        for title, part in ((f"original of {name}", "original"), (name, "fused")):
            scores = tuple(
                100 * getattr(tasks[column], part).value if column in tasks else None
                for column in PAPER_TASK_NAMES
            )
            entries.append(_Entry(title, "measured", scores, ours=True))
    known = [
        entry
        for entry in entries
        if entry.mean(shared) is not None or any(entry.scores[i] is not None for i in shared)
    ]
    return sorted(
        known, key=lambda entry: math.inf if (mean := entry.mean(shared)) is None else -mean
    )


def _n_better(mean: float, means: Sequence[float | None]) -> int:
    return sum(other is not None and other > mean for other in means)


def _score(score: float | None) -> Cell:
    return NONE if score is None else Number(score)


def _comparison_caption(shared: Sequence[int]) -> str:
    missing = [name for i, name in enumerate(PAPER_TASK_NAMES) if i not in shared]
    which = (
        f"Not every study here has {', '.join(missing)}: systems are compared on the "
        f"{len(shared)} shared {'task' if len(shared) == 1 else 'tasks'} only."
        if missing
        else "All of the paper's nine tasks."
    )
    return (
        f"Accuracy in percent, as each source gives it. {which} Systems that lack a task have no "
        "rank. GTZAN is unstable: single systems deviate by 10 points and more between runs. "
        "Tables III and IV are the paper's, EVAR is the table of "
        "github.com/nttcslab/eval-audio-repr."
    )
