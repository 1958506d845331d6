"""What a study found, as records that are written once and read by every report.

A results folder holds one folder a network with ``study.json``, and the results of all heads, with
the correctness of every test clip, from which intervals and paired tests were made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from hear_fusion.errors import InvalidError
from hear_fusion.files.records import FORMAT, read_record, to_record, write_record
from hear_fusion.files.space import make_folder
from hear_fusion.names import Choice
from hear_fusion.study.selection import Group, Grouping, fused_layers

STUDY_FILE = "study.json"


@dataclass(frozen=True)
class Estimate:
    """Accuracy of one representation on one task under the linear evaluation.

    Attributes:
        value: Mean over seeds and folds, in [0, 1].
        deviation: Standard deviation over the seeds' means and, in k-fold tasks, folds.
        low, high: 95 % interval over test clips (their correctness averaged over seeds).
        n: Test clips, over all folds.
        n_seeds, n_folds: Repetitions behind the mean.
        valid: Accuracy on validation clips at the chosen learning rate, mean over seeds and folds.
        learning_rate: The one chosen on validation.
        official: heareval's score of the same representation, if there is one.
    """

    value: float
    deviation: float
    low: float
    high: float
    n: int
    n_seeds: int
    n_folds: int
    valid: float
    learning_rate: float
    official: float | None = None


@dataclass(frozen=True)
class Gain:
    """What the fusion gains over the original embedding on one task.

    Attributes:
        value: Difference of accuracies, fused minus original.
        low, high: 95 % interval over test clips, paired.
        p: Two-sided p of a paired sign-flip test over test clips.
        n: Test clips.
        official: The same difference of heareval's scores, if both exist.
    """

    value: float
    low: float
    high: float
    p: float
    n: int
    official: float | None = None


@dataclass(frozen=True)
class TaskStudy:
    """Everything found on one task.

    Attributes:
        task: Name of the task folder.
        n_clips: Clips of all splits.
        n_classes: Labels of the vocabulary.
        n_folds: Folds; 1 for a train/valid/test task.
        group: Which choice of layer the task speaks for: M (middle) or L (late).
        layers: One estimate a layer number, ascending.
        original: The network's own embedding (the baseline).
        fused: The fusion of the chosen layers.
        gain: Fused against original.
    """

    task: str
    n_clips: int
    n_classes: int
    n_folds: int
    group: Group
    layers: Mapping[int, Estimate]
    original: Estimate
    fused: Estimate
    gain: Gain


@dataclass(frozen=True)
class Study:
    """One network on a set of tasks: Sections IV-B and IV-C.

    Attributes:
        backbone: Network, a key of the registry.
        middle, late: The chosen layers M and L.
        selection: Scores that M and L were chosen on.
        grouping: Where the groups of tasks come from: the configuration, the data, or both.
        tasks: One record a task.
        weights_sha256: The network's weights.
        config: The configuration as it was read, with every default filled in.
        versions: Package versions.
        hardware: Words about the machine.
        wall_s: Wall time that features and heads took (``embed``, ``heads``), in whichever run.
        peak_bytes: Highest resident memory of the last run.
        date: ISO date of the run.
    """

    backbone: str
    middle: int
    late: int
    selection: Literal["validation", "test"]
    grouping: Grouping
    tasks: tuple[TaskStudy, ...]
    weights_sha256: str
    config: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    hardware: str = ""
    wall_s: Mapping[str, float] = field(default_factory=dict)
    peak_bytes: int = 0
    date: str = ""

    @property
    def chosen(self) -> tuple[int, ...]:
        """Layers of the fusion, ascending; one alone where M and L are the same."""
        return fused_layers(self.middle, self.late)

    @property
    def choice(self) -> Choice:
        """The fusion of the chosen layers."""
        return Choice(self.backbone, self.chosen)

    @property
    def module(self) -> str:
        """Short name of the fused HEAR module."""
        return str(self.choice)

    def write(self, folder: Path) -> Path:
        """Write ``study.json`` into a folder, whole or not at all."""
        make_folder(folder)
        return write_record(folder / STUDY_FILE, asdict(self))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a ``study.json``.

        Raises:
            ValueError: If the file is not one, or one of another format.
        """
        content = read_record(path)
        try:
            if content is None:
                raise InvalidError(f"a damaged file, or none of format {FORMAT}")
            return to_record(cls, content)
        except ValueError as err:
            raise InvalidError(
                f"{path} must be a {STUDY_FILE} of 'hear-fusion study', got: {err}; run it again"
            ) from err


def find_studies(results: Path) -> list[Study]:
    """Read every study below a results folder, in the order of their paths.

    Raises:
        ValueError: If there is none.
    """
    paths = sorted(results.rglob(STUDY_FILE))
    if not paths:
        raise InvalidError(
            f"results must be a folder with {STUDY_FILE} in it or below it, got {results}; "
            "make one with 'hear-fusion study'"
        )
    return [Study.read(path) for path in paths]
