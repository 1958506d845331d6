from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from hear_fusion.demo.plan import TaskPlan
from hear_fusion.demo.speech_tasks import plan_languages, plan_voices, plan_words
from hear_fusion.demo.synthesis import speech_worker
from hear_fusion.demo.synthesis.packages import package_folder
from hear_fusion.demo.synthesis.speech import Utterance, render_utterances
from hear_fusion.demo.texts import SENTENCES, WORDS
from hear_fusion.tasks.schema import TRAIN_VALID_TEST

PLANS = (plan_words, plan_languages, plan_voices)
Planner = Callable[[], TaskPlan]


def heard(plan: TaskPlan, field: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {split: set() for split in TRAIN_VALID_TEST}
    for clip, utterance in zip(plan.clips, cast("list[Utterance]", plan.jobs), strict=True):
        found[clip.split].add(getattr(utterance, field))
    assert all(found.values())
    return found


def disjoint(found: dict[str, set[str]]) -> bool:
    return len(set().union(*found.values())) == sum(map(len, found.values()))


def test_test_words_are_said_by_unknown_speakers() -> None:
    plan = plan_words()
    assert disjoint(heard(plan, "variant"))
    assert heard(plan, "text") == {split: set(WORDS) for split in TRAIN_VALID_TEST}


def test_test_languages_have_unknown_speakers_and_unknown_texts() -> None:
    plan = plan_languages()
    assert disjoint(heard(plan, "variant"))
    assert disjoint(heard(plan, "text"))
    assert heard(plan, "language") == {split: set(SENTENCES) for split in TRAIN_VALID_TEST}


def test_test_voices_say_unknown_texts() -> None:
    plan = plan_voices()
    assert disjoint(heard(plan, "text"))
    speakers = heard(plan, "variant")
    assert speakers["train"] == speakers["valid"] == speakers["test"]


@pytest.mark.parametrize("planner", PLANS)
def test_labels_are_what_is_said(planner: Planner) -> None:
    plan = planner()
    for clip, utterance in zip(plan.clips, cast("list[Utterance]", plan.jobs), strict=True):
        label = str(clip.labels[0])
        spoken = (utterance.text, utterance.language.partition("-")[0], utterance.variant)
        assert spoken[PLANS.index(planner)] == label


@pytest.mark.parametrize("planner", PLANS)
def test_plans_are_the_same_each_time_and_every_clip_differs(planner: Planner) -> None:
    plan = planner()
    assert planner().clips == plan.clips
    assert list(planner().jobs) == list(plan.jobs)
    assert len(set(plan.jobs)) == len(plan.clips)


def test_sentences_are_written_once() -> None:
    sentences = [sentence for texts in SENTENCES.values() for sentence in texts]
    assert len(set(sentences)) == len(sentences) == 11 * len(SENTENCES)


def test_every_speaker_is_a_variant_of_espeak() -> None:
    variants = package_folder("espeakng_loader") / "espeak-ng-data" / "voices" / "!v"
    known = {path.name for path in variants.iterdir()}
    assert {job.variant for plan in PLANS for job in cast("list[Utterance]", plan().jobs)} <= known


def test_speech_has_a_delay_a_peak_and_a_rate() -> None:
    (recording,) = render_utterances([Utterance("seven", "en", "m1", delay_ms=100, peak_db=-6.0)])
    assert recording.sample_rate == 22050
    assert not recording.audio[:2205].any()
    assert np.abs(recording.audio).max() == pytest.approx(10 ** (-6 / 20))
    assert 0.2 < recording.audio.size / 22050 < 1.0


def test_voice_language_and_speed_are_heard() -> None:
    plain = Utterance("seven", "en", "m1", words_per_minute=120)
    others = [
        Utterance("seven", "en", "f1", words_per_minute=120),
        Utterance("seven", "de", "m1", words_per_minute=120),
        Utterance("seven", "en", "m1", words_per_minute=120, pitch=90),
        Utterance("eight", "en", "m1", words_per_minute=120),
    ]
    (first,) = render_utterances([plain])
    for other in others:
        (sound,) = render_utterances([other])
        assert not np.array_equal(sound.audio, first.audio)
    (fast,) = render_utterances([Utterance("seven", "en", "m1", words_per_minute=240)])
    assert fast.audio.size < 0.8 * first.audio.size


def test_an_unknown_variant_is_an_error() -> None:
    with pytest.raises(ValueError, match="variant must be a voice variant of espeak-ng"):
        list(render_utterances([Utterance("seven", "en", "nobody")]))


def test_a_long_data_path_is_shortened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = package_folder("espeakng_loader") / "espeak-ng-data"
    with speech_worker.short_data_parent(data) as parent:
        assert parent == data.parent
    buried = tmp_path / ("with spaces " * 10) / ("deep" * 20) / "espeak-ng-data"
    buried.parent.mkdir(parents=True)
    buried.symlink_to(data)
    monkeypatch.setattr("tempfile.tempdir", str(buried.parent))  # too long to help, too
    with speech_worker.short_data_parent(buried) as parent:
        assert len(str(parent)) < 120
        assert (parent / "espeak-ng-data" / "en_dict").is_file()
    assert not parent.exists()
