"""The flow of features through a network, after Fig. 1 of the paper, as an SVG drawing.

python -m docs.make.flow cnn14_3_6 > docs/flow.svg
"""

from __future__ import annotations

import sys
from html import escape

from hear_fusion.backbones import REGISTRY, Layer
from hear_fusion.names import Choice, parse

WIDTH, GAP = 880, 14
INK, FAINT = "#1a1a1a", "#8a8a8a"
# Middle and late layers, told apart in grey as well.
FILLS = ("#cfe3f5", "#7fb0dc", "#4a86bd")
PLAIN = "#f3f3f3"


def flow_svg(choice: Choice) -> str:
    """Draw how sound becomes z and z~ for a choice of layers.

    Args:
        choice: A network and one to three of its layers.

    Returns:
        An SVG document; every size in it is read from the network's layer table.

    Raises:
        ValueError: If the choice has no layer or more than three.

    >>> "6144" in flow_svg(parse("cnn14_3_6"))
    True
    """
    if not 1 <= len(choice.layers) <= len(FILLS):
        raise ValueError(
            f"choice must name 1 to {len(FILLS)} layers, got {choice}; such as cnn14_3_6"
        )
    backbone = REGISTRY[choice.backbone]
    layers = [layer for layer in backbone.layer_table if layer.number in choice.layers]
    dim = sum(layer.dim for layer in layers)
    fills = dict(zip(choice.layers, FILLS, strict=False))
    parts = [
        _text(20, 30, f"{backbone.title}: {choice}", size=17, bold=True),
        *_network(choice.backbone, fills),
    ]
    step = (WIDTH - 20) / len(layers)
    for i, layer in enumerate(layers):
        left = 20 + i * step
        parts += _eq_1(layer, left, step - 20, fills[layer.number], backbone.timeline.frame_stride)
        parts.append(_arrow(left + (step - 20) / 2, 355, WIDTH / 2, 398))
    parts += [
        _box(170, 400, 540, 52, "z", f"Eq. (2): concatenated per frame   [B, T_o, {dim}]"),
        _arrow(WIDTH / 2, 452, WIDTH / 2, 478),
        _box(170, 480, 540, 52, "z\u0303", f"Eq. (3): mean(z) + max(z) over time   [B, {dim}]"),
        _text(722, 422, "timestamp", colour=FAINT),
        _text(722, 438, "embeddings", colour=FAINT),
        _text(722, 502, "scene", colour=FAINT),
        _text(722, 518, "embeddings", colour=FAINT),
    ]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 550" '
        f'font-family="Helvetica, Arial, sans-serif" fill="{INK}">\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="{INK}"/></marker></defs>\n'
        f'<rect width="{WIDTH}" height="550" fill="white"/>\n{body}\n</svg>\n'
    )


def _network(name: str, fills: dict[int, str]) -> list[str]:
    """Sound, log-mel and the layers in a row; taps lead down from the chosen ones."""
    backbone = REGISTRY[name]
    labels = [
        ("sound", f"{backbone.timeline.sample_rate // 1000} kHz"),
        ("log-mel", f"[B, 1, T, {backbone.front_end.n_mels}]"),
    ]
    shown = _shown_layers(backbone.layer_table, set(fills))
    labels += [(f"layer {layer.number}", f"{layer.channels} x {layer.freq}") for layer in shown]
    step = (WIDTH - 40 + GAP) / len(labels)
    parts = []
    for i, (title, note) in enumerate(labels):
        left = 20 + i * step
        number = shown[i - 2].number if i >= 2 else None
        parts.append(_box(left, 60, step - GAP, 58, title, note, fills.get(number or 0, PLAIN)))
        if i:
            parts.append(_arrow(left - GAP, 89, left, 89))
        if number in fills:
            slot = list(fills).index(number)
            width = (WIDTH - 20) / len(fills)
            parts.append(
                _arrow(left + (step - GAP) / 2, 118, 20 + slot * width + (width - 20) / 2, 168)
            )
    return parts


def _shown_layers(layers: tuple[Layer, ...], chosen: set[int]) -> list[Layer]:
    """Up to seven layers: the chosen ones and an even choice of the others."""
    room = 7
    if len(layers) <= room:
        return list(layers)
    others = [layer for layer in layers if layer.number not in chosen]
    n_others = room - len(chosen)
    even = {others[round(i * (len(others) - 1) / (n_others - 1))].number for i in range(n_others)}
    return [layer for layer in layers if layer.number in chosen | even]


def _eq_1(layer: Layer, left: float, width: float, fill: str, frame_stride: int) -> list[str]:
    pool = max(1, frame_stride // layer.stride)
    columns = "T" if layer.stride == 1 else f"T/{layer.stride}"
    how = f"max-pool {pool} columns, flatten" if pool > 1 else "flatten"
    output = f"[B, {layer.channels}, {columns}, {layer.freq}]"
    frames = f"[B, T_o = T/{frame_stride}, {layer.channels} x {layer.freq} = {layer.dim}]"
    return [
        _box(left, 170, width, 52, f"layer {layer.number}", output, fill),
        _arrow(left + width / 2, 222, left + width / 2, 300),
        _text(left + width / 2 + 12, 258, "Eq. (1)", bold=True),
        _text(left + width / 2 + 12, 275, how, colour=FAINT),
        _box(left, 302, width, 52, f"z\u0302 of layer {layer.number}", frames, fill),
    ]


def _box(
    left: float, top: float, width: float, height: float, title: str, note: str, fill: str = PLAIN
) -> str:
    middle = left + width / 2
    return (
        f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{height}" rx="5" '
        f'fill="{fill}" stroke="{INK}"/>'
        + _text(middle, top + height / 2 - 5, title, size=14, bold=True, anchor="middle")
        + _text(middle, top + height / 2 + 14, note, anchor="middle")
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 12,
    bold: bool = False,
    anchor: str = "start",
    colour: str = INK,
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
        f'fill="{colour}"{weight}>{escape(text)}</text>'
    )


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{INK}" '
        'stroke-width="1.3" marker-end="url(#tip)"/>'
    )


if __name__ == "__main__":
    sys.stdout.write(flow_svg(parse(sys.argv[1])))
