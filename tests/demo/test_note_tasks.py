from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from hear_fusion.demo.note_tasks import (
    EVENT_FAMILIES,
    FAMILIES,
    PITCHES,
    plan_events,
    plan_instruments,
    plan_pitches,
)
from hear_fusion.demo.plan import TaskPlan
from hear_fusion.demo.synthesis import notes
from hear_fusion.demo.synthesis.notes import Note, Phrase, render_phrases, soundfont_path
from hear_fusion.demo.synthesis.rendering import RenderError, render
from hear_fusion.tasks.schema import TRAIN_VALID_TEST
from tests.demo.synthesis.soundfont import Preset, preset_groups

PLANS = (plan_instruments, plan_pitches, plan_events)
Planner = Callable[[], TaskPlan]
Groups = list[list[Preset]]


@pytest.fixture(scope="module")
def groups() -> Groups:
    return preset_groups(soundfont_path())


def phrases_of(plan: TaskPlan) -> list[Phrase]:
    return cast("list[Phrase]", list(plan.jobs))


def heard(groups: Groups, plan: TaskPlan, phrases: Sequence[Phrase]) -> dict[str, set[Preset]]:
    """Find every preset that shares a recording with one that a split plays."""
    found: dict[str, set[Preset]] = {split: set() for split in TRAIN_VALID_TEST}
    for clip, phrase in zip(plan.clips, phrases, strict=True):
        for note in phrase.notes:
            (group,) = (group for group in groups if (0, note.program) in group)
            found[clip.split] |= set(group)
    return found


def test_groups_are_those_known_of_this_soundfont(groups: Groups) -> None:
    assert [(0, 0), (0, 1), (0, 2), (0, 3)] in groups, "its four pianos are one set of recordings"
    assert len(groups) > 40


@pytest.mark.parametrize("planner", PLANS)
def test_no_recording_is_in_two_splits(planner: Planner, groups: Groups) -> None:
    plan = planner()
    presets = heard(groups, plan, phrases_of(plan))
    assert all(presets.values())
    assert not presets["train"] & presets["test"]
    assert not presets["train"] & presets["valid"]
    assert not presets["valid"] & presets["test"]


def test_a_leak_would_be_found(groups: Groups) -> None:
    plan = plan_instruments()
    phrases = phrases_of(plan)
    assert plan.clips[-1].split == "test"
    # Piano 2 in the test split; Piano 1 has its recordings and is in the training split.
    phrases[-1] = replace(phrases[-1], notes=(Note(1, 60, 100, 0, 500),))
    presets = heard(groups, plan, phrases)
    assert (0, 0) in presets["train"] & presets["test"]


def test_another_soundfont_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "TimGM6mb.sf2"
    other.write_bytes(soundfont_path().read_bytes()[:-1] + b"x")
    monkeypatch.setattr(notes, "package_folder", lambda _: tmp_path)
    with pytest.raises(ValueError, match=r"the SoundFont must be .* got [0-9a-f]{64} in .*==0\.2"):
        list(render_phrases([Phrase((Note(0, 60, 100, 0, 900),), 1000, peak_db=-6.0)]))


@pytest.mark.parametrize("planner", PLANS)
def test_plans_are_the_same_each_time_and_every_clip_differs(planner: Planner) -> None:
    plan = planner()
    assert planner().clips == plan.clips
    assert list(planner().jobs) == list(plan.jobs)
    assert len(set(phrases_of(plan))) == len(plan.clips)


def test_every_family_is_in_every_split() -> None:
    for split in TRAIN_VALID_TEST:
        labels = [clip.labels[0] for clip in plan_instruments().clips if clip.split == split]
        assert set(labels) == set(FAMILIES)


def test_every_pitch_is_in_every_split_and_is_what_is_played() -> None:
    plan = plan_pitches()
    for split in TRAIN_VALID_TEST:
        labels = [clip.labels[0] for clip in plan.clips if clip.split == split]
        assert set(labels) == set(PITCHES)
    for clip, phrase in zip(plan.clips, phrases_of(plan), strict=True):
        assert clip.labels == (phrase.notes[0].key,)


def test_events_are_the_notes() -> None:
    plan = plan_events()
    for clip, phrase in zip(plan.clips, phrases_of(plan), strict=True):
        played = sorted((note.start_ms, note.end_ms) for note in phrase.notes)
        labelled = sorted((event.start_ms, event.end_ms) for event in clip.events)
        assert played == labelled
        for event in clip.events:
            (note,) = (
                n
                for n in phrase.notes
                if (n.start_ms, n.end_ms) == (event.start_ms, event.end_ms)
                and n.program in FAMILIES[str(event.label)].programs(clip.split)
            )
            assert note.velocity >= 80
    assert {event.label for clip in plan.clips for event in clip.events} == set(EVENT_FAMILIES)


def test_a_note_sounds_from_its_start_in_milliseconds() -> None:
    phrase = Phrase((Note(16, 60, 100, 250, 500), Note(56, 72, 100, 700, 900)), 1000, peak_db=-6.0)
    (recording,) = render_phrases([phrase])
    assert recording.sample_rate == 48000
    assert recording.audio.shape == (48000,)
    assert np.abs(recording.audio).max() == pytest.approx(10 ** (-6 / 20))
    sounding = np.abs(recording.audio) > 1e-3
    assert not sounding[: 48 * 250].any()
    assert sounding[48 * 250 : 48 * 270].any()
    assert np.abs(recording.audio[48 * 720 : 48 * 880]).max() > 0.1
    assert np.abs(recording.audio[48 * 980 :]).max() < 0.1  # released


def test_a_note_has_the_pitch_of_its_key() -> None:
    (recording,) = render_phrases([Phrase((Note(73, 69, 100, 0, 1000),), 1000, peak_db=0.0)])
    spectrum = np.abs(np.fft.rfft(recording.audio * np.hanning(48000)))
    assert np.argmax(spectrum[300:600]) + 300 == pytest.approx(440, abs=4)


def test_phrases_do_not_depend_on_the_ones_before() -> None:
    one = Phrase((Note(0, 60, 100, 0, 900),), 1000, peak_db=-6.0)
    other = Phrase((Note(48, 64, 100, 0, 900),), 1000, peak_db=-6.0)
    first, _, again = render_phrases([one, other, one])
    np.testing.assert_array_equal(first.audio, again.audio)


def test_silence_is_an_error() -> None:
    with pytest.raises(ValueError, match="audio must not be silent"):
        list(render_phrases([Phrase((), 100, peak_db=-6.0)]))


def test_a_worker_that_fails_says_why() -> None:
    job = {"soundfont": "/nowhere/at all.sf2", "duration_ms": 100, "notes": []}
    with pytest.raises(RenderError, match=r"(?s)got exit status 1 .* said: .*Error"):
        list(render("hear_fusion.demo.synthesis.notes_worker", [job]))


def test_a_worker_is_gone_when_nobody_listens() -> None:
    phrases = [Phrase((Note(0, 60, 100, 0, 900),), 3000, peak_db=-6.0)] * 200
    sounds = render_phrases(phrases)
    assert next(sounds).audio.size == 144000
    sounds.close()  # type: ignore[attr-defined]  # returns only after the worker has ended
    with pytest.raises(StopIteration):
        next(sounds)
