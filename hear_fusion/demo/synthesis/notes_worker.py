"""Child process that plays notes of a SoundFont; see ``notes`` for the jobs."""

from typing import Any

import numpy as np
import tinysoundfont

from hear_fusion.demo.synthesis.rendering import Rendering, serve

# The synthesiser reads recordings with linear interpolation; well above the rates of the tasks,
# and resampled properly afterwards, that stays inaudible.
_RATE = 48000
_DRUMS = 9  # the channel that General MIDI keeps for percussion


def render_phrase(job: dict[str, Any]) -> Rendering:
    """Play one phrase from a fresh synthesiser, so that no clip depends on the one before."""
    synth = tinysoundfont.Synth(samplerate=_RATE)
    font = synth.sfload(job["soundfont"])
    moves: list[tuple[int, bool, int, int, int]] = []
    for index, (program, key, velocity, start_ms, end_ms) in enumerate(job["notes"]):
        channel = index + (index >= _DRUMS)
        synth.program_select(channel, font, 0, program)
        moves.append((start_ms * _RATE // 1000, True, channel, key, velocity))
        moves.append((end_ms * _RATE // 1000, False, channel, key, 0))

    stretches: list[bytes] = []
    now, n_samples = 0, job["duration_ms"] * _RATE // 1000
    for at, starts, channel, key, velocity in sorted(moves):
        if at > now:
            stretches.append(bytes(synth.generate(at - now)))
            now = at
        if starts:
            synth.noteon(channel, key, velocity)
        else:
            synth.noteoff(channel, key)
    if n_samples > now:
        stretches.append(bytes(synth.generate(n_samples - now)))
    stereo = np.frombuffer(b"".join(stretches), np.float32).reshape(-1, 2)
    return stereo.mean(axis=1, dtype=np.float32), _RATE


if __name__ == "__main__":
    serve(render_phrase)
