"""The demonstration's tasks from synthesised speech: words, languages and voices.

A test voice (words, languages) or a test text (languages, voices) is never heard in training.
"""

import random
from collections.abc import Iterator

from hear_fusion.demo.plan import (
    SPEECH_SOURCE,
    TEXT_SOURCE,
    TaskPlan,
    demo_extras,
    scene_metadata,
)
from hear_fusion.demo.synthesis.speech import PACKAGES, Utterance, render_utterances
from hear_fusion.demo.texts import PHRASES, SENTENCES, WORDS
from hear_fusion.tasks.schema import TRAIN_VALID_TEST, Clip, TaskMetadata
from hear_fusion.tasks.writer import Recording

# Speakers (voice variants of espeak-ng) by split.
SPEAKERS = {
    "train": (
        "f1", "f3", "f4", "m1", "m3", "m5", "m7", "Alicia", "Andy", "Diogo", "Mario", "adam",
        "anika", "belinda", "benjamin", "caleb", "david", "ed", "gustave", "john",
    ),
    "valid": ("f2", "m2", "m8", "Annie", "linda", "max"),
    "test": ("f5", "m4", "m6", "Gene", "Lee", "Michael", "steph", "pablo"),
}  # fmt: skip
VOICES = ("f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7")
# English accents of espeak-ng: one word sounds different in each.
ACCENTS = ("en-us", "en", "en-gb-scotland", "en-029")
_SENTENCES_IN = {"train": slice(0, 6), "valid": slice(6, 8), "test": slice(8, 11)}


def plan_words() -> TaskPlan:
    """Plan the task: which word is said? By speakers that are not heard in training."""
    rng = random.Random("demo words")
    clips, utterances = [], []
    for split in TRAIN_VALID_TEST:
        for index, speaker in enumerate(SPEAKERS[split]):
            for word in WORDS:
                clips.append(Clip(f"word_{word}_{split}_{index:02}.wav", split, (word,)))
                utterances.append(_vary(rng, word, rng.choice(ACCENTS), speaker, spread=25))
    return _plan(
        _metadata(
            "demo_words",
            1.0,
            "One of twelve English words, in pairs that sound alike, in four accents.",
            "by speaker (voice variant)",
        ),
        clips,
        utterances,
    )


def plan_languages() -> TaskPlan:
    """Plan the task: which language is spoken? Neither text nor speaker is heard in training."""
    rng = random.Random("demo languages")
    clips, utterances = [], []
    for split, repeats in zip(TRAIN_VALID_TEST, (4, 3, 4), strict=True):
        for language, sentences in SENTENCES.items():
            label = language.partition("-")[0]
            for number, sentence in enumerate(sentences[_SENTENCES_IN[split]]):
                for repeat, speaker in enumerate(rng.sample(SPEAKERS[split], repeats)):
                    name = f"language_{label}_{split}_{number}_{repeat}.wav"
                    clips.append(Clip(name, split, (label,)))
                    utterances.append(_vary(rng, sentence, language, speaker, spread=25))
    return _plan(
        _metadata(
            "demo_languages",
            2.5,
            "Language of a sentence, out of eight.",
            "by sentence and by speaker (voice variant)",
        ),
        clips,
        utterances,
    )


def plan_voices() -> TaskPlan:
    """Plan the task: who speaks? Saying what is not heard in training."""
    rng = random.Random("demo voices")
    clips, utterances = [], []
    for split in TRAIN_VALID_TEST:
        for index, phrase in enumerate(PHRASES[split]):
            for voice in VOICES:
                clips.append(Clip(f"voice_{voice}_{split}_{index:02}.wav", split, (voice,)))
                # The pitch wanders, or it alone would tell the voices apart.
                utterances.append(_vary(rng, phrase, rng.choice(ACCENTS), voice, spread=40))
    return _plan(
        _metadata(
            "demo_voices",
            1.5,
            "Speaker of a phrase, out of twelve voice variants.",
            "by phrase",
        ),
        clips,
        utterances,
    )


def _metadata(name: str, seconds: float, description: str, split_rule: str) -> TaskMetadata:
    extras = demo_extras(description, split_rule, SPEECH_SOURCE, TEXT_SOURCE)
    return scene_metadata(name, seconds, extras, "top1_acc", "mAP")


def _plan(metadata: TaskMetadata, clips: list[Clip], utterances: list[Utterance]) -> TaskPlan:
    def render() -> Iterator[Recording]:
        return render_utterances(utterances)

    return TaskPlan(metadata, clips, utterances, PACKAGES, render)


def _vary(rng: random.Random, text: str, language: str, speaker: str, *, spread: int) -> Utterance:
    return Utterance(
        text=text,
        language=language,
        variant=speaker,
        words_per_minute=rng.randint(140, 210),
        pitch=rng.randint(50 - spread, 50 + spread),
        intonation=rng.randint(30, 70),
        delay_ms=rng.randrange(0, 200),
        peak_db=rng.uniform(-18.0, -3.0),
    )
