"""Recorded instrument notes: phrases played from the SoundFont TimGM6mb."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hear_fusion.demo.synthesis.packages import PINS, package_folder, require_packages
from hear_fusion.demo.synthesis.rendering import at_level, render
from hear_fusion.errors import InvalidError
from hear_fusion.files.hashing import file_sha256
from hear_fusion.tasks.writer import Recording

PACKAGES = ("tinysoundfont", "pretty_midi")
# Which of its presets share recordings decides the splits, and is known of this very file.
SOUNDFONT_SHA256 = "82475b91a76de15cb28a104707d3247ba932e228bada3f47bba63c6b31aaf7a1"


@dataclass(frozen=True)
class Note:
    """A note of one instrument.

    Attributes:
        program: General MIDI program, 0 to 127.
        key: MIDI key, 0 to 127; 60 is middle C.
        velocity: How hard it is struck, 1 to 127.
        start_ms, end_ms: When the key goes down and up.
    """

    program: int
    key: int
    velocity: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Phrase:
    """What one clip plays.

    Attributes:
        notes: At most 16, each on a channel of its own.
        duration_ms: Length of the clip.
        peak_db: Peak in dB relative to full scale, at most 0.
    """

    notes: tuple[Note, ...]
    duration_ms: int
    peak_db: float


def soundfont_path() -> Path:
    """Find TimGM6mb.sf2 inside the package pretty_midi, which is not imported.

    Raises:
        PackagesMissingError: If the package is not installed.
        ValueError: If the file is another one.
    """
    path = package_folder("pretty_midi") / "TimGM6mb.sf2"
    digest = file_sha256(path)
    if digest != SOUNDFONT_SHA256:
        raise InvalidError(
            f"the SoundFont must be the one whose recordings the splits keep apart, SHA-256 "
            f"{SOUNDFONT_SHA256}, got {digest} in {path}; run 'python -m pip install --no-deps "
            f"--force-reinstall {PINS['pretty_midi']}'"
        )
    return path


def render_phrases(phrases: Sequence[Phrase]) -> Iterator[Recording]:
    """Play each phrase.

    Raises:
        PackagesMissingError: If a package of the extra ``demo`` is not installed.
        ValueError: If the SoundFont is another one, or a phrase is silent.
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
