"""People's sound files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from hear_fusion.audio import UnreadableSoundError, decode


def encoded(audio: NDArray[np.floating], rate: int = 16000, **how: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio, rate, **{"format": "WAV", "subtype": "PCM_16", **how})
    return file.getvalue()


def tone(rate: int, seconds: float = 0.5) -> NDArray[np.float64]:
    return np.asarray(0.5 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate))


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 192000])
@pytest.mark.parametrize(
    ("kind", "subtype", "error"),
    [
        ("WAV", "PCM_U8", 0.02),
        ("WAV", "PCM_16", 1e-4),
        ("WAV", "PCM_24", 1e-6),
        ("WAVEX", "PCM_24", 1e-6),
        ("WAVEX", "PCM_32", 1e-6),
        ("WAV", "FLOAT", 1e-6),
        ("WAV", "DOUBLE", 0),
        ("WAV", "IMA_ADPCM", 0.1),
        ("WAV", "MS_ADPCM", 0.05),
        ("FLAC", "PCM_16", 1e-4),
        ("AU", "PCM_16", 1e-4),
        ("OGG", "VORBIS", 0.05),
    ],
)
def test_every_dialect_is_read(kind: str, subtype: str, error: float, rate: int) -> None:
    audio, read_rate = decode(encoded(tone(rate), rate, format=kind, subtype=subtype))
    assert read_rate == rate
    # ADPCM fills its last block; the sound itself is all there.
    assert audio.size >= rate // 2
    expected = tone(rate)[: rate // 2]
    difference = audio[: rate // 2] - expected
    assert np.linalg.norm(difference) <= error * np.linalg.norm(expected) + 1e-12


def test_channels_are_mixed_to_their_mean() -> None:
    left = tone(16000)
    audio, _ = decode(encoded(np.stack([left, -0.5 * left], axis=1), subtype="DOUBLE"))
    np.testing.assert_allclose(audio, 0.25 * left, rtol=0, atol=1e-12)


def test_only_the_start_is_read_if_that_is_enough() -> None:
    audio, _ = decode(encoded(tone(16000), subtype="DOUBLE"), seconds=0.1)
    np.testing.assert_array_equal(audio, tone(16000)[:1600])


def test_a_path_is_as_good_as_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(encoded(tone(8000), 8000))
    np.testing.assert_array_equal(
        decode(tmp_path / "a.wav")[0], decode(encoded(tone(8000), 8000))[0]
    )


SPOKEN = encoded(tone(16000))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 4\n", "Git LFS pointer"),
        (SPOKEN[:8000], "is cut short: its last 8044 bytes are not there"),
        (SPOKEN[:30], "cannot be decoded"),
        (SPOKEN[:44], "is cut short|holds no samples"),
        (encoded(tone(16000)[:0]), "holds no samples"),
        (b"<html>not found</html>", "cannot be decoded"),
        (encoded(np.full(9, np.nan), subtype="FLOAT"), "NaN or infinite"),
        (encoded(np.full(9, np.inf), subtype="DOUBLE"), "NaN or infinite"),
        (encoded(tone(16000), format="FLAC")[:3000], "cannot be decoded|is cut short"),
        (Path("nowhere.wav"), "cannot be opened: No such file"),
    ],
)
def test_what_cannot_be_used_is_told(content: bytes | Path, reason: str) -> None:
    with pytest.raises(UnreadableSoundError, match=reason):
        decode(content)


def test_a_header_that_is_a_little_wrong_is_forgiven() -> None:
    assert decode(SPOKEN[:-500])[0].size == 8000 - 250


def test_noise_never_brings_down_the_reader() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        broken = bytearray(SPOKEN)
        for at in rng.integers(0, 60, size=4):
            broken[at] = rng.integers(256)
        try:
            audio, rate = decode(bytes(broken))
        except UnreadableSoundError:
            continue
        assert audio.ndim == 1
        assert rate > 0
