"""A map of sounds as a picture."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hear_fusion.report.drawing import FAINT, Drawing, style
from hear_fusion.report.formats import clean
from hear_fusion.report.labels import slug
from hear_fusion.report.sounds.sound_map import SoundMap

_MARKERS = {
    "circle": "o",
    "square": "s",
    "triangle": "^",
    "diamond": "D",
    "wedge": "v",
    "cross": "P",
}
_AREAS = {"diamond": 0.75, "cross": 1.35}  # of equal weight to the eye
_MAP, _LEFT, _LEGEND, _TOP = 5.6, 0.2, 1.9, 0.55  # inches
_LONGEST_LABEL, _MOST_LABELS = 22, 27


def map_drawing(sounds: SoundMap) -> Drawing:
    """Draw the points, a colour and a marker for each label.

    Args:
        sounds: The map.
    """
    is_labelled = any(sounds.labels)
    width, height = _LEFT + _MAP + (_LEGEND if is_labelled else _LEFT), _TOP + _MAP + _LEFT
    with style():
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((_LEFT / width, _LEFT / height, _MAP / width, _MAP / height))
        _scatter(axes, sounds)
        if is_labelled:
            _explain(axes, sounds)
        top = 1 - 0.24 / height
        figure.text(
            _LEFT / width, top, clean(sounds.title), fontsize=12, fontweight="bold", va="center"
        )
        figure.text(
            (_LEFT + _MAP) / width, top, sounds.subtitle, color=FAINT, ha="right", va="center"
        )
    return Drawing(
        f"map-{slug(sounds.title)}",
        sounds.title,
        f"Each point is a sound. {sounds.subtitle}; the closer, the more alike.",
        figure,
    )


def _scatter(axes: Axes, sounds: SoundMap) -> None:
    size = 26 if len(sounds.paths) <= 400 else 14 if len(sounds.paths) <= 2000 else 6
    for group in sounds.groups:
        x, y = sounds.plane.points[list(group.members)].T
        axes.scatter(
            x,
            y,
            s=size * _AREAS.get(group.shape, 1),
            marker=_MARKERS[group.shape],
            color=group.colour,
            edgecolors="white",
            linewidths=0.3,
            alpha=0.9,
            zorder=2,
        )
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color("#d9dde2")


def _explain(axes: Axes, sounds: SoundMap) -> None:
    handles = []
    for group in sounds.groups[:_MOST_LABELS]:
        label = clean(group.label)
        if len(label) > _LONGEST_LABEL:
            label = f"{label[: _LONGEST_LABEL - 1]}…"
        handles.append(
            mpl.lines.Line2D(
                [],
                [],
                linestyle="",
                marker=_MARKERS[group.shape],
                markersize=6 * _AREAS.get(group.shape, 1) ** 0.5,
                color=group.colour,
                markeredgecolor="white",
                markeredgewidth=0.3,
                label=f"{label} ({len(group.members)})",
            )
        )
    n_more = len(sounds.groups) - _MOST_LABELS
    if n_more > 0:
        handles.append(mpl.lines.Line2D([], [], linestyle="", label=f"and {n_more} more"))
    axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.01),
        frameon=False,
        handletextpad=0.2,
        labelspacing=0.55,
        borderaxespad=0.2,
    )
