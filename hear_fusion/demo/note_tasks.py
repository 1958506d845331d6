"""The demonstration's tasks from recorded notes: instrument family, pitch, and note events.

Splits go by groups of presets that share recordings, so that no recording of a test note has been
heard in training. The tests read these groups from the SoundFont and hold the splits against them.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hear_fusion.demo.plan import (
    EVENT_PARAM_GRID,
    MODE,
    SOUNDFONT_SOURCE,
    SYNTH_SOURCE,
    VERSION,
    TaskPlan,
    demo_extras,
    scene_metadata,
)
from hear_fusion.demo.synthesis.notes import PACKAGES, Note, Phrase, render_phrases
from hear_fusion.tasks.schema import TRAIN_VALID_TEST, Clip, Event, TaskMetadata
from hear_fusion.tasks.writer import Recording

_SPLIT_RULE = "by connected groups of presets that share recordings: no recording is in two splits"


@dataclass(frozen=True)
class Family:
    """A family of instruments.

    Attributes:
        low, high: The keys it plays, both included; 60 is middle C.
        train, valid, test: Its General MIDI programs (0 to 127) in each split.
    """

    low: int
    high: int
    train: tuple[int, ...]
    valid: tuple[int, ...]
    test: tuple[int, ...]

    def programs(self, split: str) -> tuple[int, ...]:
        """Look up the programs of one split."""
        return {"train": self.train, "valid": self.valid, "test": self.test}[split]


FAMILIES = {
    "bass": Family(28, 55, (33, 35, 36, 38, 39), (34,), (32, 37)),
    "brass": Family(48, 72, (61, 62, 63), (56,), (57, 58, 59, 60)),
    "guitar": Family(45, 72, (24, 25, 27, 28, 29, 30), (31,), (26,)),
    "keyboard": Family(45, 79, (0, 1, 2, 3, 6, 7), (4,), (5,)),
    "mallets": Family(55, 84, (8, 9, 11, 13, 15), (10,), (12, 14)),
    "organ": Family(48, 79, (20, 21, 22, 23), (17, 18), (16, 19)),
    "pipes": Family(60, 84, (72, 74, 75, 76), (79,), (73, 77)),
    "reeds": Family(52, 79, (64, 66, 69, 70), (71,), (67, 68)),
    "strings": Family(45, 79, (40, 41, 44, 48, 49, 51), (50,), (42, 43)),
}
PITCHES = range(48, 72)
PITCH_PROGRAMS = {
    "train": (0, 2, 6, 8, 20, 21, 24, 27, 29, 40, 48, 61, 62, 64, 69, 81),
    "valid": (11, 36, 50, 71),
    "test": (4, 26, 42, 56, 68, 73),
}
EVENT_FAMILIES = ("bass", "mallets", "pipes", "reeds")


def plan_instruments() -> TaskPlan:
    """Plan the task: which family plays? Presets of the test split are never heard in training."""
    rng = random.Random("demo instruments")
    clips, phrases = [], []
    for split, count in zip(TRAIN_VALID_TEST, (24, 8, 12), strict=True):
        for label, family in FAMILIES.items():
            for index in range(count):
                program = _take(family.programs(split), index)
                key = rng.randint(family.low, family.high)
                clips.append(Clip(f"instrument_{label}_{split}_{index:02}.wav", split, (label,)))
                phrases.append(_single_note(rng, program, key))
    extras = _extras("Instrument family of one note.")
    return _plan(
        scene_metadata("demo_instruments", 1.5, extras, "top1_acc", "mAP"),
        clips,
        phrases,
    )


def plan_pitches() -> TaskPlan:
    """Plan the task: which key is played? By instruments that are not heard in training."""
    rng = random.Random("demo pitches")
    clips, phrases = [], []
    for split, count in zip(TRAIN_VALID_TEST, (9, 3, 5), strict=True):
        for key in PITCHES:
            for index in range(count):
                # Steps through the programs, so that neighbouring keys are played by others.
                program = _take(PITCH_PROGRAMS[split], index + key)
                clips.append(Clip(f"pitch_{key}_{split}_{index:02}.wav", split, (key,)))
                phrases.append(_single_note(rng, program, key))
    extras = _extras("MIDI key of one note (48 to 71: C3 to B4).")
    return _plan(
        scene_metadata("demo_pitches", 1.5, extras, "pitch_acc", "chroma_acc"),
        clips,
        phrases,
    )


def plan_events() -> TaskPlan:
    """Plan the task: which families play when? Five seconds of timed notes a clip."""
    rng = random.Random("demo events")
    clips, phrases = [], []
    for split, count in zip(TRAIN_VALID_TEST, (18, 6, 9), strict=True):
        for index in range(count):
            notes: list[Note] = []
            events: list[Event] = []
            for label in rng.sample(EVENT_FAMILIES, 2):
                family = FAMILIES[label]
                program = rng.choice(family.programs(split))
                for start_ms, end_ms in _timed_notes(rng, 5000):
                    key, velocity = rng.randint(family.low, family.high), rng.randint(80, 120)
                    notes.append(Note(program, key, velocity, start_ms, end_ms))
                    events.append(Event(label, float(start_ms), float(end_ms)))
            events.sort(key=lambda event: (event.start_ms, event.label))
            clips.append(Clip(f"event_{split}_{index:02}.wav", split, events=tuple(events)))
            phrases.append(Phrase(tuple(notes), 5000, peak_db=-3.0))
    return _plan(
        TaskMetadata(
            task_name="demo_events",
            version=VERSION,
            mode=MODE,
            embedding_type="event",
            prediction_type="multilabel",
            splits=TRAIN_VALID_TEST,
            sample_duration=5.0,
            evaluation=("event_onset_200ms_fms", "segment_1s_er"),
            evaluation_params={
                "event_postprocessing_grid": {"median_filter_ms": [120], "min_duration": [80, 160]},
                "task_specific_param_grid": EVENT_PARAM_GRID,
            },
            extras=_extras("Onset, end and instrument family of notes, two families at a time."),
        ),
        clips,
        phrases,
    )


def _plan(metadata: TaskMetadata, clips: list[Clip], phrases: list[Phrase]) -> TaskPlan:
    def render() -> Iterator[Recording]:
        return render_phrases(phrases)

    return TaskPlan(metadata, clips, phrases, PACKAGES, render)


def _extras(description: str) -> dict[str, object]:
    return demo_extras(description, _SPLIT_RULE, SOUNDFONT_SOURCE, SYNTH_SOURCE)


def _take(programs: Sequence[int], index: int) -> int:
    return programs[index % len(programs)]


def _single_note(rng: random.Random, program: int, key: int) -> Phrase:
    start_ms = rng.randrange(0, 200)
    held_ms = rng.randrange(400, 1100)
    note = Note(program, key, rng.randint(60, 120), start_ms, start_ms + held_ms)
    return Phrase((note,), 1500, peak_db=rng.uniform(-18.0, -3.0))


def _timed_notes(rng: random.Random, duration_ms: int) -> Iterator[tuple[int, int]]:
    """Yield starts and ends of one part: a note, a rest, and so on."""
    start_ms = rng.randrange(100, 700)
    while (end_ms := start_ms + rng.randrange(240, 600)) < duration_ms - 200:
        yield start_ms, end_ms
        start_ms = end_ms + rng.randrange(150, 700)
