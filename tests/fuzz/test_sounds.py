"""Sound files of every container, damaged: read or refused, in memory as on the disk."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile
from hypothesis import strategies as st

from hear_fusion.audio import UnreadableSoundError, decode, read_sound, value_fault
from hear_fusion.audio.lengths import length_of, settled
from tests.fuzz.harness import Fuzz, Outcome
from tests.fuzz.mutations import damaged

RATE, N = 16000, 1600
CONTAINERS = {
    "wav": ("WAV", "PCM_16"), "wav float": ("WAV", "FLOAT"), "wav adpcm": ("WAV", "IMA_ADPCM"),
    "wav ms adpcm": ("WAV", "MS_ADPCM"), "wav gsm": ("WAV", "GSM610"), "wav ulaw": ("WAV", "ULAW"),
    "wavex": ("WAVEX", "PCM_24"), "rf64": ("RF64", "PCM_16"), "w64": ("W64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"), "au": ("AU", "PCM_16"), "au g721": ("AU", "G721_32"),
    "caf": ("CAF", "PCM_16"), "caf alac": ("CAF", "ALAC_16"), "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS"), "mp3": ("MP3", "MPEG_LAYER_III"),
}  # fmt: skip


def seeds() -> dict[str, bytes]:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(N) / RATE)
    files = {}
    for name, (kind, subtype) in CONTAINERS.items():
        for channels in (1, 2):
            if (channels, subtype) == (2, "G721_32") or (channels, subtype) == (2, "GSM610"):
                continue
            file = io.BytesIO()
            sound = np.repeat(tone[:, None], channels, axis=1) * np.linspace(1, 0.5, channels)
            soundfile.write(file, sound, RATE, format=kind, subtype=subtype)
            files[f"{name} {channels}"] = file.getvalue()
    bare = files["mp3 1"]
    files["mp3 bare"] = bare[bare.index(bare[:2], 4) :]  # without the frame that counts the others
    files["mp3 tagged"] = b"ID3\x04\x00\x00\x00\x00\x02\x00" + bytes(256) + bare
    return files


def samples(content: bytes | Path) -> tuple[bytes, int] | str:
    try:
        audio, rate = decode(content)
    except UnreadableSoundError as err:
        return str(err)
    assert audio.ndim == 1
    assert np.isfinite(audio).all()
    return audio.tobytes(), rate


def test_damaged_sounds_are_read_or_refused(fuzz: Fuzz, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"

    def read(case: tuple[str, bytes]) -> Outcome:
        _, data = case
        path.write_bytes(data)
        told = samples(path)
        assert samples(data) == told
        assert "0x" not in told or not isinstance(told, str)
        if isinstance(told, str):
            return "refused"
        sound = read_sound(path, keep_integers=True)
        value_fault(sound.samples)
        assert sound.misread is not None
        return "read"

    fuzz.run(damaged(seeds()), read, n=3000, few=60)


def test_a_cut_sound_is_never_taken_for_a_whole_one(fuzz: Fuzz) -> None:
    files = seeds()
    cuts = st.sampled_from(sorted(files)).flatmap(
        lambda name: st.tuples(st.just(name), st.integers(0, len(files[name]) - 1))
    )

    def read(case: tuple[str, int]) -> Outcome:
        name, at = case
        data = files[name][:at]
        try:
            audio, _ = decode(data)
        except UnreadableSoundError:
            return "refused"
        # What is missing is less than anybody misses, or nobody can tell.
        assert len(files[name]) - at <= 1024 or not length_of(data).known
        assert len(audio)
        return "read"

    fuzz.run(cuts, read, n=700, few=30)


def test_lengths_of_anything_are_told(fuzz: Fuzz) -> None:
    def read(case: tuple[str, bytes]) -> None:
        _, data = case
        length = length_of(data)
        assert length.known or not length.missing
        assert len(settled(data)) <= len(data) + 1500

    fuzz.run(damaged(seeds(), most=6), read, n=2000, few=40)
