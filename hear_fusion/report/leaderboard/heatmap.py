"""Models and tasks as a heat map, in the manner of the HEAR paper, ours marked."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hear_fusion.report.drawing import FAINT, INK, Drawing, light_to_dark, readable, style
from hear_fusion.report.leaderboard.board import COLUMNS
from hear_fusion.report.leaderboard.ranking import Standing

_COLOURS = light_to_dark(0.02, 0.82)
_CELL_WIDTH, _CELL_HEIGHT = 0.44, 0.235
_LEFT, _RIGHT, _TOP, _BOTTOM = 2.75, 1.0, 1.45, 0.8
_LONGEST_NAME = 34


def heat_map(standing: Standing) -> Drawing:
    """Draw scores as text and normalised scores as colour, the best model on top.

    Args:
        standing: All models on all tasks; our models are bold and framed, tasks that none of them
            has are faint.
    """
    known = ~np.isnan(standing.overall)
    order = [i for i in np.argsort(standing.overall_rank, kind="stable") if known[i]]
    width = _LEFT + len(COLUMNS) * _CELL_WIDTH + _RIGHT
    height = _TOP + len(order) * _CELL_HEIGHT + _BOTTOM
    with style(), mpl.rc_context({"font.size": 8.5}):
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes(
            (
                _LEFT / width,
                _BOTTOM / height,
                1 - (_LEFT + _RIGHT) / width,
                1 - (_TOP + _BOTTOM) / height,
            )
        )
        _paint(axes, standing, order)
        _label(axes, standing, order)
        _explain(figure, width, height)
    return Drawing(
        "heatmap",
        "Scores of all models on the compared tasks",
        "The darker, the better: a score standardised over the submissions to its task, clipped to "
        "one deviation; hatched where a model has none. Ours are marked.",
        figure,
    )


def _paint(axes: Axes, standing: Standing, order: list[int]) -> None:
    shape = (len(order), len(COLUMNS))
    axes.add_patch(
        Rectangle((0, 0), shape[1], shape[0], facecolor="white", edgecolor="#c4c4c4", hatch="////")
    )
    values = np.ma.masked_invalid(standing.normalised[order])
    axes.pcolormesh(values, cmap=_COLOURS, vmin=-1, vmax=1, edgecolors="white", linewidth=0.8)
    for (row, column), value in np.ndenumerate(standing.normalised[order]):
        if not np.isnan(value):
            axes.text(
                column + 0.5,
                row + 0.53,
                f"{standing.scores[order[row], column]:.3f}".removeprefix("0"),
                ha="center",
                va="center",
                fontsize=7.5,
                color=readable(_COLOURS((value + 1) / 2)),
                fontweight="bold" if standing.entries[order[row]].is_ours else "normal",
            )
    for row, i in enumerate(order):
        if standing.entries[i].is_ours:
            axes.add_patch(
                Rectangle(
                    (0, row), shape[1], 1, fill=False, edgecolor=INK, linewidth=1.8, clip_on=False
                )
            )


def _explain(figure: Figure, width: float, height: float) -> None:
    scale = figure.add_axes((_LEFT / width, 0.48 / height, 2.0 / width, 0.1 / height))
    bar = figure.colorbar(
        ScalarMappable(Normalize(-1, 1), _COLOURS),
        cax=scale,
        orientation="horizontal",
        ticks=[-1, 0, 1],
    )
    bar.outline.set_visible(False)
    figure.text(
        (_LEFT + 2.25) / width,
        0.42 / height,
        "Colour: score, standardised over the submissions to the task and clipped to [-1, 1];\n"
        "overall: its mean over the compared tasks that a model has, and their number.\n"
        "Hatched: no score. Faint: tasks not compared.",
        va="center",
        fontsize=8,
    )


def _label(axes: Axes, standing: Standing, order: list[int]) -> None:
    names = [_shorten(standing.entries[i].model) for i in order]
    axes.set_yticks(np.arange(len(order)) + 0.5, names)
    axes.set_xticks(np.arange(len(COLUMNS)) + 0.5, COLUMNS, rotation=50, ha="left")
    axes.set_xlim(0, len(COLUMNS))
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=3)
    for tick in axes.get_xticklabels():
        tick.set_rotation_mode("anchor")
        if tick.get_text() not in standing.compared:
            tick.set_color(FAINT)
    for row, (i, tick) in enumerate(zip(order, axes.get_yticklabels(), strict=True)):
        weight = "bold" if standing.entries[i].is_ours else "normal"
        tick.set_fontweight(weight)
        axes.text(
            len(COLUMNS) + 0.18,
            row + 0.53,
            f"{standing.overall[i]:+.2f} ({standing.n_compared[i]})",
            va="center",
            fontsize=7.5,
            fontweight=weight,
        )
    axes.invert_yaxis()
    axes.text(
        len(COLUMNS) + 0.5, -0.15, "overall (tasks)", rotation=50, rotation_mode="anchor", ha="left"
    )
    for spine in axes.spines.values():
        spine.set_visible(False)


def _shorten(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
