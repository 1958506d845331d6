"""The table of modules in the README, made from the layer tables.

Run as ``python -m docs.make.modules``.
"""

from __future__ import annotations

import sys

from hear_fusion.backbones import REGISTRY
from hear_fusion.names import Choice


def modules_table() -> str:
    """Make a Markdown table: of each network the published fusion, its layers, its baseline.

    >>> "| `hear_fusion.cnn14_3_6` | 6144 |" in modules_table()
    True
    """
    lines = [
        "| module | dims | what | a frame every | hops (`..._<hop>ms`) |",
        "|---|---|---|---|---|",
    ]
    for name, backbone in REGISTRY.items():
        timeline = backbone.timeline
        dims = {layer.number: layer.dim for layer in backbone.layer_table}
        fused = sum(dims[number] for number in backbone.published_layers)
        layers = " and ".join(map(str, backbone.published_layers))
        hops = " ".join(map(str, timeline.hops_ms))
        numbers = backbone.layer_numbers()
        singles = f"{min(dims.values())}" + (
            f" to {max(dims.values())}" if len(set(dims.values())) > 1 else ""
        )
        rows = [
            (backbone.published_layers, fused, f"layers {layers}", None),
            ((), backbone.original.dim, "its own embedding", backbone.original.stride),
        ]
        lines += [
            f"| `{Choice(name, chosen).import_name}` | {dim} | {backbone.title}, {what} "
            f"| {timeline.frame_ms(stride):g} ms | {hops} |"
            for chosen, dim, what, stride in rows
        ]
        first, last = (Choice(name, (number,)).import_name for number in (numbers[0], numbers[-1]))
        lines.append(
            f"| `{first}` ... `{last}` "
            f"| {singles} | layers {' '.join(map(str, numbers))}, alone or any of them together "
            f"| {timeline.frame_ms():g} ms | {hops} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(modules_table())
