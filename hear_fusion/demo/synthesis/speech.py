"""Synthesised speech: utterances spoken by espeak-ng."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from hear_fusion.demo.synthesis.packages import package_folder, require_packages
from hear_fusion.demo.synthesis.rendering import at_level, render
from hear_fusion.errors import InvalidError
from hear_fusion.tasks.writer import Recording

PACKAGES = ("espeakng_loader",)


@dataclass(frozen=True)
class Utterance:
    """A text as one voice says it.

    Attributes:
        text: What is said.
        language: Language code of espeak-ng, such as "en-us".
        variant: Voice variant of espeak-ng, such as "f2"; the speaker.
        words_per_minute: Speed, 80 to 450.
        pitch: Height of the voice within the variant, 0 to 99; 50 is its own.
        intonation: Liveliness, 0 to 99; 50 is its own.
        delay_ms: Silence before it.
        peak_db: Peak in dB relative to full scale.
    """

    text: str
    language: str
    variant: str
    words_per_minute: int = 175
    pitch: int = 50
    intonation: int = 50
    delay_ms: int = 0
    peak_db: float = -6.0


def render_utterances(utterances: Sequence[Utterance]) -> Iterator[Recording]:
    """Speak each utterance, all in one fresh process.

    Raises:
        PackagesMissingError: If a package of the extra ``demo`` is not installed.
        ValueError: If espeak-ng lacks a variant, or says nothing.
    """
    require_packages(PACKAGES)
    # espeak-ng takes its standard voice, without a word, for a variant that it does not know.
    variants = package_folder("espeakng_loader") / "espeak-ng-data" / "voices" / "!v"
    for variant in sorted({utterance.variant for utterance in utterances}):
        if not (variants / variant).is_file():
            raise InvalidError(f"variant must be a voice variant of espeak-ng, got {variant!r}")
    sounds = render(
        "hear_fusion.demo.synthesis.speech_worker", [asdict(each) for each in utterances]
    )
    for utterance, (audio, rate) in zip(utterances, sounds, strict=True):
        silence = np.zeros(utterance.delay_ms * rate // 1000)
        yield Recording(np.concatenate([silence, at_level(audio, utterance.peak_db)]), rate)
