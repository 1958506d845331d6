"""What people hand in as sound: files, arrays at any rate, tensors, one or many.

It becomes mono float sound at the network's rate, or is named. HEAR's batches are only checked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hear_fusion.audio import UnreadableSoundError, decode, mono, resample, value_fault
from hear_fusion.errors import InvalidError, InvalidTypeError, shown
from hear_fusion.progress import progress_bar

# Clipping and loud mixes are fine; beyond this samples are integers in disguise, or broken.
MAX_AMPLITUDE = 1000.0
# Sound that is decoded together and sorted by length; as much again is decoded ahead.
_WINDOW_SECONDS = 120.0
# A list as long as this shows how far it has come.
_MANY = 100

Array = NDArray[Any] | Tensor
Sound = str | bytes | os.PathLike[str] | Array | tuple[Array, int]
"""A file, or its content, or samples at the network's rate, or samples with their rate in Hz."""


@dataclass(frozen=True)
class Sounds:
    """Sounds as they were handed in.

    Attributes:
        items: Each of them; an array of it may have channels.
        sample_rate: Rate of the arrays that come without one, in Hz.
        form: ``one`` sound, a ``batch`` of equal length in one array, or a ``list``.
        are_tensors: Whether all are tensors, so that results are tensors as well.
    """

    items: Sequence[Any]
    sample_rate: int
    form: Literal["one", "batch", "list"]
    are_tensors: bool

    @classmethod
    def of(cls, sounds: Sound | Iterable[Sound], sample_rate: int | None, own_hz: int) -> Sounds:
        """Tell one sound from many.

        Args:
            sounds: A file, an array or tensor of shape (n_samples,), a pair (array, its rate); or
                many in a list, or equally long ones in an array of shape (n_sounds, n_samples).
            sample_rate: Rate of arrays that come without one, in Hz.
            own_hz: What it is by default: the rate of the network.

        Raises:
            TypeError: If that is no sound.
            ValueError: If a rate or a number of axes is impossible.
        """
        rate = _checked_rate(own_hz if sample_rate is None else sample_rate)
        if isinstance(sounds, np.ndarray) and sounds.dtype.kind in "OUS":
            sounds = sounds.tolist()
        if isinstance(sounds, np.ndarray | Tensor) and sounds.ndim != 1:
            if sounds.ndim != 2:
                raise InvalidError(
                    "sounds must have shape (n_samples,) or (n_sounds, n_samples), got "
                    f"{tuple(sounds.shape)}; put sounds with channels in a list"
                )
            return cls(list(sounds), rate, "batch", isinstance(sounds, Tensor))
        if _is_one(sounds):
            return cls([sounds], rate, "one", _is_tensor(sounds))
        if not isinstance(sounds, Iterable) or isinstance(sounds, dict):
            raise InvalidTypeError(f"sounds must be files or arrays, got {type(sounds).__name__}")
        items = list(sounds)
        return cls(items, rate, "list", bool(items) and all(map(_is_tensor, items)))

    def decode(self, i: int, to_hz: int) -> NDArray[np.float32]:
        """Make mono sound at a rate of one of them, shape (n_samples,), full scale at 1.

        Raises:
            TypeError: If it is no sound.
            ValueError: If it cannot be read or holds values that no sound has; names it.
        """
        item = self.items[i]
        is_file = isinstance(item, str | os.PathLike)
        name = os.fspath(item) if is_file else "sound" if self.form == "one" else f"sounds[{i}]"
        try:
            if is_file:
                audio, from_hz = decode(Path(item))
            elif isinstance(item, bytes):
                audio, from_hz = decode(item)
            else:
                audio, from_hz = _samples(item, self.sample_rate)
            fault = value_fault(audio)
            if fault is not None and fault.rule in ("finite", "integers"):
                raise InvalidError(fault.what)
        except InvalidTypeError as err:
            raise InvalidTypeError(f"{name}: {err}") from err
        except InvalidError as err:
            raise UnreadableSoundError(f"{name}: {err}") from err
        return resample(audio, from_hz, to_hz).astype(np.float32)

    def batches(self, to_hz: int) -> Iterator[tuple[list[int], Tensor]]:
        """Yield batches of equal length, (sound, sample), float32, and whose they are.

        Some minutes of sound are decoded, sorted by length, and handed out, while a thread decodes
        the next: memory is bounded by these, or by the longest sound.
        """
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self._window, 0, to_hz)
            first = 0
            while window := waiting.result():
                waiting = pool.submit(self._window, first + len(window), to_hz)
                by_length: dict[int, list[int]] = {}
                for i, audio in enumerate(window):
                    by_length.setdefault(len(audio), []).append(i)
                for _, same in sorted(by_length.items()):
                    batch = torch.from_numpy(np.stack([window[i] for i in same]))
                    yield [first + i for i in same], batch
                first += len(window)

    def map(
        self,
        compute: Callable[[Tensor], Tensor | tuple[Tensor, ...]],
        to_hz: int,
        device: torch.device,
    ) -> Any:
        """Compute something of each sound, and hand it back in the form in which they came.

        Args:
            compute: Makes tensors with n_sounds first of a batch (n_sounds, n_samples).
            to_hz: Rate of that batch in Hz.
            device: Where it must be.

        Returns:
            For one sound what was computed of it. For many the same with n_sounds first, but a
            list of tuples where tuples of tensors are computed of sounds in a list.
        """
        n_sounds = len(self.items)
        results: list[tuple[Tensor, ...]] = [()] * n_sounds
        with progress_bar("embedding", n_sounds, "sound", quiet=n_sounds < _MANY) as bar:
            for indices, audio in self.batches(to_hz):
                made = compute(audio.to(device))
                parts = (made,) if isinstance(made, Tensor) else made
                for i, *result in zip(indices, *parts, strict=True):
                    results[i] = tuple(result)
                bar.update(len(indices))
            if not results:  # of no sounds, in the shape of none
                made = compute(torch.zeros(0, to_hz, device=device))
        if self.form == "list" and not isinstance(made, Tensor):
            return [tuple(map(self._own, result)) for result in results]
        if self.form == "one":
            whole = results[0]
        elif results:
            whole = tuple(torch.stack(part) for part in zip(*results, strict=True))
        else:
            whole = (made,) if isinstance(made, Tensor) else made
        handed = tuple(map(self._own, whole))
        return handed[0] if isinstance(made, Tensor) else handed

    def _own(self, result: Tensor) -> Any:
        return result if self.are_tensors else result.cpu().numpy()

    def _window(self, first: int, to_hz: int) -> list[NDArray[np.float32]]:
        window: list[NDArray[np.float32]] = []
        n_left = int(_WINDOW_SECONDS * to_hz)
        for i in range(first, len(self.items)):
            window.append(self.decode(i, to_hz))
            n_left -= len(window[-1])
            if n_left <= 0:
                break
        return window


