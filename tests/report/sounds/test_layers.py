"""What a network makes of one sound, and how it is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hear_fusion.backbones import REGISTRY, Backbone
from hear_fusion.errors import InvalidError
from hear_fusion.model import FusionModel
from hear_fusion.names import Choice
from hear_fusion.report.drawing import to_png, to_svg
from hear_fusion.report.sounds.layers import by_likeness, look_into
from hear_fusion.report.sounds.layers_drawing import layers_drawing


def write(path: Path, n_samples: int, rate: int = 16000) -> Path:
    rng = np.random.default_rng(0)
    soundfile.write(path, 0.1 * rng.normal(size=n_samples), rate)
    return path


def model_of(backbones: dict[str, Backbone], name: str, hop_ms: int | None = None) -> FusionModel:
    return FusionModel(backbones[name], Choice(name, REGISTRY[name].published_layers, hop_ms))


@pytest.mark.parametrize("name", REGISTRY)
def test_frames_and_log_mel_are_the_networks_own(
    backbones: dict[str, Backbone], tmp_path: Path, name: str
) -> None:
    model = model_of(backbones, name)
    sound = look_into(model, write(tmp_path / "a.wav", 40000))
    z, times_ms = model.frames(torch.from_numpy(sound.audio)[None])
    together = np.concatenate(list(sound.frames.values()), axis=1)
    np.testing.assert_array_equal(together, z[0].numpy())
    assert [layer.number for layer in sound.frames] == list(REGISTRY[name].published_layers)
    np.testing.assert_allclose(
        sound.first_s + sound.hop_s * np.arange(len(together))[:-1],
        times_ms[0, :-1] / 1000,
        atol=1e-6,
    )
    spec = REGISTRY[name].front_end
    assert sound.log_mel.shape == (-(-40000 // spec.hop), spec.n_mels)
    assert sound.seconds == 2.5


@pytest.mark.parametrize("name", REGISTRY)
def test_a_sound_of_one_sample_is_drawn_as_well(
    backbones: dict[str, Backbone], tmp_path: Path, name: str
) -> None:
    model = model_of(backbones, name)
    drawing = layers_drawing(model, look_into(model, write(tmp_path / "a.wav", 1)))
    assert to_png(drawing).startswith(b"\x89PNG")


def test_a_part_is_read_and_stands_at_its_own_time(
    backbones: dict[str, Backbone], tmp_path: Path
) -> None:
    path, model = write(tmp_path / "a.wav", 48000 * 3, 48000), model_of(backbones, "yamnet", 40)
    sound = look_into(model, path, 1.0, 2.5)
    assert (sound.start_s, sound.seconds, sound.file_hz) == (1.0, 1.5, 48000)
    figure = layers_drawing(model, sound).figure
    limits = {tuple(np.round(axes.get_xlim(), 6)) for axes in rows(figure)}
    assert limits == {(1.0, 2.5)}
    for image in (axes.images[0] for axes in rows(figure)[1:]):
        left, right, *_ = image.get_extent()
        assert left == pytest.approx(1.0, abs=0.03)
        assert right == pytest.approx(2.5, abs=0.05)


def rows(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_title(loc="left")]


@pytest.mark.parametrize(
    "layers", [(5, 13), tuple(range(1, 15)), ()], ids=["two", "all", "original"]
)
def test_every_layer_has_its_title_its_pace_and_its_scale(
    backbones: dict[str, Backbone], tmp_path: Path, layers: tuple[int, ...]
) -> None:
    model = FusionModel(backbones["yamnet"], Choice("yamnet", layers))
    sound = look_into(model, write(tmp_path / "$a_b$.wav", 32000))
    drawing = layers_drawing(model, sound)
    titles = [axes.get_title(loc="left") for axes in rows(drawing.figure)]
    named = [f"Layer {number}" for number in layers] or ["Original embedding"]
    assert titles == ["Waveform", "Log-mel", *named]
    pace = f"a frame every {320 if layers else 960} ms"
    assert all(axes.get_title(loc="right").endswith(pace) for axes in rows(drawing.figure)[2:])
    svg = to_svg(drawing)
    assert all(word in svg for word in ("time (s)", "$a_b$.wav", "amplitude", "frequency (kHz)"))
    assert svg.count("activation") >= len(named)


def test_signed_features_have_a_scale_around_zero(
    backbones: dict[str, Backbone], tmp_path: Path
) -> None:
    path = write(tmp_path / "a.wav", 32000)
    for name, is_signed in (("ast", True), ("yamnet", False)):
        model = model_of(backbones, name)
        image = rows(layers_drawing(model, look_into(model, path)).figure)[2].images[0]
        low, high = image.get_clim()
        assert low == (-high if is_signed else 0)


def test_features_that_rise_and_fall_together_become_neighbours() -> None:
    times = np.linspace(0, 6, 40)
    courses = np.stack([np.sin(times), np.cos(times), np.ones(40)], axis=1)
    mixed = np.array([0, 1, 2, 0, 1, 0, 2, 1, 0, 1])
    frames = (courses[:, mixed] * np.linspace(1, 9, 10)).astype(np.float32)
    ordered = mixed[by_likeness(frames)]
    assert (np.diff(ordered) != 0).sum() == 2
    assert ordered[-1] == 2


@pytest.mark.parametrize("shape", [(1, 5), (2, 5), (7, 5)])
def test_features_without_a_course_keep_their_order(shape: tuple[int, int]) -> None:
    np.testing.assert_array_equal(by_likeness(np.ones(shape, np.float32)), np.arange(5))


def test_what_cannot_be_looked_into_is_named(
    backbones: dict[str, Backbone], tmp_path: Path
) -> None:
    model = model_of(backbones, "yamnet")
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(InvalidError, match=r"text\.wav cannot be decoded"):
        look_into(model, tmp_path / "text.wav")
    long = write(tmp_path / "long.wav", 301 * 8000, 8000)
    with pytest.raises(InvalidError, match=r"long\.wav must be at most 300 s, got 301"):
        look_into(model, long)
