"""``hear-fusion features``, with a slim random network."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner, Result
from torch import Tensor

from hear_fusion import load
from hear_fusion.cli import main
from hear_fusion.embeddings.features.engine import Engine
from hear_fusion.embeddings.tables.table import Table
from hear_fusion.embeddings.tables.whitening import read_whitening

RATE = 16000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four sounds, one of them in a folder below and one hidden, and a text."""
    rng = np.random.default_rng(0)
    (tmp_path / "in/below").mkdir(parents=True)
    for i, name in enumerate(("a.wav", "b.flac", "below/c.WAV", ".hidden.wav")):
        soundfile.write(tmp_path / "in" / name, rng.uniform(-0.5, 0.5, RATE + i), RATE)
    (tmp_path / "in/notes.txt").write_text("not a sound")
    return tmp_path / "in"


@pytest.fixture
def run(weight_files: dict[str, Path], tmp_path: Path) -> Callable[..., Result]:
    def call(*words: object, out: str = "a.npz", model: str = "yamnet_5_13") -> Result:
        fixed = ["--model", model, "--weights", weight_files["yamnet"], "--out", tmp_path / out]
        return CliRunner().invoke(main, ["features", *map(str, (*words, *fixed))])

    return call


def _errors(folder: Path) -> list[list[str]]:
    with (folder / "errors.csv").open(newline="") as file:
        return list(csv.reader(file))[1:]


@pytest.mark.parametrize("out", ["a.parquet", "a.csv", "a.npz", "a"])
def test_a_folder_becomes_a_table(
    run: Callable[..., Result], folder: Path, weight_files: dict[str, Path], out: str
) -> None:
    result = run(folder, out=out)
    assert result.exit_code == 0, result.output
    assert "3 sounds, 3 vectors of" in result.output
    assert "files/s" in result.output
    table = Table.read(folder.parent / out)
    names = ["a.wav", "b.flac", "below/c.WAV"]
    assert table.paths == [str(folder / name) for name in names]
    assert np.isnan(table.starts).all()
    model = load("yamnet_5_13", weight_files["yamnet"])
    for path, vector in zip(table.paths, table.vectors, strict=True):
        audio = torch.from_numpy(soundfile.read(path, dtype="float32")[0])[None]
        np.testing.assert_allclose(vector, model.scenes(audio)[0].numpy(), rtol=0, atol=1e-5)
    assert table.record.weights_sha256 == model.weights_sha256
    assert table.record.layers == (5, 13)
    assert sorted(path.name for path in folder.parent.iterdir()) == sorted([out, "in"])


def test_one_bad_file_is_a_row_of_errors_and_no_loss(
    run: Callable[..., Result], folder: Path
) -> None:
    (folder / "bad.wav").write_text("a text")
    result = run(folder)
    assert result.exit_code == 1
    assert "1 of 4 sounds could not be used, the first" in result.output
    assert len(Table.read(folder.parent / "a.npz")) == 3
    ((table, path, *_, why),) = _errors(folder.parent)
    assert (table, path) == ("a.npz", str(folder / "bad.wav"))
    assert "cannot be decoded" in why
    (folder / "bad.wav").unlink()
    assert run(folder).exit_code == 0
    assert not (folder.parent / "errors.csv").exists()


def test_strict_stops_at_a_bad_file(run: Callable[..., Result], folder: Path) -> None:
    (folder / "bad.wav").write_text("a text")
    result = run(folder, "--strict")
    assert result.exit_code == 1
    assert "bad.wav: cannot be decoded" in result.output
    assert not (folder.parent / "a.npz").exists()