def check_batch(audio: Tensor, device: torch.device) -> Tensor:
    """Refuse what is no batch of sounds as HEAR hands them in.

    Args:
        audio: Waveforms in [-1, 1], float, shape (n_sounds, n_samples).
        device: Where it must be.

    Returns:
        The same in float32.

    Raises:
        TypeError: If it is not a floating-point tensor.
        ValueError: If its shape, device or a sample is wrong.
    """
    if not isinstance(audio, Tensor):
        raise InvalidTypeError(
            f"audio must be a torch.Tensor, got {type(audio).__name__}; "
            "wrap it in torch.as_tensor(...)"
        )
    if not audio.is_floating_point():
        raise InvalidTypeError(
            f"audio must be floating point in [-1, 1], got {audio.dtype}; "
            "divide integer samples by their full scale, 32768 for 16 bits"
        )
    if audio.ndim != 2 or audio.shape[1] == 0:
        raise InvalidError(
            "audio must have shape (n_sounds, n_samples) with at least 1 sample, "
            f"got {tuple(audio.shape)}; one mono sound is audio[None, :]"
        )
    if audio.device != device:
        raise InvalidError(
            f"audio must be on the model's device {device}, got {audio.device}; "
            "move it with audio.to(...)"
        )
    audio = audio.float()
    low, high = audio.aminmax(dim=1)
    sound = (low >= -MAX_AMPLITUDE) & (high <= MAX_AMPLITUDE)  # False for NaN as well
    if not sound.all():
        broken = (~sound).nonzero().flatten().tolist()
        raise InvalidError(
            "audio must be finite and in [-1, 1], got NaN, infinite samples or amplitudes "
            f"above {MAX_AMPLITUDE:g} in sounds {broken} of {audio.shape[0]} (counted from "
            "0); divide integer samples by their full scale, 32768 for 16 bits"
        )
    return audio


def _is_one(sound: object) -> bool:
    if isinstance(sound, str | bytes | os.PathLike | np.ndarray | Tensor):
        return True
    return isinstance(sound, tuple) and len(sound) == 2 and isinstance(sound[1], int | np.integer)


def _is_tensor(sound: object) -> bool:
    return isinstance(sound[0] if isinstance(sound, tuple) else sound, Tensor)


def _checked_rate(rate: Any) -> int:
    is_number = isinstance(rate, int | float | np.integer | np.floating)
    if not is_number or isinstance(rate, bool) or not 1 <= rate < 1e9 or rate != int(rate):
        raise InvalidError(f"sample_rate must be a whole number of Hz, got {shown(rate)}")
    return int(rate)


def _samples(sound: Any, own_hz: int) -> tuple[NDArray[np.float64], int]:
    samples, rate = sound if isinstance(sound, tuple) and len(sound) == 2 else (sound, own_hz)
    if isinstance(samples, Tensor):
        samples = samples.detach().cpu()
        samples = samples.float().numpy() if samples.is_floating_point() else samples.numpy()
    return mono(samples), _checked_rate(rate)
