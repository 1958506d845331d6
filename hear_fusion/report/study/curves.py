"""Layer-wise curves, in the manner of Figs. 2 to 4: what each layer is worth for each task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hear_fusion.report.drawing import (
    FAINT,
    LINES,
    MARKERS,
    Drawing,
    shades,
    spread,
    style,
)
from hear_fusion.report.labels import joined, slug, task_labels
from hear_fusion.report.study.averages import SIGNS, layer_means
from hear_fusion.study.results import Study

_BANDS = {"middle": "#dbe9f6", "late": "#fde5cd"}
_LINE_HEIGHT = 0.165  # inches between labels


@dataclass(frozen=True)
class _Line:
    """One task, or the mean of a group: over the layers, then original and fused."""

    label: str
    layers: Sequence[float]
    ends: tuple[float, float]
    mean: bool
    looks: dict[str, Any] = field(default_factory=dict)


def curves_drawing(study: Study, name: str) -> Drawing:
    """Draw accuracy over layers, one line a task, and from the original to the fusion.

    Args:
        study: A network on its tasks.
        name: Of the study.

    Returns:
        A drawing of two panels with one scale; chosen layers stand in bands.
    """
    numbers = sorted(study.tasks[0].layers)
    lines = _lines(study)
    height = max(4.3, _LINE_HEIGHT * len(lines) + 1.4)
    with style():
        figure = Figure(figsize=(7.4, height))
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3.6, 1))
        figure.subplots_adjust(
            left=0.075, right=0.765, wspace=0.06, top=1 - 0.38 / height, bottom=0.5 / height
        )
        _mark_chosen(left, study, numbers)
        for line in lines:
            left.plot(range(len(numbers)), line.layers, label=line.label, **line.looks)
            right.plot((0, 1), line.ends, label=line.label, **line.looks)
        _scale(left, right, lines)
        left.set_xticks(range(len(numbers)), [str(number) for number in numbers])
        left.set_xlim(-0.5, len(numbers) - 0.5)
        left.set_xlabel(f"layer of {study.backbone}")
        left.set_ylabel("accuracy (%)")
        right.set_xticks((0, 1), ("original", f"fused\n{joined(study.chosen)}"))
        right.set_xlim(-0.25, 1.15)
        right.tick_params(left=False)
        right.spines["left"].set_visible(False)
        _name_lines(right, lines, height - 0.88)
    return Drawing(
        f"curves-{slug(name)}",
        f"Accuracy of every layer of {study.backbone}, and of the fusion {name}",
        "Each line is a task; blue and solid with filled marks: a task that M speaks for, orange "
        "and dashed with open marks: a task that L speaks for; thick: the mean of such a group. "
        "The bands are the chosen layers. On the right, on the same scale: from the network's own "
        "embedding to the fusion of the chosen layers. All on test clips; the layers were chosen "
        f"on {study.selection} clips.",
        figure,
    )


def _lines(study: Study) -> list[_Line]:
    labels = task_labels([task.task for task in study.tasks])
    lines: list[_Line] = []
    for group in SIGNS:
        tasks = [task for task in study.tasks if task.group == group]
        for task, colour in zip(tasks, shades(group, len(tasks)), strict=True):
            looks = {
                "color": colour,
                "linestyle": LINES[group],
                "linewidth": 1.3,
                "marker": MARKERS[len(lines) % len(MARKERS)],
                "markersize": 4.5,
                "markerfacecolor": colour if group == "middle" else "white",
            }
            layers = [100 * task.layers[number].value for number in sorted(task.layers)]
            ends = (100 * task.original.value, 100 * task.fused.value)
            lines.append(_Line(labels[task.task], layers, ends, mean=False, looks=looks))
    for group, sign in SIGNS.items():
        tasks = [task for task in study.tasks if task.group == group]
        if len(tasks) > 1:
            looks = {"color": shades(group, 1)[0], "linestyle": LINES[group], "linewidth": 3.4}
            ends = (
                100 * sum(task.original.value for task in tasks) / len(tasks),
                100 * sum(task.fused.value for task in tasks) / len(tasks),
            )
            layers = list(layer_means(study, group).values())
            lines.append(_Line(f"mean of {sign} tasks", layers, ends, mean=True, looks=looks))
    return lines


def _mark_chosen(axes: Axes, study: Study, numbers: Sequence[int]) -> None:
    chosen = {"middle": study.middle, "late": study.late}
    if study.middle == study.late:
        chosen.pop("late")
    neighbours = (
        len(chosen) == 2 and abs(numbers.index(study.middle) - numbers.index(study.late)) == 1
    )
    for group, number in chosen.items():
        at = numbers.index(number)
        axes.axvspan(at - 0.38, at + 0.38, color=_BANDS[group], zorder=0, linewidth=0)
        # The titles of neighbours lean away from each other.
        first = number == min(chosen.values())
        axes.annotate(
            f"{SIGNS[group]} = {number}" if len(chosen) == 2 else f"M = L = {number}",
            (at + (0.38 if first else -0.38) * neighbours, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center" if not neighbours else "right" if first else "left",
            va="bottom",
            fontweight="bold",
        )


def _scale(left: Axes, right: Axes, lines: Sequence[_Line]) -> None:
    lowest = min(min(*line.layers, *line.ends) for line in lines)
    highest = max(max(*line.layers, *line.ends) for line in lines)
    bottom = max(0, 10 * int((lowest - 3) // 10))
    left.set_ylim(bottom, min(101, 10 * (int(highest + 2) // 10 + 1)))
    for axes in (left, right):
        axes.grid(axis="y", color="#e3e3e3", linewidth=0.7)
        axes.set_axisbelow(True)


def _name_lines(axes: Axes, lines: Sequence[_Line], height: float) -> None:
    """Write each line's name beside its end, with a thin lead where it had to move."""
    low, high = axes.get_ylim()
    gap = _LINE_HEIGHT / height * (high - low)
    places = spread([line.ends[1] for line in lines], gap, low, high)
    x_low, x_high = axes.get_xlim()
    for line, place in zip(lines, places, strict=True):
        axes.plot((1.08, 1.3), (line.ends[1], place), color=FAINT, linewidth=0.6, clip_on=False)
        axes.plot(
            (1.32, 1.46),
            (place, place),
            clip_on=False,
            **{**line.looks, "markevery": [1], "linestyle": "-"},
        )
        axes.text(
            1.55,
            place,
            line.label,
            va="center",
            fontsize=8.5,
            fontweight="bold" if line.mean else "normal",
        )
    axes.set_xlim(x_low, x_high)
