"""``hear-fusion map``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from hear_fusion.cli import main
from hear_fusion.embeddings.tables.table import Table, TableRecord
from tests.report.sounds.maps import write_sounds


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of four sounds, one of them gone."""
    paths = write_sounds(tmp_path / "in", [f"{i}.wav" for i in range(4)])
    Path(paths[3]).unlink()
    whole, vectors = np.full(4, np.nan), np.eye(4, 6, dtype=np.float32)
    record = TableRecord("yamnet_5_13", (5, 13), (2, 4), "", "", "0.1.0", 16000)
    return Table(paths, whole, whole, [""] * 4, vectors, record).write(tmp_path / "features.npz")


def run_map(*options: object) -> Result:
    return CliRunner().invoke(main, ["map", *map(str, options)])


def test_page_picture_and_atlas_are_written_and_what_is_missing_is_told(
    tmp_path: Path, table: Path
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("name,class\n0.wav,x\n1.wav,y\n3.wav,y\n7.wav,z\n", encoding="utf-8")
    out, atlas = tmp_path / "map.html", tmp_path / "atlas.parquet"
    run = run_map(
        table, "--labels", labels, "--file-column", "name", "--label-column", "class",
        "--out", out, "--atlas", atlas,
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    assert out.exists()
    assert out.with_suffix(".png").exists()
    assert atlas.exists()
    assert "features.npz, yamnet_5_13" in out.read_text(encoding="utf-8")
    for line in (
        f"1 of 4 sounds have no label in {labels}",
        f"1 files of {labels} are not in {table}",
        "3 sounds are inside the page, 0 are linked",
    ):
        assert line in run.output.splitlines()
    assert "3.wav cannot be opened: No such file" in run.output


def test_no_sound_is_inside_unless_asked_for(tmp_path: Path, table: Path) -> None:
    run = run_map(table, "--out", tmp_path / "map.html", "--embed-mb", 0)
    assert "0 sounds are inside the page, 3 are linked" in run.output


def test_what_is_wrong_is_told(tmp_path: Path, table: Path) -> None:
    run = run_map(table, "--out", tmp_path / "map.txt")
    assert (run.exit_code, "--out must end in .html" in run.output) == (2, True)
    text = tmp_path / "text.csv"
    text.write_text("file,label\na,b\n", encoding="utf-8")
    run = run_map(text, "--out", tmp_path / "map.html")
    assert run.exit_code == 1
    assert str(text) in run.output
    run = run_map(table, "--out", tmp_path / "map.html", "--labels", text)
    assert (run.exit_code, "must name sounds of the table" in run.output) == (1, True)
    assert not (tmp_path / "map.html").exists()