def test_nothing_readable_is_an_error(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("a text")
    result = run(tmp_path / "a.wav")
    assert result.exit_code == 1
    assert "at least one sound must be readable" in result.output


def test_only_what_is_new_or_changed_is_computed(
    run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    pieces = Engine.pieces

    def watched(self: Engine, segments: list[object], *others: object) -> object:
        asked.append([Path(segment.path).name for segment in segments])  # type: ignore[attr-defined]
        return pieces(self, segments, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "pieces", watched)
    for kind in ((), ("--frames",), ("--window", "0.5")):
        asked.clear()
        (folder / "0.wav").unlink(missing_ok=True)
        out = f"{len(kind)}{len(''.join(kind))}.npz"
        assert run(folder, *kind, out=out).exit_code == 0
        before = Table.read(folder.parent / out)
        assert "all were there" in run(folder, *kind, out=out).output
        time.sleep(0.01)
        soundfile.write(folder / "0.wav", np.full(RATE, 0.5) * np.arange(RATE) % 1, RATE)
        soundfile.write(folder / "b.flac", np.zeros(RATE), RATE)
        assert run(folder, *kind, out=out).exit_code == 0
        assert [sorted(names) for names in asked[1:]] == [[], ["0.wav", "b.flac"]]
        after = Table.read(folder.parent / out)
        for name in ("a.wav", "below/c.WAV"):
            old, new = (
                table.vectors[[path == str(folder / name) for path in table.paths]]
                for table in (before, after)
            )
            assert len(new)
            np.testing.assert_array_equal(new, old)
        assert after.paths[0].endswith("0.wav")
        soundfile.write(folder / "b.flac", np.random.default_rng(1).uniform(-1, 1, RATE), RATE)


def test_a_table_of_other_settings_is_not_replaced(
    run: Callable[..., Result], folder: Path
) -> None:
    run(folder)
    content = (folder.parent / "a.npz").read_bytes()
    for words in (("--frames",), ("--window", "1")):
        result = run(folder, *words)
        assert result.exit_code == 1
        assert "must be a table of the same model, weights and rows" in result.output
    assert run(folder, model="yamnet_5").exit_code == 1
    assert (folder.parent / "a.npz").read_bytes() == content


def test_no_other_file_is_replaced(run: Callable[..., Result], folder: Path) -> None:
    (folder.parent / "a.csv").write_text("path,label\na.wav,dog\n")
    result = run(folder, out="a.csv")
    assert result.exit_code == 1
    assert "must be a feature table as 'hear-fusion features'" in result.output
    assert run(folder, out="in").exit_code == 1
    assert (folder / "a.wav").exists()


def test_windows_and_frames_have_their_times(run: Callable[..., Result], folder: Path) -> None:
    assert run(folder / "a.wav", "--window", "0.5", "--step", "0.25", out="w.npz").exit_code == 0
    assert Table.read(folder.parent / "w.npz").starts.tolist() == [0, 0.25, 0.5]
    assert run(folder / "a.wav", "--frames", "--hop-ms", "40", out="f.npz").exit_code == 0
    table = Table.read(folder.parent / "f.npz")
    np.testing.assert_allclose(table.starts, np.arange(25) * 0.04)
    assert table.record.options["rows"]["hop_ms"] == 40


def test_segments_are_the_rows(run: Callable[..., Result], folder: Path) -> None:
    track = folder.parent / "labels.txt"
    track.write_text("0.0\t0.5\tone\n0.25\t0.75\ttwo\n5.0\t6.0\tlate\n")
    result = run(folder / "a.wav", "--segments", track)
    assert result.exit_code == 1
    assert "must reach to the end of its segment, got 1 s and a segment from 5 s" in result.output
    table = Table.read(folder.parent / "a.npz")
    assert table.ids == ["one", "two"]
    assert table.stops.tolist() == [0.5, 0.75]
    assert _errors(folder.parent)[0][2:5] == ["5.0", "6.0", "late"]
    (folder.parent / "list.csv").write_text("path,start\nbelow/c.WAV,0.5\nmissing.wav,\n")
    result = run(folder, "--segments", folder.parent / "list.csv", out="b.npz")
    assert result.exit_code == 1
    assert "missing.wav: cannot be opened: No such file" in result.output
    assert Table.read(folder.parent / "b.npz").paths == [str(folder / "below/c.WAV")]
    assert [row[0] for row in _errors(folder.parent)] == ["a.npz", "b.npz"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "PATH must be a file or folder, got none"),
        (("in", "--window", "1", "--frames"), "rows must be frames or windows"),
        (("in", "--step", "1"), "--step must be with --window"),
        (("in", "--window", "1", "--step", "2"), "a step must be at least 0.01 s and no longer"),
        (("in", "--hop-ms", "40"), "--hop-ms must be with --frames"),
        (("in", "--frames", "--hop-ms", "33"), "the hop of yamnet must be one of"),
        (("in", "--glob", "*.ogg"), "must hold files that match '*.ogg', got none"),
        (("empty",), "must hold sound files, got none"),
        (("absent",), "must be files or folders, got absent, which is not there"),
        (("in", "--segments", "labels.csv"), "labels.csv must be a CSV or TSV with a column path"),
        (("in", "--segments", "none.csv"), "none.csv must have a row for each segment, got none"),
        (("in/a.wav", "in/b.flac", "--segments", "none.csv"), "must be one recording or folders"),
    ],
)
def test_wrong_usage_is_told(
    run: Callable[..., Result],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    why: str,
) -> None:
    monkeypatch.chdir(folder.parent)
    Path("empty").mkdir()
    Path("labels.csv").write_text("name,label\na.wav,dog\n")
    Path("none.csv").write_text("path,start\n")
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert why in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("out", "model", "why"), [("a.xlsx", "yamnet", "must end in"), ("a.npz", "yam", "must begin")]
)
def test_a_wrong_name_is_told(
    run: Callable[..., Result], folder: Path, out: str, model: str, why: str
) -> None:
    result = run(folder, out=out, model=model)
    assert result.exit_code == 2
    assert why in result.output


