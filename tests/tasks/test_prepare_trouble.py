"""Sources with faults, and runs that are broken off."""

from __future__ import annotations

import csv
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from hear_fusion.cli import main
from hear_fusion.tasks import conversion
from hear_fusion.tasks.datasets import DATA_SETS
from hear_fusion.tasks.datasets.base import Seen, drawn_split
from hear_fusion.tasks.prepare import Prepared, prepare
from hear_fusion.tasks.staging import Recording, Staging
from tests.tasks.miniatures import (
    LFS_POINTER,
    MINIATURES,
    encoded,
    sound,
    tar_of,
    write_files,
    zip_of,
)

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


def test_a_mended_source_completes_what_was_begun(tmp_path: Path) -> None:
    mini = MINIATURES["speech_commands"]()
    word = mini.files.pop("bed/0a7c2a8d_nohash_0.wav")
    source = write_files(tmp_path / "source", mini.files)
    assert prepare(mini.data_set, source, tmp_path / "tasks").path is None
    before = files_of(tmp_path / "tasks")
    assert len([file for file in before if file.suffix == ".wav"]) == 8
    write_files(source, {"bed/0a7c2a8d_nohash_0.wav": word})
    made = prepare(mini.data_set, source, tmp_path / "tasks")
    assert made.path == tmp_path / "tasks" / "speech_commands_35-v0.0.2-full"
    inodes = {file.name: file.stat().st_ino for file in made.path.rglob("*.wav")}
    kept = {file.name: inode for file, inode in before.items() if file.suffix == ".wav"}
    assert {name: inodes[name] for name in kept} == kept


def files_of(folder: Path) -> dict[Path, int]:
    return {file: file.stat().st_ino for file in folder.rglob("*") if file.is_file()}


def test_a_complete_folder_is_kept_and_another_rate_replaces_it(tmp_path: Path) -> None:
    mini = MINIATURES["crema_d"]()
    source = write_files(tmp_path / "source", mini.files)
    made = prepare(mini.data_set, source, tmp_path / "tasks")
    assert not made.kept
    assert made.path is not None
    before = files_of(made.path)
    assert prepare(mini.data_set, source, tmp_path / "tasks").kept
    assert files_of(made.path) == before
    other = prepare(mini.data_set, source, tmp_path / "tasks", sample_rates=(32000,))
    assert not other.kept
    assert not (made.path / "16000").exists()


def test_a_foreign_folder_is_not_touched(tmp_path: Path) -> None:
    mini = MINIATURES["crema_d"]()
    source = write_files(tmp_path / "source", mini.files)
    foreign = write_files(tmp_path / "tasks" / "crema_d_speakers-v1.0.0-full", {"a": b"a"})
    with pytest.raises(FileExistsError, match="must not hold a foreign"):
        prepare(mini.data_set, source, tmp_path / "tasks")
    assert [file.name for file in foreign.iterdir()] == ["a"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "disk full")])
def test_a_broken_run_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    mini = MINIATURES["speech_commands"]()
    source = tmp_path / "s.tar.gz"
    source.write_bytes(tar_of(mini.files, "./"))
    write = Staging.write
    written: list[str] = []

    def fails_at_the_fifth(staging: Staging, name: str, recording: Recording) -> None:
        if len(written) == 4:
            raise error
        written.append(name)
        write(staging, name, recording)

    monkeypatch.setattr(Staging, "write", fails_at_the_fifth)
    with pytest.raises(type(error)):
        prepare(mini.data_set, source, tmp_path / "tasks")
    assert [entry.name for entry in (tmp_path / "tasks").iterdir()] == [
        ".speech_commands_35-v0.0.2-full.partial"
    ]
    begun = list(written)

    def remembers(staging: Staging, name: str, recording: Recording) -> None:
        written.append(name)
        write(staging, name, recording)

    monkeypatch.setattr(Staging, "write", remembers)
    resumed = prepare(mini.data_set, source, tmp_path / "tasks")
    assert len(written) == len(set(written)) == 9
    assert written[:4] == begun
    monkeypatch.setattr(Staging, "write", write)
    at_once = prepare(mini.data_set, source, tmp_path / "other")
    assert resumed.path is not None
    assert at_once.path is not None
    for file in at_once.path.rglob("*"):
        if file.is_file():
            twin = resumed.path / file.relative_to(at_once.path)
            assert twin.read_bytes() == file.read_bytes()


def test_a_run_broken_while_moving_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mini = MINIATURES["nsynth"]()
    source = write_files(tmp_path / "source", mini.files)
    publish = Staging.publish

    def killed(_staging: Staging, _path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Staging, "publish", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(mini.data_set, source, tmp_path / "tasks")
    monkeypatch.setattr(Staging, "publish", publish)

    def never(*_: object) -> None:
        pytest.fail("a sound was converted again")

    monkeypatch.setattr(conversion, "decode", never)
    assert prepare(mini.data_set, source, tmp_path / "tasks").complete


def test_a_full_disk_is_told_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mini = MINIATURES["crema_d"]()
    source = write_files(tmp_path / "source", mini.files)

    def full(_path: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    shown = CliRunner().invoke(
        main, ["tasks", "prepare", "crema_d", str(source), str(tmp_path / "t"), "--jobs", "1"]
    )
    assert shown.exit_code == 1
    assert "the disk of " in shown.output
    assert "is full; make room and run the same command again" in shown.output
    assert "Traceback" not in shown.output


def test_ctrl_c_ends_all_processes_and_leaves_whole_sounds(tmp_path: Path) -> None:
    seconds = encoded(sound(1, 3.0, 44100), 44100, "PCM_16")
    source = write_files(tmp_path / "s", {"one": seconds})
    for speaker in range(1001, 1092):
        for sentence in ("IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "DFA", "ITS", "TSI"):
            (source / f"{speaker}_{sentence}_ANG_XX.wav").symlink_to(source / "one")
    command = ["tasks", "prepare", "crema_d", str(source), str(tmp_path / "t"), "--jobs", "2"]
    command += ["--sample-rate", "16000", "--sample-rate", "48000"]
    # A parent that runs in the background passes on that Ctrl-C is ignored.
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from hear_fusion.cli import main; main(sys.argv[1:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, *command],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    staging = tmp_path / "t" / ".crema_d_speakers-v1.0.0-full.partial"
    deadline = time.monotonic() + 60
    try:
        while len(list(staging.glob("48000/*.wav"))) < 3:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        _, complaints = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "the same command goes on from here" in complaints
    assert "Traceback" not in complaints
    while alive(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    sizes = [file.stat().st_size for file in staging.glob("16000/*.wav")]
    assert set(sizes) == {44 + 2 * 40000}
    assert len(sizes) < 910


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


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
