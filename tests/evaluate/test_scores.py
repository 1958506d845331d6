"""Scores recomputed from stored predictions, and their intervals."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hear_fusion.evaluate.predictions import read_predictions
from hear_fusion.evaluate.scores import make_fold, read_score
from hear_fusion.metrics.bootstrap import Fold, bootstrap_interval, score_folds
from tests.tasks.hear_tasks import PITCHES_HZ, python, write_scene_task

LABELS = list(PITCHES_HZ)
EVENT_METRICS = [
    "event_onset_200ms_fms",
    "event_onset_50ms_fms",
    "event_onset_offset_50ms_20perc_fms",
    "segment_1s_er",
]


def clip_predictions(n: int, seed: int = 0) -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    expected = torch.randint(0, 3, (n,), generator=rng)
    target = torch.nn.functional.one_hot(expected, 3).float()
    prediction = torch.softmax(target + torch.randn(n, 3, generator=rng), dim=1)
    return {"target": target, "prediction": prediction}


def event_predictions(n: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    target: dict[str, list[dict[str, Any]]] = {}
    found: dict[str, list[dict[str, Any]]] = {}
    for i in range(n):
        starts = np.sort(rng.uniform(0, 4000, size=i % 4))
        target[f"{i}.wav"] = [
            {"label": LABELS[k % 3], "start": start, "end": start + 300.0}
            for k, start in enumerate(starts)
        ]
        found[f"{i}.wav"] = [
            event | {"start": event["start"] + shift, "end": event["end"] + 2 * shift}
            for event in target[f"{i}.wav"]
            for shift in rng.choice([0.0, 20.0, 100.0, 400.0], size=rng.integers(0, 4))
        ]
    return {"target_events": target, "predicted_events": found}


def official_score(metric: str, predicted: Any, target: Any) -> float:
    from heareval.score import available_scores

    official = available_scores[metric](label_to_idx={name: i for i, name in enumerate(LABELS)})
    score = official(predicted, target)
    return float(score[0][1] if isinstance(score, tuple) else score)


@pytest.mark.parametrize(
    "metric", ["top1_acc", "pitch_acc", "chroma_acc", "mAP", "aucroc", "d_prime"]
)
def test_clip_scores_are_those_of_heareval(metric: str) -> None:
    stored = clip_predictions(40)
    fold = make_fold(metric, stored, LABELS)
    expected = official_score(metric, stored["prediction"].numpy(), stored["target"].numpy())
    assert 0 < expected < 4
    assert fold.n == 40
    assert fold.score(np.arange(40)) == pytest.approx(expected, abs=1e-12)
    drawn = np.array([3, 3, 5, 8, 9, 11, 20, 21, 22])
    again = official_score(
        metric, stored["prediction"].numpy()[drawn], stored["target"].numpy()[drawn]
    )
    assert fold.score(drawn) == pytest.approx(again, abs=1e-12)


def test_chroma_ignores_octaves() -> None:
    target, prediction = torch.eye(24)[[0, 1, 2]], torch.eye(24)[[12, 13, 3]]
    fold = make_fold("chroma_acc", {"target": target, "prediction": prediction}, ["a"] * 24)
    assert fold.score(np.arange(3)) == pytest.approx(2 / 3)


@pytest.mark.parametrize("metric", EVENT_METRICS)
def test_event_scores_are_those_of_heareval(metric: str) -> None:
    stored = event_predictions(12)
    fold = make_fold(metric, stored, LABELS)
    expected = official_score(metric, stored["predicted_events"], stored["target_events"])
    assert 0 < expected < 2
    n_events = [sum(map(len, stored[key].values())) for key in sorted(stored)]
    assert n_events[0] != n_events[1]  # so that precision, recall and F differ
    assert fold.n == 12
    assert fold.score(np.arange(12)) == pytest.approx(expected, abs=1e-12)
    chosen = {f"{i}.wav" for i in range(5)}
    part = official_score(
        metric,
        {file: found for file, found in stored["predicted_events"].items() if file in chosen},
        {file: found for file, found in stored["target_events"].items() if file in chosen},
    )
    assert fold.score(np.arange(5)) == pytest.approx(part, abs=1e-12)


def test_no_event_found_has_no_score() -> None:
    stored = event_predictions(4)
    stored["predicted_events"] = {file: [] for file in stored["predicted_events"]}
    fold = make_fold("event_onset_200ms_fms", stored, LABELS)
    assert np.isnan(fold.score(np.arange(4)))
    assert all(np.isnan(bootstrap_interval([fold], n_resamples=20)))


@pytest.mark.parametrize("metric", ["mAP", "aucroc"])
def test_a_class_lost_in_a_resample_is_left_out(metric: str) -> None:
    stored = clip_predictions(30)
    fold = make_fold(metric, stored, LABELS)
    target, prediction = stored["target"].numpy(), stored["prediction"].numpy()
    without_last = np.flatnonzero(target[:, 2] == 0)
    expected = official_score(metric, prediction[without_last, :2], target[without_last, :2])
    assert fold.score(without_last) == pytest.approx(expected, abs=1e-12)


def test_interval_is_the_binomial_one() -> None:
    correct = np.arange(400) < 300
    fold = Fold(400, lambda drawn: float(correct[drawn].mean()))
    low, high = bootstrap_interval([fold])
    deviation = np.sqrt(0.75 * 0.25 / 400)
    assert low == pytest.approx(0.75 - 1.96 * deviation, abs=0.004)
    assert high == pytest.approx(0.75 + 1.96 * deviation, abs=0.004)
    assert bootstrap_interval([fold]) == (low, high)


def test_resamples_without_a_score_are_left_out() -> None:
    fold = Fold(2, lambda drawn: float("nan") if 0 in drawn else 0.5)
    assert bootstrap_interval([fold], n_resamples=50) == (0.5, 0.5)


def test_each_fold_is_scored_on_its_own_clips() -> None:
    folds = [Fold(n, lambda drawn: float(drawn.max())) for n in (10, 30)]
    assert score_folds(folds, [np.arange(10), np.arange(30)]) == 19.0


def test_folds_are_drawn_apart() -> None:
    # All of a fold's clips agree, so only drawing across folds could move the mean.
    folds = [Fold(10, lambda _drawn: 1.0), Fold(30, lambda _drawn: 0.0)]
    assert score_folds(folds, [np.arange(10), np.arange(30)]) == 0.5
    assert bootstrap_interval(folds, n_resamples=50) == (0.5, 0.5)


def predicted_folder(folder: Path) -> Path:
    """A task folder as heareval leaves it, as far as scores are concerned."""
    write_scene_task(folder, n_clips=1)
    stored = clip_predictions(20)
    fold = make_fold("top1_acc", stored, LABELS)
    score = float(np.float32(fold.score(np.arange(20))))
    (folder / "test.predictions.pkl").write_bytes(pickle.dumps(stored))
    scores = {"test": {"test_top1_acc": score}}
    (folder / "test.predicted-scores.json").write_text(json.dumps(scores))
    return folder


def test_read_score(tmp_path: Path) -> None:
    score = read_score(predicted_folder(tmp_path / "module-a=1" / "task-v1"))
    assert (score.module, score.task, score.metric) == ("module-a=1", "task-v1", "top1_acc")
    assert (score.n, score.unit, score.lower_is_better) == (20, "clips", False)
    assert 0.4 < score.low < score.value < score.high <= 1


def test_tensorflow_is_not_imported(tmp_path: Path) -> None:
    predicted_folder(tmp_path / "m" / "t")
    code = (
        "import sys; from pathlib import Path; from hear_fusion.evaluate.scores import *;"
        "read_score(Path('m/t')); make_fold('mAP', read_predictions(Path('m/t')"
        "/'test.predictions.pkl'), ['a', 'b', 'c']);"
        "assert 'heareval.score' in sys.modules; assert 'tensorflow' not in sys.modules"
    )
    done = python("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_scores_of_other_predictions_are_refused(tmp_path: Path) -> None:
    folder = predicted_folder(tmp_path / "m" / "t")
    stored = clip_predictions(20, seed=7)
    stored["prediction"] = 1 - stored["target"]
    (folder / "test.predictions.pkl").write_bytes(pickle.dumps(stored))
    with pytest.raises(ValueError, match=r"must agree on top1_acc, got 0\.\d+ and 0\.0; delete"):
        read_score(folder)


def test_missing_scores_say_what_to_do(tmp_path: Path) -> None:
    folder = predicted_folder(tmp_path / "m" / "t")
    (folder / "test.predicted-scores.json").write_text('{"test": {"test_mAP": 1.0}}')
    with pytest.raises(ValueError, match="must hold test_top1_acc, got test_mAP"):
        read_score(folder)
    (folder / "test.predicted-scores.json").unlink()
    with pytest.raises(ValueError, match="run 'hear-fusion evaluate'"):
        read_score(folder)


class Evil:
    def __reduce__(self) -> Any:
        return print, ("code ran",)


def test_pickles_cannot_run_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "test.predictions.pkl"
    path.write_bytes(pickle.dumps({"target": Evil()}))
    with pytest.raises(ValueError, match=r"builtins\.print is not data"):
        read_predictions(path)
    assert capsys.readouterr().out == ""


def test_pickled_storages_cannot_run_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A tensor's bytes are a pickle within the pickle.
    torch.save(Evil(), tmp_path / "inner", _use_new_zipfile_serialization=False)
    path = tmp_path / "test.predictions.pkl"
    inner = pickle.dumps((tmp_path / "inner").read_bytes())[2:-1]
    path.write_bytes(b"\x80\x04ctorch.storage\n_load_from_bytes\n" + inner + b"\x85R.")
    with pytest.raises((ValueError, pickle.UnpicklingError)):
        read_predictions(path)
    assert capsys.readouterr().out == ""
