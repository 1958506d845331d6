"""What an AST was trained on: the level of its log-mel and the length of its window."""

from __future__ import annotations

import functools
import json
import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hear_fusion.checkpoints import WeightsError

PREPROCESSOR = "preprocessor_config.json"
"""The name under which Hugging Face keeps a network's front end beside its weights."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """The sounds that an AST was trained on.

    Attributes:
        mean, std: Of their log-mel; the network sees ``(log_mel - mean) / (2 std)``.
        window: Mel frames of the windows.
    """

    mean: float
    std: float
    window: int

    def as_tensor(self) -> Tensor:
        """Give the three numbers, float64."""
        return torch.tensor([self.mean, self.std, self.window], dtype=torch.float64, device="cpu")


AUDIOSET = Training(mean=-4.2677393, std=4.5689974, window=1024)

# What Hugging Face's feature extractor takes for granted where the file says nothing.
_DEFAULTS = {
    "feature_extractor_type": "ASTFeatureExtractor",
    "sampling_rate": 16000,
    "num_mel_bins": 128,
    "max_length": AUDIOSET.window,
    "do_normalize": True,
    "mean": AUDIOSET.mean,
    "std": AUDIOSET.std,
}
_FIXED = ("feature_extractor_type", "sampling_rate", "num_mel_bins")


def training_beside(path: Path) -> Training | None:
    """Read the `PREPROCESSOR` beside a weight file; None if there is none.

    Raises:
        WeightsError: If it is damaged, or asks for another front end than AST's.
    """
    place = path.with_name(PREPROCESSOR)
    if not place.is_file():
        return None
    values = _DEFAULTS | _read(place)
    for key in _FIXED:
        if values[key] != _DEFAULTS[key]:
            raise _refused(place, f"{key} {_DEFAULTS[key]!r}, got {values[key]!r}")
    if not values["do_normalize"]:
        return Training(0.0, 0.5, _window(values, place))
    mean, std = (_number(values, key, place) for key in ("mean", "std"))
    if std <= 0:
        raise _refused(place, f"a std above 0, got {std}")
    return Training(mean, std, _window(values, place))


@functools.lru_cache(maxsize=1024)  # once is enough, however often a program loads a file
def note_assumption(path: Path) -> None:
    """Log that nothing says what a weight file was trained on, so that AudioSet is assumed."""
    _logger.warning(
        "%s has no %s beside it: AudioSet's mean %g and std %g of the log-mel are assumed; if it "
        "was trained on other sounds, give input_mean and input_std",
        path,
        PREPROCESSOR,
        AUDIOSET.mean,
        AUDIOSET.std,
    )


def _read(place: Path) -> dict[str, Any]:
    try:
        values = json.loads(place.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError) as err:
        raise _refused(place, f"JSON that can be read, got {err}") from err
    if not isinstance(values, dict):
        raise _refused(place, f"a JSON object, got a {type(values).__name__}")
    return values


def _number(values: dict[str, Any], key: str, place: Path) -> float:
    value = values[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _refused(place, f"a finite number as {key}, got {value!r}")
    return float(value)


def _window(values: dict[str, Any], place: Path) -> int:
    window = _number(values, "max_length", place)
    if window < 16 or window != int(window):
        raise _refused(place, f"a whole max_length of 16 mel frames or more, got {window:g}")
    return int(window)


def _refused(place: Path, rule: str) -> WeightsError:
    return WeightsError(
        f"{place}, which says how the AST beside it was trained, must hold {rule}; fetch it from "
        "where the weights came from, or take it away and give input_mean and input_std"
    )
