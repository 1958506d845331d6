"""The orchestration and the official runners, for real, on tiny tasks."""

import json
import logging
import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hear_fusion.evaluate.predictions import read_official_score, read_predictions
from hear_fusion.evaluate.run import Result, run
from hear_fusion.evaluate.scores import read_score
from tests.tasks.hear_tasks import python, write_event_task, write_scene_task
from tests.tasks.strays import add_strays

TASKS = ["event-v1", "folds-v1", "multi-v1", "scene-v1"]
METRICS = {"folds-v1": "top1_acc", "scene-v1": "top1_acc"}


@dataclass
class Evaluated:
    cwd: Path
    tasks_dir: Path
    embeddings_dir: Path
    results: list[Result]
    notes: str

    def folder(self, task: str) -> Path:
        return self.embeddings_dir / "tiny_spectrum" / task

    def run(self, **options: object) -> dict[str, Result]:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.cwd)
            results = run(
                ["tiny_spectrum"],
                Path("tasks"),
                Path("embeddings"),
                grid_points=1,
                jobs=2,
                **options,  # type: ignore[arg-type]
            )
        return {result.task: result for result in results}


@pytest.fixture(scope="session")
def evaluated(module_dir: Path) -> Evaluated:
    """All kinds of tasks, a broken one and a stray file, evaluated once."""
    tasks_dir = module_dir / "tasks"
    write_scene_task(tasks_dir / "scene-v1")
    write_scene_task(tasks_dir / "folds-v1", folds=3)
    write_scene_task(tasks_dir / "multi-v1", multilabel=True)
    write_event_task(tasks_dir / "event-v1")
    broken = write_scene_task(tasks_dir / "broken-v1")
    (broken / "16000").rename(broken / "48000")
    (tasks_dir / "notes.txt").write_text("not a task")
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("hear_fusion.tasks")
    logger.addHandler(handler)
    session = Evaluated(module_dir, tasks_dir, module_dir / "embeddings", [], "")
    session.results = list(session.run().values())
    logger.removeHandler(handler)
    session.notes = "\n".join(records)
    return session


@pytest.fixture(scope="session")
def plain(evaluated: Evaluated) -> Path:
    """Plain heareval on the same tasks: scene tasks first, the event task last."""
    tasks_dir = evaluated.cwd / "plain_tasks"
    for task in ("scene-v1", "folds-v1", "event-v1"):
        shutil.copytree(evaluated.tasks_dir / task, tasks_dir / task)
    embeddings = python(
        *("-m", "heareval.embeddings.runner", "tiny_spectrum", "--tasks-dir", tasks_dir),
        *("--embeddings-dir", "plain"),
        cwd=evaluated.cwd,
    )
    assert embeddings.returncode == 0, embeddings.stderr
    folders = [f"plain/tiny_spectrum/{task}" for task in ("scene-v1", "folds-v1", "event-v1")]
    predictions = python(
        *("-m", "heareval.predictions.runner", *folders, "--grid-points", "1"),
        cwd=evaluated.cwd,
        env={"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"},
    )
    (evaluated.cwd / "plain.log").write_text(predictions.stderr)
    return evaluated.cwd / "plain" / "tiny_spectrum"


def test_every_sound_task_has_a_score(evaluated: Evaluated) -> None:
    scored = {result.task: result.score for result in evaluated.results if result.score}
    assert sorted(scored) == TASKS
    for score in scored.values():
        assert score.module == "tiny_spectrum"
        assert score.low <= score.value <= score.high
        assert score.value > 0.5  # chance is 1/3 or less: the labels were learnt
    assert any(score.low < score.high for score in scored.values())
    assert [(scored[task].n, scored[task].unit) for task in TASKS] == [
        (6, "files"),
        (30, "clips"),
        (10, "clips"),
        (10, "clips"),
    ]


def test_a_broken_task_is_reported_and_stops_no_other(evaluated: Evaluated) -> None:
    (error,) = [result.error for result in evaluated.results if result.error]
    assert "broken-v1 must hold 16000 Hz audio in 16000/train, got sample rates 48000" in error
    assert "'hear-fusion tasks resample' and --sample-rate 16000" in error
    log = evaluated.embeddings_dir / ".logs" / "tiny_spectrum.embeddings.log"
    assert str(log) in error
    assert log.is_file()


def test_a_stray_file_is_noted(evaluated: Evaluated) -> None:
    assert "notes.txt: not a HEAR task" in evaluated.notes
    assert "v1: not a HEAR task" not in evaluated.notes


def test_working_folder_stays_clean(evaluated: Evaluated, plain: Path) -> None:
    assert not (evaluated.embeddings_dir / ".scratch").exists()
    assert [path.name for path in evaluated.embeddings_dir.glob("[!.]*")] == ["tiny_spectrum"]
    # `logs` is plain heareval's.
    names = {path.name for path in evaluated.cwd.iterdir()} - {"__pycache__", "logs"}
    assert names == {
        *("embeddings", "tasks", "tiny_spectrum.py"),
        *("plain", "plain.log", "plain_tasks"),
    }
    assert not list(evaluated.embeddings_dir.rglob("lightning_logs"))


