"""Models and tasks as a heat map, in the manner of the HEAR paper, ours marked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hear_fusion.report.leaderboard import COLUMNS
from hear_fusion.report.ranking import Standing

# Light to dark in grey as well; its darkest fifth would drown the numbers.
_COLOURS = mpl.colors.ListedColormap(mpl.colormaps["YlGnBu"](np.linspace(0.02, 0.82, 256)))
_INK, _FAINT = "#1a1a1a", "#6b6b6b"
_CELL_WIDTH, _CELL_HEIGHT = 0.44, 0.235
_LEFT, _RIGHT, _TOP, _BOTTOM = 2.75, 0.12, 1.45, 0.75
_LONGEST_NAME = 34
_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Helvetica", "Arial", "sans-serif"],
    "font.size": 8.5,
    "text.color": _INK,
    # A dollar in a model's name is no mathematics.
    "text.parse_math": False,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "hear_fusion",
}


def draw_heat_map(standing: Standing) -> Figure:
    """Draw scores as text and normalised scores as colour, the best model on top.

    Args:
        standing: All models on all tasks; the compared tasks are bold, our models bold and framed.
    """
    known = ~np.isnan(standing.overall)
    order = [i for i in np.argsort(standing.overall_rank, kind="stable") if known[i]]
    width = _LEFT + len(COLUMNS) * _CELL_WIDTH + _RIGHT
    height = _TOP + len(order) * _CELL_HEIGHT + _BOTTOM
    with mpl.rc_context(_STYLE):
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
        scale = figure.add_axes((_LEFT / width, 0.5 / height, 0.22, 0.1 / height))
        bar = figure.colorbar(
            mpl.cm.ScalarMappable(mpl.colors.Normalize(-1, 1), _COLOURS),
            cax=scale,
            orientation="horizontal",
            ticks=[-1, 0, 1],
        )
        bar.outline.set_visible(False)  # type: ignore[operator]
        figure.text(
            _LEFT / width + 0.235,
            0.55 / height,
            "colour: score of the task, standardised over the submissions, clipped to [-1, 1]; "
            "hatched: no score",
            va="center",
        )
    return figure


def to_svg(figure: Figure) -> str:
    """Write a figure as SVG with text as text; the same figure is the same bytes."""
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context(_STYLE):
        figure.savefig(file, format="svg", metadata=nothing)
    svg = file.getvalue()
    return svg[svg.index("<svg") :]


def write_png(figure: Figure, path: Path) -> None:
    """Write a figure as PNG; the same figure is the same bytes."""
    with mpl.rc_context(_STYLE):
        figure.savefig(path, format="png", dpi=200, metadata={"Software": None})


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
                # Numbers turn white where the ground is darker than half of the way.
                color="white" if value > 0.45 else _INK,
                fontweight="bold" if standing.entries[order[row]].is_ours else "normal",
            )
    for row, i in enumerate(order):
        if standing.entries[i].is_ours:
            axes.add_patch(
                Rectangle(
                    (0, row), shape[1], 1, fill=False, edgecolor=_INK, linewidth=1.8, clip_on=False
                )
            )


def _label(axes: Axes, standing: Standing, order: list[int]) -> None:
    names = [_shorten(standing.entries[i].model) for i in order]
    axes.set_yticks(np.arange(len(order)) + 0.5, names)
    axes.set_xticks(np.arange(len(COLUMNS)) + 0.5, COLUMNS, rotation=50, ha="left")
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=3)
    for tick in axes.get_xticklabels():
        tick.set_rotation_mode("anchor")
        if tick.get_text() in standing.compared:
            tick.set_fontweight("bold")
    for i, tick in zip(order, axes.get_yticklabels(), strict=True):
        if standing.entries[i].is_ours:
            tick.set_fontweight("bold")
    axes.invert_yaxis()
    for spine in axes.spines.values():
        spine.set_visible(False)


def _shorten(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
