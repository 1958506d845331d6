"""Whole, cut or impossible to tell: every container, streamed, cut, followed by junk, empty.

The right answer of each is in `TABLE`: a number of samples, or the words of the refusal.
"""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile

from hear_fusion.audio import UnreadableSoundError, decode
from hear_fusion.audio.lengths import length_of

RATE, N = 16000, 24000
CONTAINERS = {
    "wav": ("WAV", "PCM_16"),
    "wavex": ("WAVEX", "PCM_24"),
    "rf64": ("RF64", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
SIZES_32 = (
    0, 0x7FFFF000, 0x7FFFFF00, 0x7FFFFFDB, 0x7FFFFFFF, 0x80000000,
    2_000_000_000, 0xFFFFF000, 0xFFFFFFDB, 0xFFFFFFFE, 0xFFFFFFFF,
)  # fmt: skip
SIZES_64 = (0, -1, (1 << 63) - 1, 0x7FFFF000, 0xFFFFFFFF)


def whole(name: str) -> bytes:
    rng = np.random.default_rng(0)
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(N) / RATE) + 0.01 * rng.normal(size=N)
    file = io.BytesIO()
    kind, subtype = CONTAINERS[name]
    soundfile.write(file, tone, RATE, format=kind, subtype=subtype)
    return file.getvalue()


def put(data: bytes, at: int, form: str, *values: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(form, changed, at, *values)
    return bytes(changed)


def streamed(name: str) -> list[bytes]:
    """Whole files whose header leaves the length open, as programs write that cannot seek."""
    data = whole(name)
    match name:
        case "wav" | "wavex":
            at = data.index(b"data") + 4
            files = [put(data, at, "<I", size) for size in SIZES_32]
            return files + [put(put(data, at, "<I", size), 4, "<I", size) for size in SIZES_32]
        case "rf64":
            at = data.index(b"ds64") + 8
            return [put(data, at, "<qqq", size, size, size) for size in SIZES_64]
        case "w64":
            at = data.index(b"data") + 16
            return [put(data, at, "<q", size) for size in (*SIZES_64, 24)]
        case "aiff":
            at, count = data.index(b"SSND") + 4, data.index(b"COMM") + 10
            return [put(put(data, at, ">I", s), count, ">I", n) for s in SIZES_32 for n in (0, N)]
        case "au":
            return [put(data, 8, ">I", size) for size in SIZES_32]
        case "caf":
            return [put(data, data.index(b"data") + 4, ">q", size) for size in (-1, 0)]
        case "flac":
            (word,) = struct.unpack_from(">Q", data, 18)
            return [put(data, 18, ">Q", word >> 36 << 36)]  # number of samples unknown
        case "mp3":
            return [data[data.index(data[:2], 4) :]]  # without the frame that counts the others
    return []  # the last page of an Ogg stream is marked as such, streamed or not


# By container what a file is whose header tells the length: cut files have less than it promises.
CUT = dict.fromkeys(CONTAINERS, r"is cut short: its last \d+ bytes are not there")
CUT |= {"ogg": "is cut short: its last page is not there", "flac": "is cut short or damaged"}
CUT["opus"] = CUT["ogg"]


@pytest.mark.parametrize("name", CONTAINERS)
class TestEveryContainer:
    def test_whole(self, name: str) -> None:
        assert decode(whole(name))[0].size == N
        assert length_of(whole(name)).known
        assert length_of(whole(name)).missing == ""

    @pytest.mark.parametrize("share", [0.5, 0.25])
    def test_cut(self, name: str, share: float) -> None:
        data = whole(name)
        with pytest.raises(UnreadableSoundError, match=CUT[name]):
            decode(data[: int(len(data) * share)])

    def test_cut_with_only_the_start_wanted(self, name: str) -> None:
        data = whole(name)
        if name != "flac":  # whose start is whole
            with pytest.raises(UnreadableSoundError, match=CUT[name]):
                decode(data[: len(data) // 2], seconds=0.1)

    def test_header_only(self, name: str) -> None:
        for n_bytes in (4, 24, 44, 100):
            with pytest.raises(UnreadableSoundError) as caught:
                decode(whole(name)[:n_bytes])
            assert "0x" not in str(caught.value)

    def test_streamed(self, name: str) -> None:
        files = streamed(name)
        assert files or name in ("ogg", "opus")
        for data in files:
            assert data != whole(name)
            n_samples = decode(data)[0].size
            assert 0 <= n_samples - N <= (4 * 576 if name == "mp3" else 0)  # the coder's lead
            assert not length_of(data).known
            assert length_of(data).missing == ""

    def test_streamed_and_cut_is_read_and_never_accused(self, name: str) -> None:
        for data in streamed(name):
            half = data[: len(data) // 2]
            n_samples = decode(half)[0].size
            if name in ("flac", "mp3"):  # whose bytes are not of equal worth
                assert 0.3 * N < n_samples < 0.7 * N
            else:
                width = 3 if name == "wavex" else 2
                assert n_samples == (len(half) - (len(data) - width * N)) // width

    @pytest.mark.parametrize("junk", [bytes(5000), np.random.default_rng(1).bytes(4999), b"\n"])
    def test_junk_behind(self, name: str, junk: bytes) -> None:
        assert decode(whole(name) + junk)[0].size == N

    def test_tags_behind(self, name: str) -> None:
        tag = b"TAG" + bytes(125)
        assert decode(whole(name) + tag)[0].size == N


def test_empty() -> None:
    with pytest.raises(UnreadableSoundError, match=r"is empty \(0 bytes\)"):
        decode(b"")


def test_a_long_honest_promise_is_not_taken_for_a_stream() -> None:
    """A recording of 1.9 GB that was cut to seconds is cut."""
    data = whole("wav")
    with pytest.raises(UnreadableSoundError, match="its last 18999"):
        decode(put(data, 40, "<I", 1_900_000_000))


@pytest.mark.parametrize("name", [b"junk", b"LIST", b"bext"])
@pytest.mark.parametrize("n_bytes", [0, 1, 2, 601])
def test_odd_chunks_before_the_sound(name: bytes, n_bytes: int) -> None:
    data = whole("wav")
    chunk = name + struct.pack("<I", n_bytes) + bytes(n_bytes + n_bytes % 2)
    at = data.index(b"data")
    assert decode(data[:at] + chunk + data[at:])[0].size == N
    with pytest.raises(UnreadableSoundError, match=CUT["wav"]):
        decode((data[:at] + chunk + data[at:])[: len(data) // 2])


def test_an_mp3_with_a_tag_in_front_counts_from_its_first_frame() -> None:
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 8, 0]) + bytes(1024)
    data = tag + whole("mp3")
    assert decode(data)[0].size == N
    with pytest.raises(UnreadableSoundError, match=CUT["mp3"]):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("rate", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_mp3_without_a_count_is_read_to_its_end(rate: int, n_channels: int) -> None:
    """Noise that begins after silence: the bit rate varies, and the first frame's tells nothing."""
    sound = np.random.default_rng(0).normal(size=(4 * rate, n_channels)) * 0.1
    sound[: 2 * rate] = 0
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format="MP3", subtype="MPEG_LAYER_III")
    data = file.getvalue()
    bare = data[data.index(data[:2], 4) :]
    with soundfile.SoundFile(io.BytesIO(bare)) as guessed:
        assert guessed.frames != 4 * rate
    audio, _ = decode(bare)
    assert 0 <= audio.size - 4 * rate <= 3 * 1152
    assert np.abs(audio[-rate:-2000]).mean() > 0.01, "the end is there"
