"""Figures of a study: the curves, a heat map of tasks and layers, bars of the differences."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from hear_fusion.report.drawing import INK, Drawing, light_to_dark, readable, style
from hear_fusion.report.formats import Number
from hear_fusion.report.labels import slug, task_labels
from hear_fusion.report.study.averages import SIGNS, mean_of, percent, task_groups
from hear_fusion.report.study.curves import curves_drawing
from hear_fusion.study.results import Study

_WORTH = light_to_dark(0.03, 0.8)
_GAINED, _LOST, _MEAN = "#a5c8e8", "#f5b67f", "#5b93c7"


def study_drawings(study: Study, name: str) -> tuple[Drawing, ...]:
    """Draw everything there is to see of a study."""
    return (
        curves_drawing(study, name),
        heat_drawing(study, name),
        gains_drawing(study, name),
    )


def heat_drawing(study: Study, name: str) -> Drawing:
    """Draw a heat map of tasks and layers: accuracy as text, its share of the best as colour.

    Args:
        study: A network on its tasks.
        name: Of the study.
    """
    tasks = [task for group in SIGNS for task in study.tasks if task.group == group]
    labels = task_labels([task.task for task in tasks])
    numbers = sorted(tasks[0].layers)
    scores = np.array([[100 * task.layers[number].value for number in numbers] for task in tasks])
    height = 0.33 * len(tasks) + 1.45
    with style():
        figure = Figure(figsize=(7.4, height))
        axes = figure.add_axes((0.235, 0.95 / height, 0.745, 0.33 * len(tasks) / height))
        mesh = _cells(axes, scores, digits=0 if len(numbers) > 12 else 1)
        _frame(axes, study, numbers, len(tasks))
        rows = [f"{labels[task.task]}  {SIGNS[task.group]}" for task in tasks]
        axes.set_yticks(np.arange(len(tasks)) + 0.5, rows)
        axes.invert_yaxis()
        scale = figure.add_axes((0.235, 0.36 / height, 0.3, 0.1 / height))
        bar = figure.colorbar(mesh, cax=scale, orientation="horizontal")
        bar.outline.set_visible(False)
        bar.set_ticks(np.linspace(*mesh.get_clim(), 3).tolist())
        bar.ax.xaxis.set_major_formatter(mpl.ticker.PercentFormatter(1, decimals=0))
        figure.text(0.555, 0.41 / height, "of the task's best layer", va="center")
    return Drawing(
        f"heat-{slug(name)}",
        f"Tasks and layers of {study.backbone}",
        "Numbers are accuracies in percent on test clips; the darker, the closer to the best "
        "layer of the same task, which is bold. M or L beside a task: which layer it speaks for; "
        "the framed columns are the chosen layers.",
        figure,
    )


def _cells(axes: Axes, scores: NDArray[np.float64], digits: int) -> QuadMesh:
    """Paint a cell a score, by its share of the best one of its row, which is bold."""
    best = scores.max(axis=1, keepdims=True)
    share = np.divide(scores, best, out=np.ones_like(scores), where=best > 0)
    lowest = min(0.9, math.floor(10 * float(share.min())) / 10)
    mesh = axes.pcolormesh(share, cmap=_WORTH, vmin=lowest, vmax=1, edgecolors="white", linewidth=1)
    for (row, column), score in np.ndenumerate(scores):
        axes.text(
            column + 0.5,
            row + 0.52,
            f"{score:.{digits}f}",
            ha="center",
            va="center",
            fontsize=8.5,
            color=readable(_WORTH((share[row, column] - lowest) / (1 - lowest))),
            fontweight="bold" if score == best[row, 0] else "normal",
        )
    return mesh


def _frame(axes: Axes, study: Study, numbers: Sequence[int], n_tasks: int) -> None:
    axes.set_xticks(np.arange(len(numbers)) + 0.5, [str(number) for number in numbers])
    axes.set_xlabel(f"layer of {study.backbone}", labelpad=2)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for number in study.chosen:
        at = numbers.index(number)
        signs = [
            sign for sign, chosen in (("M", study.middle), ("L", study.late)) if chosen == number
        ]
        axes.add_patch(
            Rectangle((at, 0), 1, n_tasks, fill=False, edgecolor=INK, linewidth=1.8, clip_on=False)
        )
        axes.annotate(
            " = ".join(signs),
            (at + 0.5, 0),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontweight="bold",
            annotation_clip=False,
        )


def gains_drawing(study: Study, name: str) -> Drawing:
    """Draw the differences of Table III as bars with 95 % intervals, averages below.

    Args:
        study: A network on its tasks.
        name: Of the study.
    """
    labels = task_labels([task.task for task in study.tasks])
    bars = [(labels[task.task], percent(task.gain), False) for task in study.tasks]
    bars += [
        (f"mean of {group}", mean_of([task.gain for task in tasks]), True)
        for group, tasks in task_groups(study).items()
    ]
    height = 0.29 * len(bars) + 0.95
    with style():
        figure = Figure(figsize=(7.4, height))
        axes = figure.add_axes((0.235, 0.55 / height, 0.73, 1 - 0.7 / height))
        rows = [row + (0.5 if mean else 0) for row, (_, _, mean) in enumerate(bars)]
        for row, (_, gain, mean) in zip(rows, bars, strict=True):
            _bar(axes, row, gain, mean)
        axes.set_yticks(rows, [label for label, _, _ in bars])
        for tick, (_, _, mean) in zip(axes.get_yticklabels(), bars, strict=True):
            tick.set_fontweight("bold" if mean else "normal")
        axes.set_ylim(rows[-1] + 0.6, -0.6)
        low = min(0.0, *(gain.low or 0.0 for _, gain, _ in bars))
        high = max(0.0, *(gain.high or 0.0 for _, gain, _ in bars))
        room = 0.13 * (high - low) + 0.5  # for the numbers beside the bars
        axes.set_xlim(low - (room if low < 0 else 0), high + room)
        axes.axvline(0, color=INK, linewidth=1)
        axes.grid(axis="x", color="#e3e3e3", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"points of accuracy gained by {name} over the original")
    return Drawing(
        f"differences-{slug(name)}",
        f"What {name} gains over the original {study.backbone}",
        "Fused minus original in percentage points on test clips, with paired 95 % intervals. "
        "Plain bars gain and hatched bars lose; a pale bar's interval includes no difference at "
        "all. Dark bars are means over tasks.",
        figure,
    )


def _bar(axes: Axes, row: float, gain: Number, mean: bool) -> None:
    low, high = gain.low or 0.0, gain.high or 0.0
    colour = _LOST if gain.value < 0 else _MEAN if mean else _GAINED
    unclear = low <= 0 <= high
    axes.barh(
        row,
        gain.value,
        height=0.66,
        color=mpl.colors.to_rgba(colour, 0.35 if unclear else 1),
        edgecolor=colour if unclear else "white",
        hatch="////" if gain.value < 0 else None,
    )
    axes.errorbar(
        gain.value,
        row,
        # By rounding, an interval without width may lie beside its value.
        xerr=[[max(0.0, gain.value - low)], [max(0.0, high - gain.value)]],
        color=INK,
        capsize=2.5,
        linewidth=1.2,
    )
    left = gain.value < 0
    axes.annotate(
        str(Number(gain.value, signed=True)).replace("-", "\N{MINUS SIGN}"),
        (low if left else high, row),
        xytext=(-4 if left else 4, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        fontweight="bold" if mean else "normal",
    )
