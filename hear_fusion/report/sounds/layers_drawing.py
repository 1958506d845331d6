"""A sound, its log-mel and the frames of its layers above one time axis."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from hear_fusion.backbones import ORIGINAL, Layer
from hear_fusion.frontends import FrontEnd
from hear_fusion.model import FusionModel
from hear_fusion.report.drawing import FAINT, INK, Drawing, light_to_dark, style
from hear_fusion.report.formats import clean
from hear_fusion.report.labels import slug
from hear_fusion.report.sounds.layers import SoundLayers, band_centres_hz, binned, by_likeness

_TICKS_HZ = (250, 1000, 4000, 16000)
_UNITS = {"db": "dB", "ln": "ln", "ln_max": "ln"}
_SOUND, _VALUES = "magma", light_to_dark(0.0, 1.0)
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 9.0, 0.85, 1.05, 0.66, 0.72
_WAVE, _MEL, _GAP = 0.75, 1.25, 0.42
_N_COLUMNS = 1500  # of the envelope of a waveform: as many as there are dots
_N_ROWS = 160  # of a layer's picture
_STRONGEST = 99.5  # percentile at which the colours of a layer end


def layers_drawing(model: FusionModel, sound: SoundLayers) -> Drawing:
    """Draw waveform, log-mel and the frames of each layer above one time axis.

    Args:
        model: The network.
        sound: What it makes of a sound.
    """
    n = len(sound.frames)
    each = 1.15 if n < 5 else 0.72
    heights = [_WAVE, _MEL, *[each] * n]
    height = _TOP + sum(heights) + _GAP * (len(heights) - 1) + _BOTTOM
    with style():
        figure = Figure(figsize=(_WIDTH, height))
        rows = _rows(figure, heights, height)
        _draw_wave(rows[0], sound)
        _draw_log_mel(rows[1], sound, model.backbone.front_end)
        for axes, (layer, frames) in zip(rows[2:], sound.frames.items(), strict=True):
            _draw_layer(axes, sound, layer, frames)
        for axes in rows[:-1]:
            axes.tick_params(axis="x", labelbottom=False)
        rows[0].set_xlim(sound.start_s, sound.start_s + sound.seconds)
        rows[-1].set_xlabel("time (s)")
        _header(figure, height, model, sound)
    return Drawing(
        f"layers-{slug(sound.name)}",
        f"{sound.name} in {model.backbone.title}",
        "From above: waveform, log-mel as the network sees it, and the frames of its layers; the "
        "darker, the stronger a feature.",
        figure,
    )


def _header(figure: Figure, height: float, model: FusionModel, sound: SoundLayers) -> None:
    n = len(sound.frames)
    what = str(model.choice) if n < 5 else f"{model.choice.backbone}, {n} layers"
    left, right = _LEFT / _WIDTH, 1 - _RIGHT / _WIDTH
    top, bottom = 1 - 0.22 / height, 0.16 / height
    figure.text(left, top, clean(sound.name), fontsize=12, fontweight="bold", va="center")
    figure.text(right, top, what, fontsize=10, color=FAINT, ha="right", va="center")
    figure.text(
        left,
        bottom,
        "Features of a layer in the order of likeness: those that rise and fall together are "
        "neighbours.",
        fontsize=8,
        color=FAINT,
        va="center",
    )


def _rows(figure: Figure, heights: list[float], height: float) -> list[Axes]:
    """Place axes below each other, with one time axis for all."""
    rows: list[Axes] = []
    top = height - _TOP
    for each in heights:
        box = (
            _LEFT / _WIDTH,
            (top - each) / height,
            1 - (_LEFT + _RIGHT) / _WIDTH,
            each / height,
        )
        rows.append(figure.add_axes(box, sharex=rows[0] if rows else None))
        top -= each + _GAP
    return rows


def _draw_wave(axes: Axes, sound: SoundLayers) -> None:
    n = len(sound.audio)
    edges = np.linspace(0, n, min(n, _N_COLUMNS) + 1).astype(int)[:-1]
    low, high = np.minimum.reduceat(sound.audio, edges), np.maximum.reduceat(sound.audio, edges)
    times = sound.start_s + edges / sound.sample_rate
    axes.fill_between(times, low, high, color=INK, linewidth=0.3, step="post")
    peak = max(1e-6, float(np.abs(sound.audio).max()))
    axes.set_ylim(-1.05 * peak, 1.05 * peak)
    axes.set_yticks(
        [-peak, 0, peak], [f"{-peak:.2g}".replace("-", "\N{MINUS SIGN}"), "0", f"{peak:.2g}"]
    )
    axes.set_ylabel("amplitude")
    _title(axes, "Waveform", f"{sound.seconds:.2f} s of a file at {sound.file_hz} Hz")
    axes.spines["bottom"].set_visible(False)


def _draw_log_mel(axes: Axes, sound: SoundLayers, spec: FrontEnd) -> None:
    hop, centre = sound.log_mel_hop_s, sound.start_s + sound.log_mel_start_s
    low, high = np.percentile(sound.log_mel, [2, 100])
    image = axes.imshow(
        sound.log_mel.T,
        cmap=_SOUND,
        vmin=low,
        vmax=max(high, low + 1e-6),
        extent=(
            centre - hop / 2,
            centre + (len(sound.log_mel) - 0.5) * hop,
            -0.5,
            spec.n_mels - 0.5,
        ),
        origin="lower",
        aspect="auto",
        interpolation="auto",
    )
    bands = band_centres_hz(spec)
    ticks = [hz for hz in _TICKS_HZ if bands[0] <= hz <= 1.1 * bands[-1]]
    axes.set_yticks(
        np.interp(ticks, bands, np.arange(len(bands))),
        [f"{hz / 1000:g}" for hz in ticks],
    )
    axes.set_ylabel("frequency (kHz)")
    what = "power" if spec.power == 2 else "magnitude"
    _title(
        axes,
        "Log-mel",
        f"{spec.n_mels} bands at {spec.sample_rate} Hz, a frame every {1000 * hop:g} ms",
    )
    _scale(axes, image, f"{_UNITS[spec.log]} {what}")


def _draw_layer(
    axes: Axes,
    sound: SoundLayers,
    layer: Layer,
    frames: NDArray[np.float32],
) -> None:
    picture = binned(frames[:, by_likeness(frames)], _N_ROWS)
    strongest = max(1e-6, float(np.percentile(np.abs(picture), _STRONGEST)))
    first = sound.start_s + sound.first_s - sound.hop_s / 2
    is_signed = frames.min() < 0
    image = axes.imshow(
        picture.T,
        cmap="RdBu_r" if is_signed else _VALUES,
        norm=Normalize(-strongest, strongest) if is_signed else PowerNorm(0.5, 0, strongest),
        extent=(first, first + len(frames) * sound.hop_s, 0, layer.dim),
        origin="lower",
        aspect="auto",
        interpolation="auto",
    )
    axes.set_yticks([0, layer.dim])
    axes.set_ylabel("feature")
    name = "Original embedding" if layer.number == ORIGINAL else f"Layer {layer.number}"
    shape = (
        f"{layer.channels} channels by {layer.freq} frequencies"
        if layer.freq > 1
        else f"{layer.channels} channels"
    )
    _title(axes, name, f"{layer.module}: {shape}, a frame every {1000 * sound.hop_s:g} ms")
    _scale(axes, image, "activation")


def _title(axes: Axes, name: str, more: str) -> None:
    axes.set_title(name, loc="left", fontsize=9, fontweight="bold", pad=4)
    axes.set_title(more, loc="right", fontsize=8, color=FAINT, pad=4)


def _scale(axes: Axes, image: AxesImage, label: str) -> None:
    """Add the colours beside the picture, without moving it."""
    beside = axes.inset_axes((1.012, 0.0, 0.012, 1.0))
    bar = axes.figure.colorbar(image, cax=beside)
    bar.outline.set_visible(False)
    bar.ax.set_ylabel(label, fontsize=8)
    bar.ax.yaxis.set_label_coords(6.3, 0.5)
    bar.ax.tick_params(labelsize=7.5, length=2)
    bar.locator = mpl.ticker.MaxNLocator(3)
    bar.formatter = mpl.ticker.FuncFormatter(
        lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}")
    )
    bar.update_ticks()
