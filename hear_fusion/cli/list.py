"""``hear-fusion list``: every network with its layers, sizes, frame rates and weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hear_fusion.backbones import Backbone


@click.command("list")
@click.argument("names", nargs=-1, metavar="[NETWORK|MODULE]...")
def list_networks(names: tuple[str, ...]) -> None:
    """Show every network: layers, dimensions, frame rates, weights, licence.

    A module is named NETWORK[_LAYER...][_HOPms], layers ascending:

    \b
      hear_fusion.cnn14_3_6        layers 3 and 6 fused, the network's own frames
      hear_fusion.cnn14_3_6_40ms   the same, timestamps every 40 ms
      hear_fusion.cnn14            the network's own last-layer embedding
    """  # noqa: D301 (click wants a real backspace)
    from hear_fusion.backbones import REGISTRY
    from hear_fusion.names import parse

    try:
        networks = dict.fromkeys(parse(name).backbone for name in names)
    except ValueError as err:
        raise click.BadParameter(str(err)) from err
    for name in networks or REGISTRY:
        click.echo("\n".join(_describe(REGISTRY[name])))
        click.echo()


def _describe(backbone: type[Backbone]) -> list[str]:
    from hear_fusion.names import Choice

    timeline = backbone.timeline
    fusion, original = Choice(backbone.name, backbone.published_layers), Choice(backbone.name)
    dims = {layer.number: layer.dim for layer in backbone.layer_table}
    fused = sum(dims[number] for number in backbone.published_layers)
    pace = f"a frame every {timeline.frame_ms(backbone.original.stride):g} ms"
    lines = [
        f"{backbone.title}  ({backbone.licence})",
        f"  {fusion.import_name}  {fused}-d, a frame every {timeline.frame_ms():g} ms",
        f"  {original.import_name}  {backbone.original.dim}-d original embedding, {pace}",
        f"  sample rate {timeline.sample_rate} Hz; hops {' '.join(map(str, timeline.hops_ms))} ms",
        "  layer  module                     channels x freq    dims  a column every",
    ]
    lines += [
        f"  {layer.number:>5}  {layer.module:<25}  {layer.channels:>8} x {layer.freq:<4}"
        f"  {layer.dim:>6}  {timeline.frame_ms(layer.stride):>6g} ms"
        for layer in backbone.layer_table
    ]
    for record in backbone.records:
        size = f", {record.size_bytes / 1e6:.0f} MB" if record.size_bytes else ""
        digest = f"\n           sha256 {record.sha256}" if record.sha256 else ""
        lines.append(
            f"  weights  {record.filename}{size}, {record.licence}\n"
            f"           {record.url or record.how_to_get}{digest}"
        )
    return lines
