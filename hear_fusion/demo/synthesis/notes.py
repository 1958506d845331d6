"""Recorded instrument notes: phrases played from the SoundFont TimGM6mb."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hear_fusion.demo.synthesis.packages import package_folder, require_packages
from hear_fusion.demo.synthesis.rendering import at_level, command, render
from hear_fusion.demo.synthesis.soundfont import Preset
from hear_fusion.parallel.processes import child_environment
from hear_fusion.tasks.writer import Recording

PACKAGES = ("tinysoundfont", "pretty_midi")


@dataclass(frozen=True)
class Note:
    """A note of a General MIDI program (0 to 127), its key (60 is middle C) and its times."""

    program: int
    key: int
    velocity: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Phrase:
    """The notes of one clip (16 at most), its length, and its peak in dB below full scale."""

    notes: tuple[Note, ...]
    duration_ms: int
    peak_db: float


def soundfont_path() -> Path:
    """Path of TimGM6mb.sf2 inside the package pretty_midi, which is not imported."""
    return package_folder("pretty_midi") / "TimGM6mb.sf2"


def read_preset_groups() -> list[list[Preset]]:
    """Groups of presets that share recordings, read by a process of its own."""
    asked = command("hear_fusion.demo.synthesis.soundfont", str(soundfont_path()))
    answer = subprocess.run(asked, env=child_environment(), check=True, stdout=subprocess.PIPE)
    return [[(bank, program) for bank, program in group] for group in json.loads(answer.stdout)]


def render_phrases(phrases: Sequence[Phrase]) -> Iterator[Recording]:
    """Play each phrase.

    Raises:
        PackagesMissingError: If a package of the extra ``demo`` is not installed.
        ValueError: If a phrase is silent.
    """
    require_packages(PACKAGES)
    font = str(soundfont_path())
    jobs = [
        {
            "soundfont": font,
            "duration_ms": phrase.duration_ms,
            "notes": [(n.program, n.key, n.velocity, n.start_ms, n.end_ms) for n in phrase.notes],
        }
        for phrase in phrases
    ]
    sounds = render("hear_fusion.demo.synthesis.notes_worker", jobs)
    for phrase, (audio, rate) in zip(phrases, sounds, strict=True):
        yield Recording(at_level(audio, phrase.peak_db), rate)
