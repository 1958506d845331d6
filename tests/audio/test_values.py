"""Values that 16 bits would cut off or silence: by subtype and fault, and in every verb."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from numpy.typing import NDArray

from hear_fusion.audio import Way, decode, fitted, read_sound, value_fault
from hear_fusion.cli import main
from hear_fusion.datasets.prepare import prepare
from hear_fusion.errors import InvalidError
from hear_fusion.tasks.check import check_task
from tests.datasets.miniature import write_files
from tests.datasets.miniatures import MINIATURES
from tests.tasks.hear_tasks import write_scene_task

N = 8000
Samples = NDArray[np.float64]
TONE: Samples = 0.3 * np.sin(2 * np.pi * 440 * np.arange(N) / 16000)
FLOATS = ("FLOAT", "DOUBLE")
INTEGERS = ("PCM_16", "PCM_24", "PCM_32")
# By name: the sound, whose subtypes can hold it, the rule that it breaks ("" for none), and what
# --scale makes its peak; None where nothing can make it a sound.
FAULTS: dict[str, tuple[Samples, tuple[str, ...], str, float | None]] = {
    "good": (TONE, FLOATS + INTEGERS, "", 0.3),
    "full scale": (TONE / 0.3, FLOATS + INTEGERS, "", 1.0),
    "zeros": (np.zeros(N), FLOATS + INTEGERS, "", 0.0),
    "quiet": (TONE * 1e-3, FLOATS + INTEGERS, "", 3e-4),
    "16-bit integers": (20000 * TONE / 0.3, FLOATS, "integers", 20000 / 32768),
    "quiet 16-bit integers": (np.rint(30 * TONE / 0.3), FLOATS, "integers", 30 / 32768),
    "24-bit integers": (4e6 * TONE / 0.3, FLOATS, "integers", 4e6 / 2**23),
    "32-bit integers": (1e9 * TONE / 0.3, FLOATS, "integers", 1e9 / 2**31),
    "beyond all integers": (1e12 * TONE / 0.3, FLOATS, "integers", 1.0),
    "a little hot": (1.001 * TONE / 0.3, FLOATS, "peak", 1.0),
    "hot": (9 * TONE / 0.3, FLOATS, "peak", 1.0),
    "very hot": (99 * TONE / 0.3, FLOATS, "peak", 1.0),
    "NaN": (np.where(np.arange(N) == 5, np.nan, TONE), FLOATS, "finite", None),
    "infinity": (np.where(np.arange(N) == 5, -np.inf, TONE), FLOATS, "finite", None),
    "constant": (np.full(N, 0.25), FLOATS + INTEGERS, "constant", 0.25),
    "divided twice": (TONE / 32768, (*FLOATS, "PCM_24", "PCM_32"), "silenced", 1.0),
}
CASES = [(name, subtype) for name, (_, subtypes, *_) in FAULTS.items() for subtype in subtypes]


def encoded(samples: Samples, subtype: str, rate: int = 16000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype=subtype, format="WAV")
    return file.getvalue()


@pytest.mark.parametrize(("name", "subtype"), CASES)
def test_every_subtype_and_fault(name: str, subtype: str) -> None:
    samples, _, rule, scaled_peak = FAULTS[name]
    data = encoded(samples, subtype)
    found = value_fault(read_sound(data, "float32", keep_integers=True).samples)
    assert (found.rule if found else "") == rule
    audio = read_sound(data).samples[:, 0]
    if not rule:
        assert fitted(audio) is audio, "a good sound is left as it is"
    elif scaled_peak is None:
        with pytest.raises(ValueError, match="NaN or infinite"):
            decode(data)
        for way in ("refuse", "clip", "scale"):
            with pytest.raises(InvalidError, match="NaN or infinite"):
                fitted(audio, way)
    else:
        with pytest.raises(InvalidError, match=r"--scale or --clip"):
            fitted(audio)
        np.testing.assert_array_equal(fitted(audio, "clip"), audio)
        scaled = fitted(audio, "scale")
        assert np.abs(scaled).max() == pytest.approx(scaled_peak, rel=0.01)
        np.testing.assert_allclose(scaled * np.abs(audio).max(), audio * np.abs(scaled).max())


@pytest.mark.parametrize("subtype", FLOATS + INTEGERS)
def test_channels_that_cancel_each_other_are_no_silence(subtype: str) -> None:
    data = encoded(np.stack([TONE, -TONE], axis=1), subtype)
    with pytest.raises(ValueError, match="its channels cancel each other"):
        decode(data)
    silent, _ = decode(encoded(np.zeros((N, 2)), subtype))
    assert not silent.any()


DOUBTFUL = {"peak": 1.5 * TONE / 0.3, "integers": 20000 * TONE / 0.3, "constant": np.full(N, 0.25)}
MENDED: dict[str, Callable[[Samples], Samples]] = {
    "peak": lambda made: made / np.abs(made).max(),
    "integers": lambda made: made / (20000 / 32768),
    "constant": lambda made: made,
}


@pytest.mark.parametrize("rule", DOUBTFUL)
def test_check_notes_and_resample_refuses_until_it_is_told_how(tmp_path: Path, rule: str) -> None:
    task = write_scene_task(tmp_path / "tones-v1-full", n_clips=3)
    metadata = json.loads((task / "task_metadata.json").read_text())
    (task / "task_metadata.json").write_text(json.dumps({**metadata, "evaluation": ["top1_acc"]}))
    bad = task / "16000" / "test" / "tones-v1-full_test_1.wav"
    bad.write_bytes(encoded(DOUBTFUL[rule], "FLOAT"))
    (found,) = check_task(task).findings
    assert (found.severity, found.rule) == ("note", rule)
    assert found.where == "16000/test/tones-v1-full_test_1.wav"

    command = ["tasks", "resample", str(task), "--sample-rate", "32000", "--jobs", "1"]
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1
    assert f"{bad}: {found.what}" in refused.output
    assert not (task / "32000").exists()
    shown = CliRunner().invoke(main, [*command, "--scale"])
    assert shown.exit_code == 0, shown.output
    made, _ = soundfile.read(task / "32000" / "test" / bad.name)
    like = {"peak": TONE / 0.3, "integers": TONE / 0.3, "constant": np.full(N, 0.25)}[rule]
    np.testing.assert_allclose(MENDED[rule](made)[2000:14000:2], like[1000:7000], atol=0.01)


def test_clip_cuts_off_as_asked(tmp_path: Path) -> None:
    task = write_scene_task(tmp_path / "tones-v1-full", n_clips=2)
    bad = task / "16000" / "test" / "tones-v1-full_test_1.wav"
    bad.write_bytes(encoded(DOUBTFUL["peak"], "FLOAT"))
    command = ["tasks", "resample", str(task), "--sample-rate", "32000", "--jobs", "1", "--clip"]
    assert CliRunner().invoke(main, command).exit_code == 0
    made, _ = soundfile.read(task / "32000" / "test" / bad.name, dtype="int16")
    assert 0.2 < (np.abs(made.astype(int)) >= 32767).mean() < 0.8


def test_prepare_names_the_clip_and_goes_on_when_told(tmp_path: Path) -> None:
    mini = MINIATURES["esc50"]()
    names = ("1-100001-A-0", "2-100002-A-0", "3-100003-A-0", "4-100004-A-0")
    tones = [np.tile(sound, 10) for sound in DOUBTFUL.values()]
    sounds = [*tones, np.stack([TONE, -TONE], axis=1)]
    for name, samples in zip(names, sounds, strict=True):
        mini.files[f"ESC-50-master/audio/{name}.wav"] = encoded(samples, "FLOAT")
    source = write_files(tmp_path / "source", mini.files)

    refused = prepare(mini.data_set, source, tmp_path / "tasks")
    reasons = {Path(fault.name).stem: fault.reason for fault in refused.faults}
    assert set(reasons) == set(names)
    for name, word in zip(names, ("peaks at 1.5", "peaks at 20000", "one value"), strict=False):
        assert word in reasons[name]
    assert "cancel each other" in reasons[names[3]]

    way: Way = "scale"
    made = prepare(mini.data_set, source, tmp_path / "tasks", way=way, allow_missing=True)
    assert [Path(fault.name).stem for fault in made.faults] == [names[3]]
    assert made.path is not None
    loud, _ = soundfile.read(made.path / "16000" / "fold01" / f"{names[1]}.wav")
    assert np.abs(loud).max() == pytest.approx(20000 / 32768, abs=0.01)
    assert json.loads((made.path / "task_metadata.json").read_text())["doubtful_sounds"] == way
