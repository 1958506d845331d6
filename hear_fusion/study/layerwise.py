"""The layer-wise study of a network and the fusion that it suggests: Sections IV-B and IV-C.

Every task's clips pass the network once; linear heads are trained on every layer; a middle and a
late layer are chosen by their scores; their fusion is compared with the original embedding.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hear_fusion.backbones import ORIGINAL
from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.embeddings.embed import embed_task
from hear_fusion.embeddings.statistics import task_statistics
from hear_fusion.embeddings.store import StoredTask
from hear_fusion.errors import HearFusionError, InvalidError
from hear_fusion.evaluate.layout import embeddings_folder_name
from hear_fusion.files.lock import exclusive
from hear_fusion.files.records import read_record
from hear_fusion.parallel.machine import describe_hardware, package_versions, peak_memory
from hear_fusion.probes.linear import LinearResult
from hear_fusion.runtimes.devices import find_device
from hear_fusion.study.config import StudyConfig
from hear_fusion.study.estimates import official_accuracy, to_estimate, to_gain
from hear_fusion.study.representations import LayerNumbers, choice_of, evaluate_representations
from hear_fusion.study.results import STUDY_FILE, Study, TaskStudy
from hear_fusion.study.selection import Group, Selection, select_layers
from hear_fusion.tasks.folders import find_tasks
from hear_fusion.tasks.schema import TaskMetadata

_LOGGER = logging.getLogger(__name__)

Results = Mapping[LayerNumbers, LinearResult]
"""By the layers of a representation, on one task."""


def _raise(_task: str, err: Exception) -> None:
    raise err


@dataclass(frozen=True)
class StudySetup:
    """Where a study takes its tasks from and puts its results.

    Attributes:
        tasks_dir: Folder of HEAR task folders.
        out: Results go to ``<out>/<network>``; with another way to normalise or to choose layers,
            to a folder of its own beside it.
        store: Root of the store of features; by default ``<out>/store``.
        weights: Weight file; None for the default one.
        tasks: Names of task folders; None for all.
        embeddings_dir: Where `hear-fusion evaluate` left official scores, if it did.
        paper_selection: Choose layers on test scores.
        task_statistics: Normalise AST's input by the statistics of each task.
        device: Where network and heads run.
        say: Called with what is going on.
        on_failure: Called with the name of a task that cannot be embedded, and why; the study goes
            on without it. By default the error is raised.
    """

    tasks_dir: Path
    out: Path
    store: Path | None = None
    weights: Path | None = None
    tasks: Sequence[str] | None = None
    embeddings_dir: Path | None = None
    paper_selection: bool = False
    task_statistics: bool = False
    device: str = "cpu"
    say: Callable[[str], object] = _LOGGER.info
    on_failure: Callable[[str, Exception], object] = _raise

    def heads_folder(self, backbone: str) -> Path:
        """Tell where a network's heads are kept, however layers are chosen by them."""
        return self.out / self._name(backbone) / "heads"

    def study_folder(self, backbone: str) -> Path:
        """Tell where the study is written."""
        name = self._name(backbone)
        return self.out / (f"{name}-paper-selection" if self.paper_selection else name)

    def _name(self, backbone: str) -> str:
        return f"{backbone}-task-statistics" if self.task_statistics else backbone


def run_study(config: StudyConfig, setup: StudySetup) -> Study:
    """Study a network, going on where a former run with the same settings ended.

    Args:
        config: Network, layers, groups of tasks, protocol.
        setup: Tasks, weights, folders.

    Returns:
        What was found; also written to ``study.json`` in `StudySetup.study_folder`.

    Raises:
        ValueError: If there is no such device or task, or a folder has other results in it.
        WeightsError: If the weights cannot be had.
    """
    find_device(setup.device)
    folders = _linear_tasks(setup)
    heads = setup.heads_folder(config.backbone)
    # Refuses a newer version's study before hours of work would replace it.
    read_record(setup.study_folder(config.backbone) / STUDY_FILE)
    with exclusive(heads.parent / ".lock"):
        loaded = LoadedBackbone.load(config.backbone, setup.weights, device=setup.device)
        if setup.task_statistics and "input_mean" not in loaded.model.backbone.weight_options:
            raise InvalidError(
                "task_statistics must be off for a network without input normalisation, got "
                f"{config.backbone}; it is for ast"
            )
        setup.say(f"one pass for all layers of {config.backbone}: {len(folders)} tasks")
        stored = _embed_all(loaded, folders, setup)
        evaluate = partial(evaluate_representations, config, heads=heads, device=loaded.device)
        alone: list[LayerNumbers] = [(ORIGINAL,), *((number,) for number in config.layers)]
        setup.say(f"linear heads on {len(alone)} representations of each")
        results = {task.name: evaluate(task, alone) for task in stored}
        selection = _select(config, stored, results, setup.paper_selection)
        setup.say(f"chosen: M = {selection.middle}, L = {selection.late}")
        for task in stored:
            results[task.name] |= evaluate(task, [selection.chosen])
        tasks = tuple(
            _task_study(config, task, results[task.name], selection, setup) for task in stored
        )
        study = Study(
            backbone=config.backbone,
            middle=selection.middle,
            late=selection.late,
            selection="test" if setup.paper_selection else "validation",
            grouping=selection.grouping,
            tasks=tasks,
            weights_sha256=loaded.model.weights_sha256,
            config={**config.as_json(), "task_statistics": setup.task_statistics},
            versions=package_versions(),
            hardware=describe_hardware(loaded.device),
            # Of the runs that made them, which need not be this one.
            wall_s={
                "embed": sum(task.wall_s for task in stored),
                "heads": sum(head.wall_s for task in results.values() for head in task.values()),
            },
            peak_bytes=peak_memory(),
            date=datetime.date.today().isoformat(),
        )
        study.write(setup.study_folder(config.backbone))
    return study