def test_weights_are_recorded(evaluated: Evaluated) -> None:
    record = json.loads((evaluated.folder("scene-v1") / "weights.json").read_text())
    assert record["sha256"] == "default"
    assert record["module"] == "tiny_spectrum"
    assert record["heareval"] == "2021.1.3"


@pytest.mark.parametrize("task", ["scene-v1", "folds-v1"])
def test_scores_and_embeddings_are_those_of_plain_heareval(
    evaluated: Evaluated, plain: Path, task: str
) -> None:
    ours, theirs = evaluated.folder(task), plain / task
    score = read_official_score(ours, METRICS[task])
    assert score == read_official_score(theirs, METRICS[task])
    splits = json.loads((theirs / "task_metadata.json").read_text())["splits"]
    for split in splits:
        ours_bytes = (ours / f"{split}.embeddings.npy").read_bytes()
        assert ours_bytes == (theirs / f"{split}.embeddings.npy").read_bytes()
    predicted = next(theirs.glob("*.predictions.pkl")).name
    ours_predicted = read_predictions(ours / predicted)["prediction"].numpy()
    np.testing.assert_array_equal(
        ours_predicted, read_predictions(theirs / predicted)["prediction"].numpy()
    )


def test_plain_heareval_fails_on_the_event_task(evaluated: Evaluated, plain: Path) -> None:
    # If it no longer does, the patch for the epoch can go.
    assert not (plain / "event-v1" / "prediction-done.json").exists()
    log = (evaluated.cwd / "plain.log").read_text()
    assert "epoch_best_postprocessing" in log
    assert "KeyError" in log


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Lightning 1.9, when imported
def test_events_come_from_the_chosen_postprocessing(evaluated: Evaluated) -> None:
    from heareval.predictions.task_predictions import get_events_for_all_files

    folder = evaluated.folder("event-v1")
    scores = json.loads((folder / "test.predicted-scores.json").read_text())
    chosen = tuple((name, value) for name, value in scores["postprocessing"])
    stored = read_predictions(folder / "test.predictions.pkl")
    files = [name for name, _ in json.loads((folder / "test.filename-timestamps.json").read_text())]
    events = get_events_for_all_files(
        stored["prediction"],
        files,
        stored["timestamp"],
        {0: "high", 1: "low", 2: "mid"},
        {},
        chosen,
    )
    assert sum(map(len, events[chosen].values())) > 0
    assert events[chosen] == stored["predicted_events"]


def test_a_second_run_continues_the_first(evaluated: Evaluated) -> None:
    unchanged = [
        evaluated.folder("folds-v1") / "prediction-done.json",
        evaluated.folder("folds-v1") / "fold00.embeddings.npy",
        evaluated.folder("scene-v1") / "train.embeddings.npy",
    ]
    before = [path.stat().st_mtime_ns for path in unchanged]
    first = read_score(evaluated.folder("scene-v1"))
    # As a run killed while it predicted would leave them.
    (evaluated.folder("scene-v1") / "prediction-done.json").write_text("")
    (evaluated.folder("scene-v1") / "test.predicted-scores.json").write_text("{")
    # As one killed while it computed embeddings.
    (evaluated.folder("broken-v1") / "train.embeddings.npy").write_bytes(b"half")
    broken = evaluated.tasks_dir / "broken-v1"
    (broken / "48000").rename(broken / "16000")

    # And one whose predictions cannot be made.
    (evaluated.folder("multi-v1") / "prediction-done.json").unlink()
    (evaluated.folder("multi-v1") / "valid.target-labels.pkl").write_bytes(pickle.dumps([]))

    # What else may lie there by now.
    add_strays(evaluated.tasks_dir / "folds-v1")
    results = evaluated.run(tasks=["broken-v1", "folds-v1", "multi-v1", "scene-v1"])
    error = results.pop("multi-v1").error or ""
    log = evaluated.embeddings_dir / ".logs" / "tiny_spectrum" / "multi-v1.predictions.log"
    assert error.startswith(
        f"predicting multi-v1 from tiny_spectrum ended with 1; the end of {log}:"
    )
    assert "assert len(self.labels) == self.dim[0]" in error
    assert [result.error for result in results.values()] == [None] * 3
    assert [path.stat().st_mtime_ns for path in unchanged] == before
    assert results["scene-v1"].score == first
    assert results["broken-v1"].score is not None


def test_other_weights_and_other_settings_are_refused(evaluated: Evaluated) -> None:
    weights = evaluated.cwd / "embeddings" / ".gain.txt"
    weights.write_text("2.0")
    errors = [result.error or "" for result in evaluated.run(model=weights, tasks=TASKS).values()]
    assert len(errors) == 4
    assert all("must be made with the weights in use" in error for error in errors)
    assert all("got a folder made with default" in error for error in errors)
    assert "Traceback" not in errors[0]
    assert pickle.loads((evaluated.folder("scene-v1") / "test.target-labels.pkl").read_bytes())
