"""Feature tables as files."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hear_fusion.embeddings.tables.table import Table, TableRecord
from hear_fusion.errors import InvalidError, MissingModuleError

RECORD = TableRecord("yamnet_5_13", (5, 13), (3, 2), "a.h5", "0" * 64, "0.1.0", 16000, {"x": [1]})
NAMES = ["a.txt.parquet", "a.npz", "a.csv", "folder"]


def _table(n_rows: int = 7) -> Table:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((n_rows, 5)).astype(np.float32) * np.float32(1e-3)
    starts = np.where(np.arange(n_rows) % 2, np.arange(n_rows) / 3, np.nan)
    paths = [f'é, "{i}"\n.wav' for i in range(n_rows)]
    return Table(paths, starts, starts + 1, [str(i) for i in range(n_rows)], vectors, RECORD)


@pytest.mark.parametrize("n_rows", [0, 1, 7])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_read(
    tmp_path: Path, name: str, n_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hear_fusion.embeddings.tables.columns._BLOCK_BYTES", 45)  # two rows
    table = _table(n_rows)
    for _ in range(2):  # the second time over the first
        path = table.write(tmp_path / name)
        read = Table.read(path)
        assert (read.paths, read.ids, read.record) == (table.paths, table.ids, RECORD)
        np.testing.assert_array_equal(read.starts, table.starts)
        np.testing.assert_array_equal(read.stops, table.stops)
        np.testing.assert_array_equal(read.vectors, table.vectors)
        assert read.vectors.dtype == np.float32
        assert read.starts.dtype == np.float64
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_other_programs_read_the_columns(tmp_path: Path) -> None:
    table = _table()
    frames = [
        pd.read_parquet(table.write(tmp_path / "a.parquet")),
        pd.read_csv(table.write(tmp_path / "a.csv"), skiprows=1),
    ]
    for frame in frames:
        assert list(frame)[:6] == ["path", "start", "stop", "id", "layer5_0000", "layer5_0001"]
        assert frame["start"].isna().tolist() == np.isnan(table.starts).tolist()
        np.testing.assert_array_equal(frame.iloc[:, 4:].to_numpy(np.float32), table.vectors)


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match=r"must end in \.parquet, \.npz, \.csv.*a\.xlsx"):
        _table().write(tmp_path / "a.xlsx")


@pytest.mark.parametrize("name", NAMES[:3])
def test_damage_is_named(tmp_path: Path, name: str) -> None:
    path = _table().write(tmp_path / name)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(InvalidError, match="must be a feature table as 'hear-fusion features'"):
        Table.read(path)


def _foreign_parquet(path: Path) -> None:
    pd.DataFrame({"path": ["a"], "x": [1.0]}).to_parquet(path)


def _foreign_npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, features=np.zeros((1, 2), np.float32))


@pytest.mark.parametrize(
    "make",
    [
        _foreign_parquet,
        _foreign_npz,
        lambda path: path.write_text("path,label\na.wav,dog\n"),
        lambda path: path.write_text("# a comment\npath\n"),
        lambda path: path.write_bytes(bytes(100)),
        lambda path: path.write_bytes(b""),
        lambda path: path.mkdir(),
        lambda path: path.write_text('# {"format": 1}\npath,start,stop,id\n'),
        lambda path: path.write_text("# [1]\npath,start,stop,id\n"),
    ],
)
def test_another_table_is_named(tmp_path: Path, make: object) -> None:
    path = tmp_path / "other"
    make(path)  # type: ignore[operator]
    with pytest.raises(InvalidError, match="other must be a feature table"):
        Table.read(path)


def test_a_record_and_columns_must_agree(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    replace(_table(), record=replace(RECORD, dims=(3, 3))).write(path)
    with pytest.raises(InvalidError, match="must have 6 features, as its record tells, got 5"):
        Table.read(path)


def test_a_newer_table_is_not_read(tmp_path: Path) -> None:
    path = _table().write(tmp_path / "a.csv")
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(ValueError, match="must be of format 1, got 2, of a newer version"):
        Table.read(path)


def test_parquet_needs_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _table().write(tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for use in (lambda: Table.read(path), lambda: _table().write(path)):
        with pytest.raises(MissingModuleError, match=r"pip install '\.\[people\]'"):
            use()


def test_features_of_a_layer_are_together() -> None:
    table = _table()
    np.testing.assert_array_equal(np.hstack(table.layer_parts()), table.vectors)
    assert [part.shape[1] for part in table.layer_parts()] == [3, 2]


def test_a_recipe_is_of_what_was_asked_for() -> None:
    assert replace(RECORD, version="9", weights="b.h5").recipe == RECORD.recipe
    assert replace(RECORD, weights_sha256="1" * 64).recipe != RECORD.recipe
    assert replace(RECORD, options={"x": [2]}).recipe != RECORD.recipe
