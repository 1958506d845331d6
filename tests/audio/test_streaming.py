"""Sound files read block by block, against the reader that takes them whole."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from hear_fusion.audio import UnreadableSoundError, decode, resample
from hear_fusion.audio.resampling import resample_blocks, resampled_length
from hear_fusion.audio.streaming import open_recording
from tests.audio.test_lengths import CONTAINERS, streamed, whole

RATE = 16000
JUNK = np.random.default_rng(1).bytes(4999)


def _in_blocks(
    path: Path, rate: int = RATE, start: float | None = None, stop: float | None = None
) -> NDArray[np.float32]:
    with open_recording(path, rate, start, stop) as recording:
        audio = np.concatenate([*recording.blocks(), np.empty(0, np.float32)])
    assert len(audio) == recording.n_samples
    return audio


def _outcome(read: object, path: Path) -> NDArray[np.float32] | str:
    try:
        return np.asarray(read(path), np.float32)  # type: ignore[operator]
    except UnreadableSoundError as err:
        return str(err)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hear_fusion.audio.streaming._BLOCK", 4096)


def _versions(name: str) -> list[bytes]:
    data = whole(name)
    wholes = [data, *streamed(name)[:3]]
    cut = [version[: len(version) * share // 4] for version in wholes for share in (1, 2, 3)]
    return [*wholes, *cut, data + JUNK, data[:100], data[:40], b"", JUNK, b"text\n" * 99]


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_file_is_read_or_refused_as_if_it_were_read_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"a.{name}"
    n_read = 0
    for data in _versions(name):
        path.write_bytes(data)
        expected = _outcome(lambda path: decode(path)[0], path)
        got = _outcome(_in_blocks, path)
        if isinstance(expected, str) or isinstance(got, str):
            assert isinstance(expected, str), got
            assert isinstance(got, str), expected
        else:
            n_read += 1
            # libsndfile rounds an MP3's samples by where a block begins.
            tolerance = 1.2e-7 if name == "mp3" else 0
            np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)
    assert n_read


@pytest.mark.parametrize("from_hz", [8000, 11025, 16000, 22050, 44100, 48000, 192000])
def test_blocks_are_resampled_as_the_whole(from_hz: int) -> None:
    rng = np.random.default_rng(0)
    for n_samples in (1, 2, 100, from_hz // 10 + 1):
        audio = rng.standard_normal(n_samples)
        blocks = np.split(audio, sorted(rng.integers(0, n_samples + 1, 3)))
        got = np.concatenate(list(resample_blocks(blocks, from_hz, RATE)))
        assert len(got) == resampled_length(n_samples, from_hz, RATE)
        np.testing.assert_allclose(got, resample(audio, from_hz, RATE), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_a_part_is_that_of_the_whole(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    rng = np.random.default_rng(0)
    soundfile.write(path, rng.uniform(-0.5, 0.5, (30000, 2)), RATE, format=kind)
    audio = decode(path)[0]
    for start, stop in ((0.5, 1.0), (0.25, None), (None, 1.0), (0.0, len(audio) / RATE + 0.05)):
        first = round((start or 0) * RATE)
        last = len(audio) if stop is None else round(stop * RATE)
        got = _in_blocks(path, RATE, start, stop)
        expected = audio[first:last]
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6 if kind != "MP3" else 1e-3)


@pytest.mark.parametrize("part", [(2.0, None), (1.9, 3.0), (0.5, 2.0)])
def test_a_part_that_is_not_there_is_refused(tmp_path: Path, part: tuple[float, float]) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(30000), RATE)
    with pytest.raises(UnreadableSoundError, match=r"must reach to the end .* got 1\.875 s"):
        _in_blocks(path, RATE, *part)


@pytest.mark.parametrize(
    ("samples", "what"),
    [
        (np.array([0.0] * 9000 + [np.nan]), "NaN or infinite"),
        (np.array([0.0] * 9000 + [3000.0]), "16-bit integers that nobody divided"),
        (np.full((9000, 2), 0.5) * [1, -1], "its channels cancel each other"),
    ],
)
def test_values_that_no_sound_has_are_told(
    tmp_path: Path, samples: NDArray[np.float64], what: str
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    with pytest.raises(UnreadableSoundError, match=what):
        _in_blocks(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "a.wav", tmp_path):
        with pytest.raises(UnreadableSoundError, match=r"cannot be opened: (No such|Is a dir)"):
            _in_blocks(path)


def test_sound_of_one_block_is_read(tmp_path: Path) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(10), RATE, format="WAV")
    (tmp_path / "a.wav").write_bytes(file.getvalue())
    assert len(_in_blocks(tmp_path / "a.wav")) == 10
