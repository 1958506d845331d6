"""Sources with faults, splits of one's own, and what the command says."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from hear_fusion.cli import main
from hear_fusion.datasets import DATA_SETS
from hear_fusion.datasets.base import Seen, drawn_split
from hear_fusion.datasets.prepare import Prepared, prepare
from tests.datasets.miniature import LFS_POINTER, encoded, sound, tar_of, write_files, zip_of
from tests.datasets.miniatures import MINIATURES

SPOKEN = encoded(sound(1, 1.0, 16000), 16000, "PCM_16")


def faults(prepared: Prepared) -> dict[str, tuple[str, str]]:
    return {fault.name: (fault.kind, fault.reason) for fault in prepared.faults}


def test_every_fault_is_named_and_the_rest_is_made(tmp_path: Path) -> None:
    mini = MINIATURES["esc50"]()
    audio = "ESC-50-master/audio/"
    broken = {
        f"{audio}1-100001-A-0.wav": (b"", "is empty (0 bytes)"),
        f"{audio}2-100002-A-0.wav": (LFS_POINTER, "is a Git LFS pointer"),
        f"{audio}3-100003-A-0.wav": (mini.files[f"{audio}3-100003-A-0.wav"][:9000], "is cut short"),
        f"{audio}4-100004-A-0.wav": (b"not a sound at all", "cannot be decoded"),
    }
    mini.files |= {path: content for path, (content, _) in broken.items()}
    mini.files |= {f"{audio}9-9-A-9.wav": SPOKEN, f"{audio}1-100001-A-10.ogg": SPOKEN}
    del mini.files[f"{audio}5-100005-A-0.wav"]
    source = write_files(tmp_path / "source", mini.files)

    refused = prepare(mini.data_set, source, tmp_path / "tasks")
    assert refused.path is None
    assert not refused.complete
    named = faults(refused)
    for path, (_, reason) in broken.items():
        assert named[path][0] == "unreadable"
        assert reason in named[path][1]
    assert named["5-100005-A-0"] == ("missing", "no such file in the source")
    assert named[f"{audio}9-9-A-9.wav"] == ("surplus", "is in no split")
    assert named[f"{audio}1-100001-A-10.wav"][0] == "duplicate"
    assert len(named) == 7
    assert refused.found["total"] == 5
    assert refused.faults_file is not None
    with refused.faults_file.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 7

    made = prepare(mini.data_set, source, tmp_path / "tasks", allow_missing=True)
    assert made.path == tmp_path / "tasks" / "esc50-v2.0.0-partial"
    assert made.faults_file == made.path / "faults.csv"
    assert [file.name for file in (made.path / "16000" / "fold00").iterdir()] == [
        "1-100001-A-10.wav"
    ]
    assert [entry.name for entry in (tmp_path / "tasks").iterdir()] == [made.path.name]
    assert {entry.name for entry in (made.path / "16000").iterdir()} == set(mini.data_set.splits)


def test_the_command_counts_and_refuses(tmp_path: Path) -> None:
    mini = MINIATURES["gtzan"]()
    source = write_files(tmp_path / "source", mini.files)
    command = ["tasks", "prepare", "gtzan", str(source), str(tmp_path / "tasks"), "--jobs", "1"]
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1
    assert "train          3 found / 443 expected" in refused.output
    assert "missing: 921\n" in refused.output
    assert "... and 911 more" in refused.output
    assert "add --allow-missing" in refused.output
    allowed = CliRunner().invoke(main, [*command, "--allow-missing"])
    assert allowed.exit_code == 0, allowed.output
    assert "gtzan_filtered-v1.0.0-partial" in allowed.output


def test_the_list_tells_where_to_get_each() -> None:
    shown = CliRunner().invoke(main, ["tasks", "list"])
    assert shown.exit_code == 0
    for name, data_set in DATA_SETS.items():
        assert f"{name}\n" in shown.output
        for text in (data_set.url, data_set.licence, data_set.citation, *data_set.archives):
            assert text in shown.output


def test_a_text_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    mini = MINIATURES["voxceleb1"]()
    text = mini.files.pop("iden_split.txt")
    source = write_files(tmp_path / "source", mini.files)
    with pytest.raises(ValueError, match=r"source must hold iden_split\.txt, got none"):
        prepare(mini.data_set, source, tmp_path / "tasks")
    splits = tmp_path / "mine.txt"
    splits.write_bytes(text)
    assert prepare(mini.data_set, source, tmp_path / "tasks", splits_file=splits).complete


def test_splits_are_refused_where_the_archive_has_them(tmp_path: Path) -> None:
    splits = tmp_path / "mine.txt"
    splits.write_bytes(b"")
    with pytest.raises(ValueError, match="splits must be left out for esc50"):
        prepare(DATA_SETS["esc50"], tmp_path, tmp_path / "tasks", splits_file=splits)


@pytest.mark.parametrize(
    ("name", "text", "file"),
    [
        ("esc50", b"a,b\n1,2\n", "ESC-50-master/meta/esc50.csv"),
        ("us8k", b"slice_file_name,fold\na.wav,1\n", "UrbanSound8K/metadata/UrbanSound8K.csv"),
        ("voxceleb1", b"4 id10001/a/1.wav\n", "iden_split.txt"),
        ("nsynth", b"not json", "nsynth-train/examples.json"),
        ("esc50", b"", "ESC-50-master/meta/esc50.csv"),
    ],
)
def test_texts_of_another_form_are_refused(
    tmp_path: Path, name: str, text: bytes, file: str
) -> None:
    mini = MINIATURES[name]()
    source = write_files(tmp_path / "source", mini.files | {file: text})
    with pytest.raises(ValueError, match=f"{Path(file).name} must"):
        prepare(mini.data_set, source, tmp_path / "tasks")


@pytest.mark.parametrize("name", ["voxforge", "surge"])
def test_without_a_file_groups_stay_together_and_the_folder_says_so(
    tmp_path: Path, name: str
) -> None:
    mini = MINIATURES[name]()
    renamed = rename_into_all_splits(name)
    files = {renamed(path): content for path, content in mini.files.items()}
    source = write_files(tmp_path / "source", files)
    made = prepare(mini.data_set, source, tmp_path / "tasks", allow_missing=True)
    mode = {"voxforge": "by_speaker", "surge": "by_preset"}[name]
    assert made.path is not None
    assert made.path.name == f"{name}-v1.0.0-{mode}"
    assert made.found["train"] == made.found["valid"] == made.found["test"] > 0
    assert "Not the split of the paper" in (made.path / "task_metadata.json").read_text()


def rename_into_all_splits(name: str) -> Callable[[str], str]:
    """Find user names, or presets, that fall into the split of the miniature."""
    shares = {"voxforge": (0.15, 0.15), "surge": (0.1, 0.1)}[name]
    chosen: dict[str, str] = {}
    olds = {
        "voxforge": {split: f"anna{split}" for split in ("train", "valid", "test")},
        "surge": {
            "train": "surge-patches-factory-Winds-Flute-velocity64",
            "valid": "surge-patches-3rdparty-Kick-velocity64",
            "test": "surge-patches-factory-Leads-Saw-velocity64",
        },
    }[name]
    for split, old in olds.items():
        news = (f"n{i}-velocity64" if name == "surge" else f"n{i}" for i in range(1000))
        chosen[old] = next(new for new in news if drawn_split(new, *shares) == split)

    def rename(path: str) -> str:
        for old, new in chosen.items():
            path = path.replace(old, new)
        return path

    return rename


def test_anonymous_speakers_are_in_training_alone() -> None:
    data_set = DATA_SETS["voxforge"]
    names = [data_set.clip_name(f"it/anonymous-2008050{n}-qvg.tgz/wav/it-1.wav") for n in range(9)]
    places = data_set.places(Seen({}, [name for name in names if name]))
    assert {place.split for place in places.values()} == {"train"}
    assert len(places) == 9


def test_a_language_that_cannot_be_told_is_named(tmp_path: Path) -> None:
    mini = MINIATURES["voxforge"]()
    flat = {
        path.split("/", 1)[1]: f for path, f in mini.packed(mini.files).items() if path[0] == "d"
    }
    broken = {"de/berta-20100101-abc.tgz": tar_of({"berta-20100101-abc/wav/a.wav": SPOKEN})[:300]}
    source = write_files(tmp_path / "source", mini.files | flat | broken)
    splits = tmp_path / "splits.csv"
    splits.write_bytes(mini.splits_text or b"")
    made = prepare(mini.data_set, source, tmp_path / "tasks", splits_file=splits)
    assert made.complete
    named = faults(made)
    assert named["annatrain-20100101-dex.tgz/annatrain-20100101-dex/wav/de-001.wav"][0] == "surplus"
    kind, reason = named["de/berta-20100101-abc.tgz"]
    assert kind == "unreadable"
    assert "cannot be read to its end" in reason


def test_an_archive_beside_what_was_unpacked_from_it_is_seen_twice(tmp_path: Path) -> None:
    mini = MINIATURES["crema_d"]()
    source = write_files(tmp_path / "source", mini.files | {"all.zip": zip_of(mini.files)})
    made = prepare(mini.data_set, source, source / "tasks")
    assert made.complete
    assert {kind for kind, _ in faults(made).values()} == {"duplicate"}
    assert len(made.faults) == 6
    again = prepare(mini.data_set, source, source / "tasks", sample_rates=(48000,))
    assert len(again.faults) == 6, "the tasks themselves are no source"


def test_tasks_and_source_are_two_folders(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="out must be another folder than source"):
        prepare(DATA_SETS["gtzan"], tmp_path, tmp_path / "." / "x" / "..")
