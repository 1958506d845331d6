"""People's sound files: decode, check, resample."""

from hear_fusion.audio.decoding import UnreadableSoundError, decode
from hear_fusion.audio.resampling import resample

__all__ = ["UnreadableSoundError", "decode", "resample"]