def test_equal_and_upsampled_sounds_are_told(
    run: Callable[..., Result], tmp_path: Path, noise: Callable[..., Tensor]
) -> None:
    from hear_fusion.audio import resample

    sound = noise(1, RATE)[0].numpy()
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", sound, RATE)
    soundfile.write(tmp_path / "c.wav", resample(sound.astype(np.float64), 8000, RATE), RATE)
    result = run(tmp_path)
    assert result.exit_code == 0
    assert "1 of 3 vectors are equal to an earlier one, such as those of" in result.output
    assert "1 of 3 sounds were upsampled before" in result.output
    assert "c.wav: nothing is above 4000 Hz" in result.output


def test_a_name_that_is_no_text_is_told(run: Callable[..., Result], folder: Path) -> None:
    (folder / "a.wav").rename(folder / os.fsdecode(b"caf\xe9.wav"))
    result = run(folder)
    assert result.exit_code == 1
    assert "caf\\udce9.wav: must have a name in UTF-8" in result.output
    assert len(Table.read(folder.parent / "a.npz")) == 2


def test_who_is_killed_goes_on(folder: Path, weight_files: dict[str, Path], tmp_path: Path) -> None:
    for i in range(20):
        soundfile.write(folder / f"n{i}.wav", np.random.default_rng(i).uniform(-1, 1, 9000), RATE)
    words = ["features", str(folder), "--model", "yamnet_5_13", "--out", str(tmp_path / "a.npz")]
    words += ["--weights", str(weight_files["yamnet"])]
    program = (
        "import os, signal\n"
        "from hear_fusion.embeddings.features import parts\n"
        "parts._PART_SECONDS = 0.0\n"
        "flush = parts.Parts.flush\n"
        "def dying(self):\n"
        "    flush(self)\n"
        "    if self._n_parts == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "parts.Parts.flush = dying\n"
        f"from hear_fusion.cli import main; main({words!r})"
    )
    killed = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    parts = tmp_path / "a.npz.parts"
    assert killed.returncode == -signal.SIGKILL
    assert len(list(parts.glob("part_*.npz"))) == 3
    damaged = max(parts.glob("part_*.npz"))
    damaged.write_bytes(damaged.read_bytes()[:1000])
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    whole = Table.read(tmp_path / "a.npz")
    assert len(whole) == 23
    other = CliRunner().invoke(main, [*words[:-3], str(tmp_path / "b.npz"), *words[-2:]])
    assert other.exit_code == 0
    fresh = Table.read(tmp_path / "b.npz")
    assert fresh.paths == whole.paths
    np.testing.assert_allclose(whole.vectors, fresh.vectors, rtol=0, atol=1e-5)
    assert not parts.exists()


def test_parts_of_other_settings_are_begun_anew_with_a_word(
    run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Table, "write", lambda *_: (_ for _ in ()).throw(OSError("full")))
        assert run(folder).exit_code == 1
    result = run(folder, "--frames")
    assert result.exit_code == 0
    assert "held parts of other settings; started anew" in result.output


def test_vectors_are_whitened_on_these_sounds(run: Callable[..., Result], folder: Path) -> None:
    few = run(folder, "--compress", "8", out="few.npz")
    assert "3 vectors are too few to be whitened, which takes 50" in few.output
    rng = np.random.default_rng(0)
    tones = np.sin(np.outer(rng.uniform(0.05, 3, 57), np.arange(RATE // 2)))
    for i, tone in enumerate(tones):
        soundfile.write(folder / f"n{i:02d}.wav", 0.1 * tone, RATE)
    result = run(folder, "--compress", "8")
    assert result.exit_code == 0, result.output
    out = folder.parent / "a.npz"
    table = Table.read(out)
    np.testing.assert_allclose(np.cov(table.vectors[:, :8].T, bias=True), np.eye(8), atol=1e-2)
    assert table.record.dims == (8, 8)
    whitening = read_whitening(out, table)
    assert whitening is not None
    run(folder, out="raw.npz")
    raw = Table.read(folder.parent / "raw.npz").vectors
    np.testing.assert_allclose(whitening.apply(raw), table.vectors, rtol=0, atol=1e-3)
    assert "all were there" in run(folder, "--compress", "8").output
    soundfile.write(folder / "new.wav", 0.1 * tones[0], RATE)
    assert run(folder, "--compress", "8").exit_code == 0
    assert len(Table.read(out)) == 61
    assert "15 components, not 64" in run(folder, "--compress", "64", out="b.npz").output
