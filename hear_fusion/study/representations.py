"""Representations of a task's clips: single layers, fusions, the original embedding; their heads.

A representation is a choice of layers; its features are the stored arrays of these layers, side by
side, never copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from hear_fusion.backbones import ORIGINAL
from hear_fusion.embeddings.store import StoredTask
from hear_fusion.files.hashing import recipe_of
from hear_fusion.names import Choice
from hear_fusion.probes.cache import read_result, write_result
from hear_fusion.probes.linear import LinearResult, linear_evaluation
from hear_fusion.probes.protocol import Protocol
from hear_fusion.probes.published_learning_rates import published_learning_rates
from hear_fusion.progress import progress_bar
from hear_fusion.study.config import StudyConfig
from hear_fusion.tasks.folders import read_texts

LayerNumbers = tuple[int, ...]
"""Layer numbers of a representation, ascending; ``(ORIGINAL,)`` for the original embedding."""


def choice_of(backbone: str, layers: LayerNumbers) -> Choice:
    """Name a representation as a HEAR module is named.

    >>> str(choice_of("yamnet", (5, 13))), str(choice_of("yamnet", (ORIGINAL,)))
    ('yamnet_5_13', 'yamnet')
    """
    return Choice(backbone, () if layers == (ORIGINAL,) else layers)


def evaluate_representations(
    config: StudyConfig,
    task: StoredTask,
    representations: Iterable[LayerNumbers],
    *,
    heads: Path,
    device: str = "cpu",
) -> dict[LayerNumbers, LinearResult]:
    """Evaluate representations on a task with the linear protocol, or read where that is done.

    Args:
        config: The study's configuration.
        task: Scene features of all layers.
        representations: The layers of each.
        heads: Folder of the results of heads.
        device: Where heads train.

    Returns:
        One result a representation.
    """
    digest = _digest(task)
    results: dict[LayerNumbers, LinearResult] = {}
    waiting: dict[Protocol, dict[str, LayerNumbers]] = {}
    for layers in representations:
        protocol, name = _protocol(config, task, layers), str(choice_of(config.backbone, layers))
        recipe = recipe_of(digest, asdict(protocol))
        result = read_result(heads / task.name / f"{name}.npz", recipe)
        if result is not None:
            results[layers] = result
        else:
            waiting.setdefault(protocol, {})[name] = layers
    for protocol, named in waiting.items():
        recipe = recipe_of(digest, asdict(protocol))
        for name, result in _train(task, protocol, named, device):
            write_result(heads / task.name / f"{name}.npz", recipe, result)
            results[named[name]] = result
    return results


def _train(
    task: StoredTask, protocol: Protocol, named: Mapping[str, LayerNumbers], device: str
) -> Iterator[tuple[str, LinearResult]]:
    with progress_bar(f"heads of {task.name}", unit="run") as bar:

        def show(n_done: int, n_steps: int) -> None:
            bar.total = n_steps
            bar.update(n_done - bar.n)

        yield from linear_evaluation(
            {
                name: {
                    split: [task.features(split, number) for number in layers]
                    for split in task.splits
                }
                for name, layers in named.items()
            },
            {split: [str(label) for (label,) in task.labels(split)] for split in task.splits},
            task.metadata,
            protocol,
            device=device,
            on_step=show,
        )


def _protocol(config: StudyConfig, task: StoredTask, layers: LayerNumbers) -> Protocol:
    if not config.published_learning_rates:
        return config.protocol
    named = () if layers == (ORIGINAL,) else layers
    published = published_learning_rates(config.backbone, named, task.metadata.task_name)
    return replace(config.protocol, learning_rates=published)


def _digest(task: StoredTask) -> str:
    """Hash what the features and labels of a task were made of."""
    return recipe_of(read_texts(task.folder), task.weights_sha256, dict(task.options), task.sounds)
