"""Representations of a task's clips: single layers, fusions, the original embedding; their heads.

A representation is a choice of layers; its features are the stored arrays of these layers, side by
side, never copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tqdm import tqdm

from hear_fusion.backbones import ORIGINAL
from hear_fusion.embeddings.store import StoredTask
from hear_fusion.files.hashing import recipe_of
from hear_fusion.names import Choice
from hear_fusion.probes.cache import read_result, write_result
from hear_fusion.probes.linear import LinearResult, linear_evaluation
from hear_fusion.probes.protocol import Protocol
from hear_fusion.probes.published_learning_rates import published_learning_rates
from hear_fusion.study.config import StudyConfig
from hear_fusion.tasks.folders import text_files

LayerNumbers = tuple[int, ...]
"""Layer numbers of a representation, ascending; ``(ORIGINAL,)`` for the original embedding."""


def choice_of(backbone: str, layers: LayerNumbers) -> Choice:
    """Name a representation as a HEAR module is named.

    >>> str(choice_of("yamnet", (5, 13))), str(choice_of("yamnet", (ORIGINAL,)))
    ('yamnet_5_13', 'yamnet')
    """
    return Choice(backbone, () if layers == (ORIGINAL,) else layers)


@dataclass(frozen=True)
class HeadTrainer:
    """Trains the heads of a study, or reads them where they have been trained.

    Attributes:
        config: The study's configuration.
        cache: Folder of results.
        device: Where heads train.
    """

    config: StudyConfig
    cache: Path
    device: str = "cpu"

    def evaluate(
        self, task: StoredTask, representations: Iterable[LayerNumbers]
    ) -> dict[LayerNumbers, LinearResult]:
        """Evaluate representations on a task with the linear protocol.

        Args:
            task: Scene features of all layers.
            representations: The layers of each.

        Returns:
            One result a representation.
        """
        digest = _digest(task)
        results: dict[LayerNumbers, LinearResult] = {}
        waiting: dict[Protocol, dict[str, LayerNumbers]] = {}
        for layers in representations:
            protocol = self._protocol(task, layers)
            found = read_result(self._path(task, layers), recipe_of(digest, asdict(protocol)))
            if found is not None:
                results[layers] = found
            else:
                name = str(choice_of(self.config.backbone, layers))
                waiting.setdefault(protocol, {})[name] = layers
        for protocol, named in waiting.items():
            for name, result in self._train(task, protocol, named):
                recipe = recipe_of(digest, asdict(protocol))
                write_result(self._path(task, named[name]), recipe, result)
                results[named[name]] = result
        return results

    def _train(
        self, task: StoredTask, protocol: Protocol, named: dict[str, LayerNumbers]
    ) -> Iterator[tuple[str, LinearResult]]:
        with tqdm(unit="run", leave=False, disable=None, desc=f"heads of {task.name}") as bar:

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
                device=self.device,
                on_step=show,
            )

    def _protocol(self, task: StoredTask, layers: LayerNumbers) -> Protocol:
        protocol = self.config.protocol
        if self.config.published_learning_rates:
            named = () if layers == (ORIGINAL,) else layers
            protocol = replace(
                protocol,
                learning_rates=published_learning_rates(
                    self.config.backbone, named, task.metadata["task_name"]
                ),
            )
        return protocol

    def _path(self, task: StoredTask, layers: LayerNumbers) -> Path:
        return self.cache / task.name / f"{choice_of(self.config.backbone, layers)}.npz"


def _digest(task: StoredTask) -> str:
    """Hash what the features and labels of a task were made of; weights are in the record."""
    digest = hashlib.sha256()
    for path in text_files(task.folder):
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()
