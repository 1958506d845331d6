"""The study on tiny tasks with slim random weights: what it computes, keeps and refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from hear_fusion.backbones import ORIGINAL
from hear_fusion.cli import main
from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.embeddings.embed import embed_task
from hear_fusion.embeddings.statistics import task_statistics
from hear_fusion.files.records import NewerFormatError, write_record
from hear_fusion.probes.linear import linear_evaluation
from hear_fusion.probes.protocol import Protocol
from hear_fusion.study.config import StudyConfig
from hear_fusion.study.estimates import official_accuracy
from hear_fusion.study.layerwise import StudySetup, run_study
from hear_fusion.study.representations import choice_of
from hear_fusion.study.results import find_studies
from hear_fusion.study.selection import select_layers
from hear_fusion.tasks.schema import TaskMetadata
from tests.files.damaged import NEWER_WORDS, newer
from tests.tasks.hear_tasks import write_event_task, write_scene_task

PROTOCOL = Protocol(learning_rates=(1e-3, 1e-2), seeds=(1, 2), max_epochs=12)
CONFIG = StudyConfig("cnn14", (1, 2, 3, 4, 5, 6), protocol=PROTOCOL)


@pytest.fixture(scope="module")
def tasks_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    write_scene_task(folder / "scene", n_clips=24)
    write_scene_task(folder / "kfold", n_clips=15, folds=3)
    write_scene_task(folder / "many labels", n_clips=4, multilabel=True)
    write_event_task(folder / "event", n_clips=1)
    return folder


@pytest.fixture(scope="module")
def setup(
    tasks_dir: Path, weight_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> StudySetup:
    said: list[str] = []
    out = tmp_path_factory.mktemp("results")
    return StudySetup(tasks_dir, out, weights=weight_files["cnn14"], say=said.append)


def test_numbers_are_those_of_the_heads_on_the_stored_features(setup: StudySetup) -> None:
    study = run_study(CONFIG, setup)
    assert [task.task for task in study.tasks] == ["kfold", "scene"]
    network = LoadedBackbone.load("cnn14", setup.weights)
    scores = {}
    for found in study.tasks:
        stored = embed_task(network, setup.tasks_dir / found.task, setup.out / "store")
        assert stored is not None
        representations = {
            str(choice_of("cnn14", layers)): {
                split: [stored.features(split, number) for number in layers]
                for split in stored.splits
            }
            for layers in [(ORIGINAL,), *((n,) for n in CONFIG.layers), study.chosen]
        }
        labels = {split: [label for (label,) in stored.labels(split)] for split in stored.splits}
        results = dict(linear_evaluation(representations, labels, stored.metadata, PROTOCOL))
        for number, estimate in found.layers.items():
            result = results[f"cnn14_{number}"]
            assert estimate.value == pytest.approx(result.test_accuracy.mean(), abs=1e-12)
            assert estimate.valid == pytest.approx(result.valid_accuracy.mean(), abs=1e-12)
            assert estimate.low <= estimate.value <= estimate.high
        assert found.original.value == pytest.approx(results["cnn14"].test_accuracy.mean())
        assert found.fused.value == pytest.approx(results[study.module].test_accuracy.mean())
        assert found.gain.value == pytest.approx(found.fused.value - found.original.value)
        scores[found.task] = {
            n: float(results[f"cnn14_{n}"].valid_accuracy.mean()) for n in CONFIG.layers
        }
    expected = select_layers(scores, {})
    assert (study.middle, study.late) == (expected.middle, expected.late)
    assert {task.task: task.group for task in study.tasks} == expected.groups
    kfold, scene = study.tasks
    assert (kfold.n_folds, kfold.original.n, kfold.original.n_seeds) == (3, 45, 2)
    assert (scene.n_folds, scene.original.n, scene.n_clips, scene.n_classes) == (1, 24, 72, 3)
    # the features are learnable, so the numbers are not those of chance
    assert max(estimate.value for estimate in scene.layers.values()) > 0.6
    assert find_studies(setup.out / "cnn14") == [study]
    assert study.weights_sha256 == network.model.weights_sha256
    assert {"embed", "heads"} <= set(study.wall_s)
    assert study.peak_bytes > 1e8


def test_a_second_run_trains_nothing(setup: StudySetup, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_study(CONFIG, setup)

    def fail(*_args: object, **_kwargs: object) -> None:
        raise AssertionError

    monkeypatch.setattr("hear_fusion.study.representations.linear_evaluation", fail)
    again = run_study(CONFIG, setup)
    # What it took to make, not what it takes to look up.
    assert min(again.wall_s.values()) > 0
    assert replace(again, peak_bytes=first.peak_bytes) == first
    other = replace(CONFIG, protocol=replace(PROTOCOL, seeds=(3,)))
    with pytest.raises(AssertionError):  # another protocol is another result
        run_study(other, setup)


def test_selection_on_test_scores_and_groups_of_the_configuration(setup: StudySetup) -> None:
    config = replace(CONFIG, groups={"late": ("scene",), "middle": ("kfold",)})
    study = run_study(config, replace(setup, paper_selection=True))
    assert (study.selection, study.grouping) == ("test", "config")
    assert find_studies(setup.out / "cnn14-paper-selection") == [study]
    kfold, scene = study.tasks
    assert (kfold.group, scene.group) == ("middle", "late")
    assert study.late == max(scene.layers, key=lambda n: scene.layers[n].value)
    assert study.middle == max(kfold.layers, key=lambda n: kfold.layers[n].value)


def test_published_learning_rates_take_the_place_of_the_grid(setup: StudySetup) -> None:
    config = replace(CONFIG, published_learning_rates=True)
    study = run_study(config, replace(setup, tasks=["scene"]))
    (scene,) = study.tasks
    assert {found.learning_rate for found in scene.layers.values()} == {3e-4}


def test_ast_by_the_statistics_of_each_task(
    tasks_dir: Path, weight_files: dict[str, Path], tmp_path: Path
) -> None:
    config = StudyConfig("ast", (2, 12), protocol=replace(PROTOCOL, max_epochs=2))
    setup = StudySetup(tasks_dir, tmp_path, weights=weight_files["ast"], tasks=["scene"])
    plain = run_study(config, setup)
    measured = run_study(config, replace(setup, task_statistics=True))
    assert measured.config["task_statistics"] is True
    network = LoadedBackbone.load("ast", weight_files["ast"])
    mean, std = task_statistics(network, tasks_dir / "scene")
    told = LoadedBackbone.load("ast", weight_files["ast"], {"input_mean": mean, "input_std": std})
    stored = embed_task(told, tasks_dir / "scene", tmp_path / "store" / "task-statistics")
    assert stored is not None
    assert stored.options == {"input_mean": mean, "input_std": std}
    other = embed_task(network, tasks_dir / "scene", tmp_path / "store")
    assert other is not None
    assert not np.allclose(stored.features("test", 2), other.features("test", 2), atol=1e-2)
    assert plain.weights_sha256 == measured.weights_sha256
    # side by side, so that one report shows both
    assert find_studies(tmp_path) == [plain, measured]


def test_what_cannot_be_studied_is_said(setup: StudySetup, tasks_dir: Path, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(ValueError, match="one label a clip, got none"):
        run_study(CONFIG, replace(setup, tasks=["event", "many labels"], say=said.append))
    assert said == [
        "leaving out event: not one label a clip",
        "leaving out many labels: not one label a clip",
    ]
    with pytest.raises(ValueError, match=r"task_statistics must be off .* got cnn14"):
        run_study(CONFIG, replace(setup, task_statistics=True))


def test_official_accuracys_count_for_the_same_weights_and_accuracies_alone(tmp_path: Path) -> None:
    def finished(metric: str) -> Path:
        task = TaskMetadata("t", "v1", "full", "scene", "multiclass", ("test",), 1.0, (metric,))
        (tmp_path / "task_metadata.json").write_text(json.dumps(task.as_json()))
        scores = {"test": {f"test_{metric}": 0.75}}
        (tmp_path / "test.predicted-scores.json").write_text(json.dumps(scores))
        return tmp_path

    assert official_accuracy(tmp_path, "ab") is None
    assert official_accuracy(finished("top1_acc"), "ab") is None, "whose weights?"
    write_record(tmp_path / "weights.json", {"sha256": "ab"})
    assert official_accuracy(finished("top1_acc"), "ab") == 0.75
    assert official_accuracy(finished("pitch_acc"), "ab") == 0.75
    assert official_accuracy(finished("chroma_acc"), "ab") is None
    assert official_accuracy(finished("top1_acc"), "cd") is None


def test_a_newer_study_is_not_written_over(setup: StudySetup, tmp_path: Path) -> None:
    setup = replace(setup, out=tmp_path, paper_selection=True)
    path = write_record(tmp_path / "study.json", {})
    newer(path)
    folder = setup.study_folder("cnn14")
    folder.mkdir()
    before = path.rename(folder / "study.json").read_bytes()
    with pytest.raises(NewerFormatError, match=NEWER_WORDS):
        run_study(CONFIG, setup)
    assert (folder / "study.json").read_bytes() == before


def test_the_verbs_study_embed_and_report(
    tasks_dir: Path, weight_files: dict[str, Path], tmp_path: Path
) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(
        "backbone: yamnet\nlayers: [2, 5, 13]\nlearning_rates: [1e-2]\nseeds: [1]\nmax_epochs: 2\n"
    )
    shared = ["--tasks-dir", str(tasks_dir), "--weights", str(weight_files["yamnet"])]
    out, page = tmp_path / "results", tmp_path / "report.html"

    def run(*arguments: str) -> str:
        shown = CliRunner().invoke(main, list(arguments))
        assert shown.exit_code == 0, shown.output
        return shown.output

    said = run("study", str(config), *shared, "--task", "scene", "--out", str(out))
    assert "Layers of yamnet" in said
    assert "chosen: M = " in said
    run("report", str(out), "--out", str(page))
    assert "yamnet" in page.read_text()
    store, embeddings = str(tmp_path / "store"), tmp_path / "embeddings"
    said = run(
        *("embed", "--backbone", "yamnet", *shared, "--store", store),
        *("--modules", "yamnet_5_13", "yamnet", "--embeddings-dir", str(embeddings)),
        *("--task", "scene", "--task", "kfold"),
    )
    assert "scene: 72 clips" in said
    folders = {path.parent.relative_to(embeddings) for path in embeddings.rglob("weights.json")}
    modules = ("hear_fusion.yamnet_5_13", "hear_fusion.yamnet")
    assert folders == {Path(m) / task for m in modules for task in ("scene", "kfold")}
    for wrong, message in (
        (["study", "nothing", *shared], "YAML file or one of cnn14"),
        (["embed", "--backbone", "resnet", *shared, "--store", store], "must be one of cnn14"),
        (
            ["embed", "--backbone", "yamnet", *shared, "--store", store, "cnn14_3"],
            "choices of yamnet",
        ),
        (["report", str(tasks_dir), "--out", str(page)], "make one with 'hear-fusion study'"),
    ):
        shown = CliRunner().invoke(main, wrong)
        assert shown.exit_code != 0
        assert message in shown.output