def _linear_tasks(setup: StudySetup) -> list[Path]:
    folders = []
    for task in find_tasks(setup.tasks_dir, setup.tasks):
        if TaskMetadata.read(task).is_single_label:
            folders.append(task)
        else:
            setup.say(f"leaving out {task.name}: not one label a clip")
    if not folders:
        raise InvalidError(
            f"tasks_dir must hold a task with one label a clip, got none in {setup.tasks_dir}"
        )
    return folders


def _embed_all(
    loaded: LoadedBackbone, tasks: Sequence[Path], setup: StudySetup
) -> list[StoredTask]:
    stored = []
    for task in tasks:
        try:
            stored.append(_embed(loaded, task, setup))
        except (HearFusionError, OSError) as err:
            setup.on_failure(task.name, err)
    if not stored:
        raise InvalidError(
            f"tasks_dir must hold a task that can be embedded, got none in {setup.tasks_dir}"
        )
    return stored


def _embed(loaded: LoadedBackbone, task: Path, setup: StudySetup) -> StoredTask:
    store = setup.store or setup.out / "store"
    if setup.task_statistics:
        mean, std = task_statistics(loaded, task)
        options = {"input_mean": mean, "input_std": std}
        loaded = LoadedBackbone.load(loaded.name, setup.weights, options, setup.device)
        store /= "task-statistics"
    stored = embed_task(loaded, task, store)
    assert stored is not None  # scene tasks need no modules
    return stored


def _select(
    config: StudyConfig,
    stored: Sequence[StoredTask],
    results: Mapping[str, Results],
    paper_selection: bool,
) -> Selection:
    def score(result: LinearResult) -> float:
        accuracy = result.test_accuracy if paper_selection else result.valid_accuracy
        return float(accuracy.mean())

    scores = {
        task: {number: score(of_task[number,]) for number in config.layers}
        for task, of_task in results.items()
    }
    given: dict[str, Group] = {}
    for task in stored:
        group = config.group_of(task.metadata.task_name)
        if group is not None:
            given[task.name] = group
    return select_layers(scores, given)


def _task_study(
    config: StudyConfig,
    task: StoredTask,
    results: Results,
    selection: Selection,
    setup: StudySetup,
) -> TaskStudy:
    officials = {layers: _official(config, task, layers, setup) for layers in results}
    estimates = {layers: to_estimate(head, officials[layers]) for layers, head in results.items()}
    original, fused = (ORIGINAL,), selection.chosen
    first, second = officials[original], officials[fused]
    difference = None if first is None or second is None else second - first
    return TaskStudy(
        task=task.name,
        n_clips=task.n_clips,
        n_classes=len({str(label) for split in task.splits for (label,) in task.labels(split)}),
        n_folds=len(results[original].correct),
        group=selection.groups[task.name],
        layers={number: estimates[number,] for number in config.layers},
        original=estimates[original],
        fused=estimates[fused],
        gain=to_gain(results[original], results[fused], difference),
    )


def _official(
    config: StudyConfig, task: StoredTask, layers: LayerNumbers, setup: StudySetup
) -> float | None:
    if setup.embeddings_dir is None:
        return None
    module = choice_of(config.backbone, layers).import_name
    folder = setup.embeddings_dir / embeddings_folder_name(module, task.options) / task.name
    return official_accuracy(folder, task.weights_sha256, task.sounds)
