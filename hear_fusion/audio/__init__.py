"""People's sound files: decode, check, resample."""

from hear_fusion.audio.arrays import mono
from hear_fusion.audio.decoding import Sound, UnreadableSoundError, decode, read_sound
from hear_fusion.audio.resampling import resample
from hear_fusion.audio.values import Way, fitted, value_fault

__all__ = [
    "Sound",
    "UnreadableSoundError",
    "Way",
    "decode",
    "fitted",
    "mono",
    "read_sound",
    "resample",
    "value_fault",
]
