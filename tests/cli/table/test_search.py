"""``hear-fusion search``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from hear_fusion.cli import main
from hear_fusion.embeddings.tables.index import Index
from hear_fusion.embeddings.tables.table import Table


def _search(*words: object) -> Result:
    return CliRunner().invoke(main, ["search", *map(str, words)])


@pytest.mark.parametrize("raw", [False, True])
def test_a_sound_finds_itself_and_its_copy(made: Path, folder: Path, raw: bool) -> None:
    words = (made / "in/00.wav", folder / "a.npz", "--top", 3, *(["--raw"] if raw else []))
    result = _search(*words, "--out", folder / "found.csv")
    assert result.exit_code == 0, result.output
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert len(lines) == 3
    assert {Path(line[1]).name for line in lines[:2]} == {"00.wav", "59.wav"}
    assert float(lines[0][0]) == pytest.approx(1)
    header, first, *_ = (folder / "found.csv").read_text().splitlines()
    assert header == "cosine,path,start,stop,id"
    assert first.split(",")[1] == lines[0][1]


def test_cosines_are_those_of_the_table(made: Path, folder: Path) -> None:
    vectors = Table.read(folder / "a.npz").vectors.astype(np.float64)
    index = Index.of(folder / "a.npz", raw=True)
    expected = vectors @ vectors[5] / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vectors[5])
    rows, cosines = index.nearest(index.query(vectors[5].astype(np.float32)), 60)
    names = [Path(one.path).name for one in index.labels(rows.tolist())]
    by_name = dict(zip(names, cosines.tolist(), strict=True))
    got = [by_name[f"{i:02d}.wav"] for i in range(60)]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


def test_the_index_is_made_once_for_a_table(made: Path, folder: Path) -> None:
    words = (made / "in/00.wav", folder / "a.npz")
    _search(*words)
    matrix = folder / "a.npz.index/matrix.npy"
    first = matrix.stat().st_mtime_ns
    os.utime(folder / "a.npz")
    _search(*words)
    assert matrix.stat().st_mtime_ns == first
    table = Table.read(folder / "a.npz")
    Table(
        table.paths[:20], table.starts[:20], table.stops[:20], table.ids[:20],
        table.vectors[:20], table.record,
    ).write(folder / "a.npz")  # fmt: skip
    assert _search(*words, "--top", 99).stdout.count("\n") == 20
    assert matrix.stat().st_mtime_ns > first
    matrix.write_bytes(b"damaged")
    assert _search(*words, "--top", 99).stdout.count("\n") == 20


def test_a_whitened_table_is_searched_through_its_own_whitening(
    made: Path, folder: Path, weight_files: dict[str, Path]
) -> None:
    words = ["features", str(made / "in"), "--model", "yamnet_5_13", "--compress", "8"]
    words += ["--weights", str(weight_files["yamnet"]), "--out", str(folder / "w.npz")]
    assert CliRunner().invoke(main, words).exit_code == 0
    result = _search(made / "in/07.wav", folder / "w.npz", "--top", 1)
    assert result.stdout.split("\t")[0] == "1.0"
    assert "07.wav" in result.stdout
    (folder / "w.npz.whitening.npz").unlink()
    (folder / "w.npz.index/index.json").unlink()
    result = _search(made / "in/07.wav", folder / "w.npz")
    assert result.exit_code == 1
    assert "w.npz.whitening.npz must be the whitening" in result.output


def test_the_graph_finds_what_is_near(
    made: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (made / "in/00.wav", folder / "a.npz", "--top", 5)
    exact = _search(*words)
    approximate = _search(*words, "--approximate")
    assert approximate.exit_code == 0, approximate.output
    assert approximate.stdout == exact.stdout
    graph = folder / "a.npz.index/graph.usearch"
    first = graph.stat().st_mtime_ns
    assert _search(*words, "--approximate").stdout == exact.stdout
    assert graph.stat().st_mtime_ns == first
    graph.write_bytes(b"damaged")
    assert _search(*words, "--approximate").stdout == exact.stdout
    graph.unlink()
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    refused = _search(*words, "--approximate")
    assert refused.exit_code == 1
    assert "pip install '.[search]'" in refused.output
    assert not graph.exists()


def test_other_weights_are_refused(
    made: Path, folder: Path, weight_files: dict[str, Path], tmp_path: Path
) -> None:
    import torch

    from tests.networks import yamnet_tensors

    other = tmp_path / "other.pth"
    torch.save(yamnet_tensors(seed=1), other)
    result = _search(made / "in/00.wav", folder / "a.npz", "--weights", other)
    assert result.exit_code == 1
    assert "weights must be those of the table" in result.output
    assert f"another hash in {other}" in result.output
    same = tmp_path / "same.pth"
    same.write_bytes(weight_files["yamnet"].read_bytes())
    assert _search(made / "in/00.wav", folder / "a.npz", "--weights", same).exit_code == 0


def test_weights_that_are_gone_are_asked_for(
    made: Path, folder: Path, weight_files: dict[str, Path]
) -> None:
    hidden = weight_files["yamnet"].with_name("hidden")
    weight_files["yamnet"].rename(hidden)
    try:
        result = _search(made / "in/00.wav", folder / "a.npz")
    finally:
        hidden.rename(weight_files["yamnet"])
    assert result.exit_code == 1
    assert "got none with that hash; give --weights" in result.output


def test_what_cannot_be_searched_is_told(
    made: Path, folder: Path, weight_files: dict[str, Path]
) -> None:
    (folder / "text.wav").write_text("no sound")
    result = _search(folder / "text.wav", folder / "a.npz")
    assert result.exit_code == 1
    assert "text.wav: cannot be decoded" in result.output
    (folder / "labels.csv").write_text("file,label\n")
    result = _search(made / "in/00.wav", folder / "labels.csv")
    assert result.exit_code == 1
    assert "labels.csv must be a feature table" in result.output
    words = ["features", str(made / "in/00.wav"), "--model", "yamnet_5_13", "--frames"]
    words += ["--weights", str(weight_files["yamnet"]), "--out", str(folder / "f.npz")]
    CliRunner().invoke(main, words)
    result = _search(made / "in/00.wav", folder / "f.npz")
    assert "must be of sounds or windows, got one of frames" in result.output
    assert _search(made / "in/00.wav", folder / "a.npz", "--stop", 0).exit_code == 2
