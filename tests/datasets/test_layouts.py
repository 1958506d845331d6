"""Copies of data sets whose folders are not the official ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from hear_fusion.datasets import DATA_SETS
from hear_fusion.datasets.prepare import Prepared, prepare
from tests.datasets.miniature import Files, Miniature, encoded, sound, tar_of, write_files, zip_of
from tests.datasets.miniatures import MINIATURES

miniature = cache(lambda name: MINIATURES[name]())
OTHER = encoded(sound(20, 1.0, 16000), 16000, "PCM_16")


def make(mini: Miniature, source: Path, out: Path) -> Prepared:
    splits = out.parent / "splits.csv"
    if mini.splits_text is not None:
        splits.write_bytes(mini.splits_text)
    given = None if mini.splits_text is None else splits
    return prepare(mini.data_set, source, out, splits_file=given)


def digests(folder: Path | None) -> dict[str, str]:
    assert folder is not None
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def moved(*pairs: tuple[str, str]) -> Callable[[Files], Files]:
    """Put other folders in the place of the official ones."""

    def move(files: Files) -> Files:
        layout = {}
        for path, content in files.items():
            for old, new in pairs:
                path = path.replace(old, new)
            layout[path] = content
        return layout

    return move


def flat(files: Files) -> Files:
    return {PurePosixPath(path).name: content for path, content in files.items()}


def above(folder: str) -> Callable[[Files], Files]:
    return lambda files: {f"{folder}/{path}": content for path, content in files.items()}


def per_split(files: Files) -> Files:
    """NSynth's archives, packed anew from within their folders."""
    return {
        f"nsynth-{split}.jsonwav.tar.gz": tar_of(
            {
                path.removeprefix(f"nsynth-{split}/"): content
                for path, content in files.items()
                if path.startswith(f"nsynth-{split}/")
            }
        )
        for split in ("train", "valid", "test")
    }


def flat_voices(files: Files) -> Files:
    return {path.removeprefix("wav/").replace("/", "-"): f for path, f in files.items()}


LAYOUTS: dict[str, tuple[str, Callable[[Files], Files]]] = {
    "esc50 of Kaggle": (
        "esc50",
        moved(("ESC-50-master/audio/", "audio/audio/"), ("ESC-50-master/meta/", "")),
    ),
    "esc50 without folders": ("esc50", flat),
    "esc50 of Zenodo": ("esc50", moved(("ESC-50-master/", "karolpiczak-ESC-50-33c8ce9/"))),
    "esc50 with the table beside": (
        "esc50",
        moved(("ESC-50-master/audio/", ""), ("ESC-50-master/meta/", "meta/")),
    ),
    "us8k of Kaggle": ("us8k", moved(("UrbanSound8K/audio/", ""), ("UrbanSound8K/metadata/", ""))),
    "us8k without folders": ("us8k", flat),
    "us8k with numbers": ("us8k", moved(("UrbanSound8K/audio/fold", "UrbanSound8K/"))),
    "speech_commands with a folder": ("speech_commands", above("speech_commands_v0.02")),
    "speech_commands of Kaggle": (
        "speech_commands",
        moved(*((f"{word}/", f"train/audio/{word}/") for word in ("bed", "zero", "go"))),
    ),
    "voxceleb1 without wav": ("voxceleb1", moved(("wav/", ""))),
    "voxceleb1 with dev and test": ("voxceleb1", moved(("wav/id10001", "vox1_dev/id10001"))),
    "voxceleb1 without folders": ("voxceleb1", flat_voices),
    "crema_d of Kaggle": ("crema_d", moved(("AudioWAV/", "cremad/AudioWAV/"))),
    "crema_d without folders": ("crema_d", flat),
    "gtzan of Kaggle": ("gtzan", moved(("genres/", "Data/genres_original/"))),
    "gtzan of Hugging Face": ("gtzan", lambda files: {"data/genres.tar.gz": tar_of(files)}),
    "gtzan without folders": ("gtzan", flat),
    "nsynth packed from within": ("nsynth", per_split),
    "nsynth with short folders": ("nsynth", moved(("nsynth-", ""))),
    "nsynth without audio": ("nsynth", moved(("/audio/", "/"))),
    "surge with a folder": ("surge", above("pitch-audio-dataset")),
    "surge without a folder": ("surge", moved(("surge/", ""))),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_copies_give_the_same_task(tmp_path: Path, layout: str) -> None:
    name, lay_out = LAYOUTS[layout]
    mini = miniature(name)
    official = make(mini, write_files(tmp_path / "official", mini.files), tmp_path / "a")
    copy = lay_out(mini.files)
    from_files = make(mini, write_files(tmp_path / "files", copy), tmp_path / "b")
    (tmp_path / "copy.zip").write_bytes(zip_of(copy))
    from_zip = make(mini, tmp_path / "copy.zip", tmp_path / "c")
    for prepared in (from_files, from_zip):
        assert prepared.complete
        assert [fault for fault in prepared.faults if fault.kind != "missing"] == []
        assert digests(prepared.path) == digests(official.path)


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("esc50", "16000/{}"),
        ("esc50", "aug/{}"),
        ("us8k", "22k/fold1/{}"),
        ("us8k", "a/{}"),
        ("nsynth", "aug/{}"),
    ],
)
def test_where_the_official_places_are_others_do_not_count(
    tmp_path: Path, name: str, beside: str
) -> None:
    mini = miniature(name)
    others = {
        beside.format(PurePosixPath(path).name): OTHER
        for path in mini.files
        if path.endswith(".wav") and "/._" not in path
    }
    official = make(mini, write_files(tmp_path / "official", mini.files), tmp_path / "a")
    both = make(mini, write_files(tmp_path / "both", others | mini.files), tmp_path / "b")
    assert both.faults == []
    assert digests(both.path) == digests(official.path)


