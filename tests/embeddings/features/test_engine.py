"""Segments to vectors, against the model on each sound by itself."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from hear_fusion.audio import decode, resample
from hear_fusion.backbones import Backbone
from hear_fusion.embeddings.features.engine import Engine, Piece
from hear_fusion.embeddings.features.rows import Rows
from hear_fusion.embeddings.tables.segments import Segment
from hear_fusion.errors import InvalidError
from hear_fusion.model import FusionModel
from hear_fusion.names import Choice

RATE = 16000
_ByPlace = dict[int, tuple[NDArray[np.float64], NDArray[np.float32]]]


@pytest.fixture
def model(backbones: dict[str, Backbone]) -> FusionModel:
    return FusionModel(backbones["yamnet"], Choice("yamnet", (5, 13)))


@pytest.fixture
def sounds(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    sizes = {"a": (40000, RATE), "b": (40000, RATE), "c": (5, 8000), "d": (100000, 44100)}
    for name, (n_samples, rate) in sizes.items():
        soundfile.write(tmp_path / f"{name}.wav", rng.uniform(-0.5, 0.5, n_samples), rate)
    return sorted(tmp_path.iterdir())


def _audio(path: Path) -> NDArray[np.float32]:
    audio, rate = decode(path)
    return resample(audio, rate, RATE).astype(np.float32)


def _rows(pieces: list[Piece]) -> _ByPlace:
    rows = {}
    for i in {piece.segment for piece in pieces}:
        own = [piece for piece in pieces if piece.segment == i]
        assert not any(piece.error for piece in own)
        assert [piece.is_last for piece in own] == [False] * (len(own) - 1) + [True]
        times = np.concatenate([np.stack([piece.starts, piece.stops], 1) for piece in own])
        rows[i] = times, np.concatenate([piece.vectors for piece in own])
    return rows


def _embed(model: FusionModel, paths: list[Path], rows: Rows) -> _ByPlace:
    pieces = Engine(model, rows).pieces([Segment(str(path)) for path in paths])
    return _rows(list(pieces))


@pytest.fixture(params=["short", "long"])
def length(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Sounds are held in memory, or read as they are computed."""
    if request.param == "long":
        monkeypatch.setattr("hear_fusion.embeddings.features.engine._LONG_SECONDS", 1.0)
    return str(request.param)


def test_sounds_are_those_one_by_one(model: FusionModel, sounds: list[Path], length: str) -> None:
    got = _embed(model, sounds, Rows())
    for i, path in enumerate(sounds):
        times, vectors = got[i]
        expected = model.scenes(torch.from_numpy(_audio(path))[None]).numpy()
        np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-5)
        assert np.isnan(times).all()


@pytest.mark.parametrize("hop_ms", [None, 20])
def test_frames_have_times(
    model: FusionModel, sounds: list[Path], length: str, hop_ms: int | None
) -> None:
    got = _embed(model, sounds, Rows("frame", hop_ms=hop_ms))
    for i, path in enumerate(sounds):
        times, vectors = got[i]
        audio = torch.from_numpy(_audio(path))[None]
        expected = model.extractor.frames(audio, hop_ms)[0].numpy()
        np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-5)
        assert len(times) == len(expected)
        assert times[0].tolist() == [0.0, min((hop_ms or 320) / 1000, audio.shape[1] / RATE)]
        assert times[-1][1] <= audio.shape[1] / RATE


def test_windows_end_with_the_sound(model: FusionModel, sounds: list[Path], length: str) -> None:
    got = _embed(model, sounds, Rows("window", window_s=1.0, step_s=0.6))
    for i, path in enumerate(sounds):
        times, vectors = got[i]
        audio = _audio(path)
        spans = [(round(start * RATE), round(stop * RATE)) for start, stop in times]
        assert spans[0][0] == 0
        assert spans[-1][1] == len(audio)
        assert all(b[0] - a[0] == 9600 for a, b in pairwise(spans[:-1]))
        clips = [torch.from_numpy(audio[start:stop])[None] for start, stop in spans]
        expected = torch.cat([model.scenes(clip) for clip in clips]).numpy()
        np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-5)


def test_a_segment_is_a_sound_of_its_own(model: FusionModel, sounds: list[Path]) -> None:
    segment = Segment(str(sounds[0]), 0.5, 2.0, "x")
    ((times, vectors),) = _rows(list(Engine(model, Rows()).pieces([segment]))).values()
    audio = torch.from_numpy(_audio(sounds[0]))[None, 8000:32000]
    np.testing.assert_allclose(vectors, model.scenes(audio).numpy(), rtol=0, atol=1e-5)
    assert times.tolist() == [[0.5, 2.0]]
    pieces = list(Engine(model, Rows("window", window_s=1, step_s=0.5)).pieces([segment]))
    assert _rows(pieces)[0][0].tolist() == [[0.5, 1.5], [1.0, 2.0]]


def test_what_cannot_be_read_is_told_and_the_others_go_on(
    model: FusionModel, sounds: list[Path], length: str
) -> None:
    cut, text = sounds[0].with_name("cut.wav"), sounds[0].with_name("text.wav")
    cut.write_bytes(sounds[0].read_bytes()[:50000])
    text.write_text("no sound")
    nan = sounds[0].with_name("nan.wav")
    soundfile.write(nan, np.array([0.0] * 39999 + [np.nan]), RATE, subtype="FLOAT")
    paths = [cut, sounds[0], text, nan, sounds[1], Path("not/there.wav")]
    pieces = list(Engine(model, Rows()).pieces([Segment(str(path)) for path in paths]))
    errors = {piece.segment: piece.error for piece in pieces if piece.error}
    assert sorted(errors) == [0, 2, 3, 5]
    assert "cut short" in errors[0]
    assert "NaN" in errors[3]
    assert {piece.segment for piece in pieces if piece.is_last and not piece.error} == {1, 4}


def test_what_was_upsampled_before_is_told(model: FusionModel, tmp_path: Path, length: str) -> None:
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 16000)
    for rate in (8000, 44100):
        soundfile.write(tmp_path / f"{rate}.wav", resample(noise, 8000, rate), rate)
    paths = [str(tmp_path / f"{rate}.wav") for rate in (8000, 44100)]
    pieces = list(Engine(model, Rows()).pieces([Segment(path) for path in paths]))
    assert {piece.segment: piece.old_hz for piece in pieces if piece.is_last} == {0: 0, 1: 8000}


@pytest.mark.parametrize(("window", "step"), [(1.0, 2.0), (0.0, 0.0), (float("inf"), 1.0)])
def test_windows_that_leave_sound_out_are_refused(window: float, step: float) -> None:
    with pytest.raises(InvalidError, match="a step must be at least"):
        Rows("window", window_s=window, step_s=step)


def test_a_hop_that_the_network_has_not_is_refused(model: FusionModel) -> None:
    with pytest.raises(InvalidError, match="the hop of yamnet must be one of"):
        Engine(model, Rows("frame", hop_ms=33))
