"""A study in words: what was chosen, what was gained, how it was done."""

from __future__ import annotations

from collections.abc import Sequence

from hear_fusion.report.formats import Number
from hear_fusion.report.study.averages import SIGNS, mean_of
from hear_fusion.study.results import Study


def summary(study: Study, name: str) -> str:
    """Say in one paragraph which layers were chosen and what their fusion gained.

    Args:
        study: A network on its tasks.
        name: Of the study.
    """
    return f"{_choice(study)} {_gain(study, name)} {_tally(study)}"


def _choice(study: Study) -> str:
    n_layers = len(study.tasks[0].layers)
    among = f"Of the {n_layers} layers of {study.backbone}, layer"
    on = f"by {study.selection} scores"
    if study.middle == study.late:
        return f"{among} {study.middle} was chosen as M and as L, {on}: it stands alone."
    chosen = {}
    for group, sign in SIGNS.items():
        n = sum(task.group == group for task in study.tasks)
        chosen[group] = f"{sign} (for {n} {'task' if n == 1 else 'tasks'})"
    return (
        f"{among} {study.middle} was chosen as {chosen['middle']} and layer {study.late} as "
        f"{chosen['late']}, {on}."
    )


def _gain(study: Study, name: str) -> str:
    tasks = study.tasks
    original = Number(mean_of([task.original for task in tasks]).value)
    fused = Number(mean_of([task.fused for task in tasks]).value)
    gain = mean_of([task.gain for task in tasks])
    n = sum(task.gain.n for task in tasks)
    what = "Together they reach" if len(study.chosen) == 2 else "It reaches"
    over = f"on {tasks[0].task}" if len(tasks) == 1 else f"on average over {len(tasks)} tasks"
    points, _, interval = str(gain).partition(" ")
    return (
        f"{what} {fused} % ({name}) where the network's own embedding reaches {original} %: "
        f"{points} points {over}, 95 % interval {interval}, {n} test clips."
    )


def _tally(study: Study) -> str:
    gains = [task.gain for task in study.tasks]
    better = sum(gain.low > 0 for gain in gains)
    worse = [task.task for task in study.tasks if task.gain.high < 0]
    unclear = [task.task for task in study.tasks if task.gain.low <= 0 <= task.gain.high]
    if len(gains) == 1:
        if unclear:
            return "The interval includes zero: this task does not tell which is better."
        return f"The interval lies {'above' if better else 'below'} zero."
    of_all = f"all {better}" if better == len(gains) else f"{better} of {len(gains)}"
    text = f"The fusion is clearly better, its interval above zero, on {of_all}"
    text += f"; clearly worse on {_listed(worse)}" if worse else "; clearly worse on none"
    return text + (f"; not told apart on {_listed(unclear)}." if unclear else ".")


def selection_rule(study: Study) -> str:
    """Say plainly what the layers were chosen on, and what that means for the numbers."""
    chosen = (
        "M and L were chosen on validation clips; the test clips had no part in it."
        if study.selection == "validation"
        else "M and L were chosen on the test clips themselves, as in the paper: what the fusion "
        "gains is flattered by that choice."
    )
    grouped = (
        "Which tasks M and L speak for was written in the configuration."
        if study.grouping == "config"
        else "Which tasks M and L speak for was found from the data: L speaks for the tasks whose "
        "best layer lies late."
    )
    return f"{chosen} {grouped}"


def duration(seconds: float) -> str:
    """Write a time as people say it.

    >>> duration(4.21), duration(75), duration(7260)
    ('4.2 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
