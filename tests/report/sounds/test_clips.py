"""Sounds small enough to be carried along."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hear_fusion.audio import UnreadableSoundError
from hear_fusion.report.sounds.clips import Clip, compress, compressed


def write(path: Path, rate: int = 16000, seconds: float = 3.0, channels: int = 1) -> Path:
    """Write a tone of 440 Hz that becomes one of 1,000 Hz after 1 s."""
    times = np.arange(round(rate * seconds)) / rate
    tone = 0.5 * np.sin(2 * np.pi * np.where(times < 1, 440, 1000) * times)
    soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate)
    return path


def decoded(mp3: bytes) -> tuple[np.ndarray, int]:
    audio, rate = soundfile.read(io.BytesIO(mp3))
    return audio, rate


def loudest_hz(audio: np.ndarray, rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(audio * np.hanning(len(audio)))))) * rate / len(audio)


@pytest.mark.parametrize("rate", [8000, 11000, 16000, 44100, 192000])
def test_a_clip_is_a_small_mono_mp3(tmp_path: Path, rate: int) -> None:
    mp3 = compress(Clip(write(tmp_path / "a.wav", rate, channels=2)))
    assert soundfile.info(io.BytesIO(mp3)).format == "MP3"
    audio, got = decoded(mp3)
    assert (got, audio.ndim) == (24000, 1)
    assert len(audio) / got == pytest.approx(3, abs=0.05)
    assert loudest_hz(audio[2 * got :], got) == pytest.approx(1000, abs=3)
    assert len(mp3) < 8000 * 3


@pytest.mark.parametrize("start", [None, 0.0, 1.5])
def test_no_more_than_so_many_seconds(tmp_path: Path, start: float | None) -> None:
    audio, rate = decoded(compress(Clip(write(tmp_path / "a.wav"), start), longest_s=0.5))
    assert len(audio) / rate == pytest.approx(0.5, abs=0.05)


def test_a_part_is_that_part(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac")
    for part, hz in (((0.2, 0.9), 440), ((1.2, 1.9), 1000), ((2.5, None), 1000)):
        audio, rate = decoded(compress(Clip(path, *part)))
        assert loudest_hz(audio, rate) == pytest.approx(hz, abs=5)
        assert len(audio) / rate == pytest.approx((part[1] or 3) - part[0], abs=0.05)


def test_a_clip_of_one_sample_and_one_too_loud_are_clips_too(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", np.zeros(1), 16000)
    assert len(decoded(compress(Clip(tmp_path / "short.wav")))[0])
    soundfile.write(tmp_path / "loud.wav", np.full(16000, 1.8), 16000, subtype="FLOAT")
    assert np.abs(decoded(compress(Clip(tmp_path / "loud.wav")))[0]).max() < 1.5


def test_a_sound_that_cannot_be_had_does_not_stop_the_others(tmp_path: Path) -> None:
    good = write(tmp_path / "a.wav")
    (tmp_path / "text.wav").write_text("no sound")
    soundfile.write(tmp_path / "nan.wav", np.full(16000, np.nan), 16000, subtype="FLOAT")
    clips = [
        Clip(good), Clip(tmp_path / "none.wav"), Clip(tmp_path / "text.wav"), Clip(good, 7.0, 8.0),
        Clip(tmp_path / "text.wav", 0.0, 1.0), Clip(tmp_path / "nan.wav", 0.0, 1.0), Clip(good),
    ]  # fmt: skip
    results = list(compressed(clips))
    assert [isinstance(result, UnreadableSoundError) for result in results] == [
        False,
        *[True] * 5,
        False,
    ]
    assert results[0] == results[-1]
    assert "got 3 s and a segment from 7 s" in str(results[3])
