"""What people hand in as sound, through a function that sees what it is given."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor

from hear_fusion import inputs
from hear_fusion.audio import resample
from hear_fusion.inputs import Sound, Sounds

HZ = 16000
CPU = torch.device("cpu")


def tone(n_samples: int = 1600, hz: float = 440.0, rate: int = HZ) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(n_samples) / rate)).astype(np.float32)


def wav(audio: NDArray[Any], rate: int = HZ) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio, rate, "FLOAT", format="WAV")
    return file.getvalue()


def sums(audio: Tensor) -> Tensor:
    """Two numbers that tell sounds apart: their length and their energy."""
    lengths = torch.full((audio.shape[0],), float(audio.shape[1]))
    return torch.stack([lengths, audio.square().sum(dim=1)], dim=1)


def frames(audio: Tensor) -> tuple[Tensor, Tensor]:
    return audio.unfold(1, 800, 800), torch.arange(audio.shape[1] // 800).repeat(len(audio), 1)


def ask(sounds: Any, rate: Any = None, compute: Any = sums) -> Any:
    return Sounds.of(sounds, rate, HZ).map(compute, HZ, CPU)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    path.write_bytes(wav(tone()))
    return path


EXPECTED = sums(torch.from_numpy(tone())[None])[0].numpy()


def test_every_kind_of_one_sound_is_the_same_sound(file: Path) -> None:
    two = np.stack([tone(), tone()])
    kinds: list[Sound] = [file, str(file), file.read_bytes(), tone(), tone().astype(np.float64)]
    kinds += [(tone(), HZ), (two, HZ), (two.T, HZ)]
    kinds += [(np.round(tone() * 32768).astype(np.int16), HZ)]
    for kind in kinds:
        (one,) = ask([kind])
        np.testing.assert_allclose(one, EXPECTED, rtol=1e-4)
        if not isinstance(kind, tuple) or kind[0].ndim == 1:
            np.testing.assert_allclose(ask(kind), EXPECTED, rtol=1e-4)


def test_a_list_keeps_its_order_whatever_the_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "_WINDOW_SECONDS", 0.3)
    lengths = [900, 1600, 900, 4000, 900, 1600, 7000, 900]
    got = ask([tone(n, 300 + 10 * i) for i, n in enumerate(lengths)])
    alone = [ask(tone(n, 300 + 10 * i)) for i, n in enumerate(lengths)]
    np.testing.assert_allclose(got, alone, rtol=1e-6)
    assert got[:, 0].tolist() == lengths


def test_equal_lengths_go_together_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "_WINDOW_SECONDS", 0.5)
    shapes = []

    def seen(audio: Tensor) -> Tensor:
        shapes.append(tuple(audio.shape))
        return sums(audio)

    ask([tone(n) for n in (800, 1600) * 8], compute=seen)
    assert sum(n for n, _ in shapes) == 16
    assert max(n for n, _ in shapes) > 1
    assert all(n * length <= 0.5 * HZ + 1600 for n, length in shapes)


def test_sound_is_decoded_while_the_last_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "_WINDOW_SECONDS", 0.01)
    decoded = threading.Semaphore(0)
    decode = Sounds.decode

    def told(self: Sounds, i: int, to_hz: int) -> NDArray[np.float32]:
        audio = decode(self, i, to_hz)
        decoded.release()
        return audio

    def wait(audio: Tensor) -> Tensor:
        assert decoded.acquire(timeout=10), "the next sound was not decoded ahead"
        return sums(audio)

    monkeypatch.setattr(Sounds, "decode", told)
    ask([tone(), tone()], compute=wait)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000])
def test_any_rate_becomes_the_networks(rate: int) -> None:
    audio = tone(rate // 4, rate=rate)
    expected = sums(torch.from_numpy(resample(audio.astype(np.float64), rate, HZ)).float()[None])[0]
    np.testing.assert_allclose(ask(audio, np.int64(rate)), expected, rtol=1e-6)
    np.testing.assert_allclose(ask((audio, rate)), expected, rtol=1e-6)
    np.testing.assert_allclose(ask(wav(audio, rate)), expected, rtol=1e-6)
    np.testing.assert_allclose(ask([(audio, rate), tone()], 7000)[0], expected, rtol=1e-6)
    assert expected[0] == HZ // 4


def test_an_array_of_two_axes_is_a_batch() -> None:
    batch = np.stack([tone(hz=300), tone(hz=500), tone(hz=700)])
    np.testing.assert_allclose(ask(batch), [ask(row) for row in batch], rtol=1e-6)
    np.testing.assert_allclose(ask(batch[:, ::2], 8000)[:, 0], 1600)


def test_tensors_of_tensors_and_arrays_of_anything_else(file: Path) -> None:
    audio = torch.from_numpy(tone())
    of_tensors: list[Any] = [audio, [audio, audio[:900]], audio[None], (audio, HZ), [(audio, HZ)]]
    others: list[Any] = [tone(), [tone()], [file], file, [audio, tone()], [audio, file]]
    assert all(isinstance(ask(given), Tensor) for given in of_tensors)
    assert all(isinstance(ask(given), np.ndarray) for given in others)
    kept = audio.clone().requires_grad_()
    assert torch.equal(ask(kept), ask(audio))
    np.testing.assert_array_equal(ask(audio.half().float()), ask(audio.half()))


def test_frames_of_many_lengths_are_a_list_of_pairs() -> None:
    z, times = ask(tone(), compute=frames)
    assert (z.shape, times.shape) == ((2, 800), (2,))
    pairs = ask([tone(1600), tone(4000)], compute=frames)
    assert [part.shape for part, _ in pairs] == [(2, 800), (5, 800)]
    batch, times = ask(np.stack([tone(), tone()]), compute=frames)
    assert (batch.shape, times.shape) == ((2, 2, 800), (2, 2))


@pytest.mark.parametrize("nothing", [[], (), iter([]), np.zeros((0, 1600))])
def test_of_no_sounds_the_shape_of_none(nothing: Any) -> None:
    assert ask(nothing).shape == (0, 2)


def test_paths_in_an_array_or_a_generator(file: Path) -> None:
    np.testing.assert_allclose(ask(np.array([str(file)] * 2))[1], EXPECTED, rtol=1e-6)
    np.testing.assert_allclose(ask(path for path in [file])[0], EXPECTED, rtol=1e-6)


def test_long_lists_show_how_far_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "_MANY", 3)
    ask([tone()] * 2)
    assert capsys.readouterr().err == ""
    ask([tone()] * 3)
    assert "3 sounds" in capsys.readouterr().err


NO_FILE = r"gone\.wav: cannot be opened: No such file"


@pytest.mark.parametrize(
    ("sounds", "error", "message"),
    [
        ("gone.wav", ValueError, NO_FILE),
        ([tone(), "gone.wav"], ValueError, NO_FILE),
        ([tone(), b""], ValueError, r"sounds\[1\]: is empty"),
        ([tone(), np.zeros(0)], ValueError, r"sounds\[1\]: must have shape .* got \(0,\)"),
        ([tone(), tone() * np.nan], ValueError, r"sounds\[1\]: holds samples that are NaN"),
        (tone() * 32768, ValueError, "sound: peaks at 16384, as 16-bit integers"),
        ([tone(), 3], TypeError, r"sounds\[1\]: must be a file or an array, got int"),
        ([tone(), None], TypeError, r"sounds\[1\]: .* got NoneType"),
        ([0.1, 0.2], TypeError, r"sounds\[0\]: .* got float"),
        (
            [(tone(), 0)],
            ValueError,
            r"sounds\[0\]: sample_rate must be a whole number of Hz, got 0",
        ),
        ([(tone(), "fast")], ValueError, "got 'fast'"),
        ([(tone(), True)], ValueError, "got True"),
        (np.zeros((2, 3, 4)), ValueError, r"sounds must have shape .* got \(2, 3, 4\)"),
        (np.zeros(()), ValueError, r"got \(\); put sounds with channels in a list"),
        (None, TypeError, "sounds must be files or arrays, got NoneType"),
        (3, TypeError, "got int"),
        ({"a": tone()}, TypeError, "got dict"),
    ],
)
def test_what_is_no_sound_is_named(
    sounds: Any, error: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    monkeypatch.chdir(file.parent)
    with pytest.raises(error, match=message):
        ask(sounds)


@pytest.mark.parametrize("rate", [0, -1, 1.5, float("nan"), 1e12, "16000", True])
def test_a_rate_that_is_none(rate: Any) -> None:
    with pytest.raises(ValueError, match="sample_rate must be a whole number of Hz, got"):
        ask(tone(), rate)
