"""Values that a sound should not have: what 16 bits would cut off or silence.

People's sounds become 16-bit files here. Whatever does not fit them is told before it is lost;
what the filter of a new rate adds to a sound of full scale is no such loss, and is cut off.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hear_fusion.errors import InvalidError

# Full scale of 16 bits. A value beyond it by less than half a step is rounded, not cut off.
FULL_SCALE = 32768.0
_HALF_STEP = 0.5 / FULL_SCALE
# 40 dB above full scale: no recording, mix or coder gets there, integers that nobody divided do.
_INTEGER_PEAK = 100.0
_INTEGER_BITS = (16, 24, 32)

Way = Literal["refuse", "clip", "scale"]
"""What to do with a doubtful sound: not take it, take it and cut it off, or take it scaled."""


@dataclass(frozen=True)
class ValueFault:
    """What is wrong with the values of a sound.

    Attributes:
        rule: Short name of the rule that is broken.
        what: The fault, in words.
        divisor: What brings the sound into range; 1 where nothing does.
    """

    rule: Literal["finite", "integers", "peak", "silenced", "constant"]
    what: str
    divisor: float = 1.0


def value_fault(samples: NDArray[np.floating] | NDArray[np.int16]) -> ValueFault | None:
    """Find the fault of a sound's values; a sound of zeros has none.

    Args:
        samples: Floats with full scale at 1, or 16-bit integers; any shape.

    >>> value_fault(np.array([0.0, 0.5, -1.0]))
    >>> value_fault(np.array([0.0, 1.25])).what
    'peaks at 1.25, above full scale (1)'
    >>> value_fault(np.array([0.0, 8000.5])).what
    'peaks at 8000.5, as 16-bit integers that nobody divided by 32768'
    """
    if not samples.size:
        return None
    low, high = float(samples.min()), float(samples.max())
    if samples.dtype == np.int16:
        low, high = low / FULL_SCALE, high / FULL_SCALE
    elif not (math.isfinite(low) and math.isfinite(high)):
        return ValueFault("finite", "holds samples that are NaN or infinite")
    peak = max(-low, high)
    if peak > 1 + _HALF_STEP:
        return _beyond(peak, lambda: bool((samples == np.rint(samples)).all()))
    if 0 < peak <= _HALF_STEP:
        what = f"peaks at {peak:.3g}, below half a step of 16 bits: it would be silent"
        return ValueFault("silenced", what, peak)
    if low == high != 0 and samples.size > 1:
        return ValueFault("constant", f"holds one value, {low:.6g}, from start to end")
    return None


def fitted(audio: NDArray[np.floating], way: Way = "refuse") -> NDArray[np.floating]:
    """Let through what fits 16 bits; treat the rest as asked.

    Args:
        audio: Samples with full scale at 1, shape (n_samples,).
        way: Whether a doubtful sound is refused, taken as it is ("clip"), or divided so that it
            fits ("scale"). One that is not finite is always refused.

    Raises:
        ValueError: If the sound is refused; the message is the reason.
    """
    fault = value_fault(audio)
    if fault is None:
        return audio
    if fault.rule == "finite":
        raise InvalidError(fault.what)
    if way == "refuse":
        raise InvalidError(f"{fault.what}; mend it, or give --scale or --clip")
    return audio / fault.divisor if way == "scale" else audio


def _beyond(peak: float, is_whole: Callable[[], bool]) -> ValueFault:
    # Quiet integers are known by having no fractions.
    if peak <= _INTEGER_PEAK and not (peak >= 2 and is_whole()):
        return ValueFault("peak", f"peaks at {peak:.6g}, above full scale (1)", peak)
    for bits in _INTEGER_BITS:
        scale = float(1 << (bits - 1))
        if peak <= scale:
            what = f"as {bits}-bit integers that nobody divided by {scale:.0f}"
            return ValueFault("integers", f"peaks at {peak:.6g}, {what}", scale)
    return ValueFault("integers", f"peaks at {peak:.6g}, more than integers of 32 bits", peak)
