"""Every data set, from its official form to a task folder."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hear_fusion.datasets import DATA_SETS
from hear_fusion.datasets.prepare import Prepared, prepare
from tests.datasets.miniature import Miniature, write_files
from tests.datasets.miniatures import MINIATURES

miniature = cache(lambda name: MINIATURES[name]())
every_data_set = pytest.mark.parametrize("name", list(DATA_SETS))


def make(mini: Miniature, source: Path, out: Path, **options: object) -> Prepared:
    if mini.splits_text is not None:
        options["splits_file"] = out.parent / "splits.csv"
        (out.parent / "splits.csv").write_bytes(mini.splits_text)
    return prepare(mini.data_set, source, out, **options)  # type: ignore[arg-type]


def digests(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_there_is_a_miniature_of_each() -> None:
    assert list(MINIATURES) == list(DATA_SETS)


@every_data_set
def test_the_unpacked_archive_becomes_a_task(tmp_path: Path, name: str) -> None:
    mini = miniature(name)
    prepared = make(mini, write_files(tmp_path / "source", mini.files), tmp_path / "tasks")
    assert prepared.complete
    assert prepared.path is not None
    assert [f for f in prepared.faults if f.kind != "missing"] == []
    assert len(prepared.faults) == mini.missing
    assert [entry.name for entry in (tmp_path / "tasks").iterdir()] == [prepared.path.name]
    found: dict[str, tuple[str, str | int]] = {}
    for split in mini.data_set.splits:
        labels = json.loads((prepared.path / f"{split}.json").read_text())
        found |= {file.removesuffix(".wav"): (split, *of) for file, of in labels.items()}
        names = {file.name for file in (prepared.path / "16000" / split).iterdir()}
        assert names == labels.keys()
    assert found == mini.places


@every_data_set
def test_sounds_have_the_exact_length_and_zeros_after_the_end(tmp_path: Path, name: str) -> None:
    mini = miniature(name)
    prepared = make(mini, write_files(tmp_path / "source", mini.files), tmp_path / "tasks")
    assert prepared.path is not None
    n_samples = round(mini.data_set.seconds * 16000)
    for clip, (split, _) in mini.places.items():
        file = prepared.path / "16000" / split / f"{clip}.wav"
        info = soundfile.info(file)
        assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
        samples, _ = soundfile.read(file, dtype="int16")
        assert samples.shape == (n_samples,)
        seconds, exact = mini.sounds[clip]
        end = min(n_samples, int(np.ceil(seconds * 16000)))
        # Coders write whole blocks: theirs may end a little later.
        assert not samples[end + 1024 :].any()
        if exact is not None:
            np.testing.assert_array_equal(samples[:end], exact[:n_samples])
            assert not samples[end:].any()
        else:
            assert samples[: end - 16].std() > 3000
            assert np.abs(samples[end - 160 : end]).max() > 1000


@every_data_set
def test_the_packed_archive_gives_the_same_task(tmp_path: Path, name: str) -> None:
    mini = miniature(name)
    unpacked = make(mini, write_files(tmp_path / "unpacked", mini.files), tmp_path / "a")
    packed = write_files(tmp_path / "packed", mini.packed(mini.files))
    files = list(packed.iterdir())
    source = files[0] if len(files) == 1 and files[0].is_file() else packed
    from_packed = make(mini, source, tmp_path / "b")
    assert unpacked.path is not None
    assert from_packed.path is not None
    assert [f for f in from_packed.faults if f.kind != "missing"] == []
    assert digests(from_packed.path) == digests(unpacked.path)


@every_data_set
def test_a_data_set_says_what_it_is(name: str) -> None:
    data_set = DATA_SETS[name]
    assert data_set.name == name
    ways = [way for way in (data_set.splitting, data_set.fallback) if way is not None]
    assert len({way.mode for way in ways}) == len(ways)
    for way in ways:
        assert set(way.expected) in ({"total"}, set(data_set.splits))
        metadata = data_set.metadata(way, way.mode)
        assert metadata.extras["split_rule"] == way.rule
        for told in (data_set.title, data_set.url, data_set.licence, data_set.citation, way.rule):
            assert told
    hear = ("speech_commands-v0.0.2", "tfds_crema_d-", "tfds_gtzan-", "nsynth_pitch-")
    assert not data_set.metadata(ways[0], "full").folder_name.startswith(hear)


def test_the_counts_are_those_of_the_evaluation() -> None:
    totals = {name: sum(s.splitting.expected.values()) for name, s in DATA_SETS.items()}
    assert totals == {
        "esc50": 2000,
        "us8k": 8732,
        "speech_commands": 105829,
        "voxceleb1": 153516,
        "voxforge": 176428,
        "crema_d": 7438,
        "gtzan": 930,
        "nsynth": 305979,
        "surge": 183392,
    }
    assert {name: s.seconds for name, s in DATA_SETS.items()} == {
        "esc50": 5.0, "us8k": 4.0, "speech_commands": 1.0, "voxceleb1": 8.2, "voxforge": 5.8,
        "crema_d": 2.5, "gtzan": 30.0, "nsynth": 4.0, "surge": 4.0,
    }  # fmt: skip


def test_several_rates_at_once(tmp_path: Path) -> None:
    mini = miniature("crema_d")
    source = write_files(tmp_path / "source", mini.files)
    prepared = make(mini, source, tmp_path / "tasks", sample_rates=(16000, 48000))
    assert prepared.path is not None
    file = prepared.path / "48000" / "test" / "1083_TAI_SAD_XX.wav"
    assert soundfile.info(file).frames == 120000
    assert (prepared.path / "16000" / "test" / file.name).exists()


def test_processes_change_nothing(tmp_path: Path) -> None:
    mini = miniature("us8k")
    source = write_files(tmp_path / "source", mini.packed(mini.files))
    alone = make(mini, source, tmp_path / "a", jobs=1)
    together = make(mini, source, tmp_path / "b", jobs=2)
    assert alone.path is not None
    assert together.path is not None
    assert digests(alone.path) == digests(together.path)
