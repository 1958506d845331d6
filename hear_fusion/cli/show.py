"""``hear-fusion show``: one sound with its log-mel and its layers, in one picture."""

from __future__ import annotations

from pathlib import Path

import click

from hear_fusion.cli import options


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The picture: a name that ends in .png or .svg.",
)
@click.option("--model", metavar="NAME", help="A choice of layers.  [default: yamnet_5_13_40ms]")
@click.option("--backbone", metavar="NETWORK", help="All layers of a network instead.")
@click.option("--hop-ms", type=int, metavar="MS", help="Hop of the frames, for a name without one.")
@click.option("--start", type=click.FloatRange(min=0), metavar="S", help="Begin here.")
@click.option("--stop", type=click.FloatRange(min=0), metavar="S", help="End here.")
@options.weights
@options.device
def show(
    file: Path,
    out: Path,
    model: str | None,
    backbone: str | None,
    hop_ms: int | None,
    start: float | None,
    stop: float | None,
    weights: Path | None,
    device: str,
) -> None:
    """Draw what a network makes of a sound: waveform, log-mel and the frames of each layer.

    All stand above one time axis. Of a recording longer than 5 minutes name a part.

    \b
    Examples:
      hear-fusion show dog.wav --out dog.png
      hear-fusion show dog.wav --out dog.png --model cnn14_3_6 --hop-ms 40
      hear-fusion show day.flac --out dawn.svg --backbone vggish --start 18000 --stop 18030
    """  # noqa: D301 (click wants a real backspace)
    import hear_fusion
    from hear_fusion.files.atomic import write_whole
    from hear_fusion.report.drawing import to_png, to_svg
    from hear_fusion.report.sounds.layers import look_into
    from hear_fusion.report.sounds.layers_drawing import layers_drawing

    if model and backbone:
        raise click.UsageError("give either --model or --backbone, not both")
    if out.suffix.lower() not in (".png", ".svg"):
        raise click.BadParameter(f"--out must end in .png or .svg, got {out.name!r}")
    if stop is not None and stop <= (start or 0.0):
        raise click.BadParameter(f"--stop must be above --start, got {stop:g} s")
    loaded = hear_fusion.load(
        backbone or model or "yamnet_5_13_40ms",
        weights,
        layers="all" if backbone else None,
        hop_ms=hop_ms,
        device=device,
    )
    drawing = layers_drawing(loaded, look_into(loaded, file, start, stop))
    write_whole(out, to_svg(drawing) if out.suffix.lower() == ".svg" else to_png(drawing))
    click.echo(f"wrote {out}")
