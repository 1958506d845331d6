"""What ``prepare`` makes of each data set goes through both official runners."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hear_fusion.datasets.prepare import prepare
from tests.datasets.miniature import write_files
from tests.datasets.miniatures import MINIATURES
from tests.tasks.hear_tasks import TINY_MODULE, python


def test_heareval_takes_all_nine(tmp_path: Path) -> None:
    pytest.importorskip("heareval")
    (tmp_path / "tiny_spectrum.py").write_text(TINY_MODULE)
    for name, build in MINIATURES.items():
        mini = build()
        splits = None
        if mini.splits_text is not None:
            splits = tmp_path / f"{name}.csv"
            splits.write_bytes(mini.splits_text)
        source = write_files(tmp_path / name, mini.files)
        prepare(mini.data_set, source, tmp_path / "tasks", splits_file=splits)
    embedded = python(
        "-m", "hear_fusion.evaluate.official", "embeddings", "tiny_spectrum",
        "--tasks-dir", "tasks", "--embeddings-dir", "out", cwd=tmp_path,
    )  # fmt: skip
    assert embedded.returncode == 0, embedded.stderr
    folders = sorted((tmp_path / "out" / "tiny_spectrum").iterdir())
    assert len(folders) == 9
    predicted = python(
        "-m", "hear_fusion.evaluate.official", "predictions", *folders,
        "--grid", "faster", "--grid-points", "1", cwd=tmp_path,
    )  # fmt: skip
    assert predicted.returncode == 0, predicted.stderr
    for folder in folders:
        scores = json.loads((folder / "test.predicted-scores.json").read_text())
        tests = scores.get("aggregated_scores", scores.get("test"))
        assert any("top1_acc" in score for score in tests), folder.name
