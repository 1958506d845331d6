"""Runs that are broken off, and runs that have nothing to do."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from hear_fusion.cli import main
from hear_fusion.datasets import conversion
from hear_fusion.datasets.prepare import prepare
from hear_fusion.tasks.staging import Recording, Staging
from tests.datasets.miniature import encoded, sound, tar_of, write_files
from tests.datasets.miniatures import MINIATURES


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


def test_a_full_disk_is_told_and_half_a_file_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mini = MINIATURES["crema_d"]()
    source = write_files(tmp_path / "source", mini.files)
    write_bytes = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        write_bytes(path, data[:5000])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    command = ["tasks", "prepare", "crema_d", str(source), str(tmp_path / "t"), "--jobs", "1"]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        shown = CliRunner().invoke(main, command)
    assert shown.exit_code == 1
    assert "the disk of " in shown.output
    assert "is full; make room and run the same command again" in shown.output
    assert "Traceback" not in shown.output

    assert CliRunner().invoke(main, [*command, "--allow-missing"]).exit_code == 0
    sounds = list((tmp_path / "t").rglob("*.wav"))
    assert {file.stat().st_size for file in sounds} == {44 + 2 * 40000}
    assert len(sounds) == len(mini.places)


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
