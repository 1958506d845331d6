"""Drawings: their style, their files, and labels that do not overlap."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from hear_fusion.files.atomic import write_whole
from hear_fusion.files.space import make_folder

INK, FAINT = "#1a1a1a", "#6b6b6b"
# Dark to less dark within a group; groups also differ by line and by marker, for grey paper.
RAMPS = {"middle": "Blues", "late": "Oranges"}
LINES = {"middle": "-", "late": (0, (5, 1.6))}
MARKERS = "os^DvPX<>hp*"
DPI = 200

_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Helvetica", "Arial", "sans-serif"],
    "font.size": 9,
    "text.color": INK,
    # A dollar in a name is no mathematics.
    "text.parse_math": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "hatch.linewidth": 0.8,
    "svg.fonttype": "none",
}


@dataclass(frozen=True)
class Drawing:
    """A figure and the words that go with it.

    Attributes:
        name: Stem of its files.
        title: One line, also read aloud in place of the drawing.
        caption: How to read it.
        figure: The drawing.
    """

    name: str
    title: str
    caption: str
    figure: Figure


@contextmanager
def style() -> Iterator[None]:
    """Draw and save in the style of this package, and leave matplotlib as it was."""
    with mpl.rc_context(_STYLE):
        yield


def to_svg(drawing: Drawing) -> str:
    """Write a drawing as SVG with text as text; the same drawing is the same bytes.

    Names inside it begin with the drawing's, so that several fit into one page.
    """
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({**_STYLE, "svg.hashsalt": drawing.name}):
        drawing.figure.savefig(file, format="svg", metadata=nothing)
    svg = file.getvalue()
    svg = re.sub(r'\bid="', f'id="{drawing.name}-', svg[svg.index("<svg") :])
    return re.sub(r'(url\(|href=")#', rf"\1#{drawing.name}-", svg)


def to_png(drawing: Drawing) -> bytes:
    """Write a drawing as PNG; the same drawing is the same bytes."""
    file = io.BytesIO()
    with style():
        drawing.figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return file.getvalue()


def write_drawing(drawing: Drawing, folder: Path) -> None:
    """Write a drawing as ``<name>.svg`` and ``<name>.png``."""
    make_folder(folder)
    write_whole(folder / f"{drawing.name}.svg", to_svg(drawing))
    write_whole(folder / f"{drawing.name}.png", to_png(drawing))


def shades(group: str, n: int) -> list[str]:
    """Choose n colours of a group, dark first and none too light for white paper."""
    ramp = mpl.colormaps[RAMPS[group]]
    return [mpl.colors.to_hex(ramp(at)) for at in np.linspace(0.95, 0.5, max(2, n))[:n]]


def light_to_dark(lightest: float, darkest: float) -> ListedColormap:
    """Take a stretch of yellow to blue, light to dark in grey as well.

    Args:
        lightest: Where it begins, in [0, 1].
        darkest: Where it ends; the darkest fifth, beyond 0.8, would drown the numbers.
    """
    return ListedColormap(mpl.colormaps["YlGnBu"](np.linspace(lightest, darkest, 256)))


def readable(colour: Sequence[float]) -> str:
    """Choose white or ink on a ground: at a luminance of 0.2 both contrast alike (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "white" if luminance < 0.2 else INK


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move labels apart: as little as possible, in their order, by squares.

    Args:
        wanted: Where each label would be.
        gap: Least distance of two.
        low: Where the lowest may be.
        high: Where the highest may be.

    Returns:
        Places in the order of ``wanted``, at least ``gap`` apart, or evenly over what room there
        is; labels that were wanted at one place stay in their order.

    >>> spread([1.0, 1.0, 5.0], gap=1.0, low=0.0, high=6.0)
    [0.5, 1.5, 5.0]
    """
    n = len(wanted)
    gap = min(gap, (high - low) / max(1, n - 1))
    order = np.argsort(np.asarray(wanted), kind="stable")
    # Without the gaps it is a least-squares fit of an ascending row: neighbours that would cross
    # are pooled into their mean.
    blocks: list[tuple[float, int]] = []
    for rank, i in enumerate(order):
        mean, size = float(wanted[i]) - rank * gap, 1
        while blocks and blocks[-1][0] > mean:
            above, others = blocks.pop()
            mean, size = (mean * size + above * others) / (size + others), size + others
        blocks.append((mean, size))
    places = np.repeat([mean for mean, _ in blocks], [size for _, size in blocks])
    places = np.clip(places, low, high - (n - 1) * gap) + gap * np.arange(n)
    moved = np.empty(n)
    moved[order] = places
    return [float(place) for place in moved]