@pytest.mark.parametrize("folder", ["16000", "44100", "16k", "44.1kHz", "22_kHz"])
def test_resampled_copies_are_nobodys_clips(tmp_path: Path, folder: str) -> None:
    mini = miniature("esc50")
    originals = moved(("ESC-50-master/audio/", "sounds/"))(mini.files)
    resampled = {
        path.replace("sounds/", f"sounds/{folder}/"): OTHER
        for path in originals
        if path.startswith("sounds/")
    }
    official = make(mini, write_files(tmp_path / "official", mini.files), tmp_path / "a")
    both = make(mini, write_files(tmp_path / "both", originals | resampled), tmp_path / "b")
    assert both.faults == []
    assert digests(both.path) == digests(official.path)


def test_the_official_table_is_taken_before_one_of_its_name(tmp_path: Path) -> None:
    mini = miniature("esc50")
    files = {"A/esc50.csv": b"a,b\n1,2\n", **mini.files, "Z/esc50.csv": b"a,b\n1,2\n"}
    assert make(mini, write_files(tmp_path / "source", files), tmp_path / "tasks").complete


@pytest.mark.parametrize(
    "other", ["speech_commands_test_set_v0.02.tar.gz", "speech_commands_v0.01.tar.gz"]
)
def test_neighbours_of_speech_commands_are_left_alone(tmp_path: Path, other: str) -> None:
    mini = miniature("speech_commands")
    files = {path: OTHER for path in mini.files if path.endswith(".wav") and "._" not in path}
    source = write_files(tmp_path / "source", mini.packed(mini.files) | {other: tar_of(files)})
    official = make(mini, write_files(tmp_path / "official", mini.files), tmp_path / "a")
    both = make(mini, source, tmp_path / "b")
    assert both.faults == []
    assert digests(both.path) == digests(official.path)


def test_names_of_one_data_set_are_those_of_no_other() -> None:
    for name in DATA_SETS:
        mini = miniature(name)
        for other, data_set in DATA_SETS.items():
            claimed = [path for path in mini.files if data_set.name_by_form(path)]
            assert other == name or not claimed, (name, other)
