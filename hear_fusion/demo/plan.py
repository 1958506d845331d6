"""What the demonstration's tasks have in common: their labelling and their small grid."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hear_fusion.tasks.schema import TRAIN_VALID_TEST, Clip, TaskMetadata
from hear_fusion.tasks.writer import Recording

VERSION, MODE = "v1.0.0", "small"
NOTICE = (
    "A demonstration, not a benchmark: small, rendered by a program, and made to show in minutes "
    "that the pipeline works. Do not report its scores as a model's quality."
)
SOUNDFONT_SOURCE = {
    "name": "TimGM6mb.sf2 by Tim Brechbill, from the Python package pretty_midi",
    "licence": "GPL-2.0",
    "url": "https://pypi.org/project/pretty_midi/",
}
SYNTH_SOURCE = {
    "name": "tinysoundfont, which plays it",
    "licence": "MIT",
    "url": "https://pypi.org/project/tinysoundfont/",
}
SPEECH_SOURCE = {
    "name": "eSpeak NG, from the Python package espeakng-loader",
    "licence": "GPL-3.0-or-later",
    "url": "https://pypi.org/project/espeakng-loader/",
}
TEXT_SOURCE = {"name": "texts written for hear_fusion", "licence": "Apache-2.0"}

# heareval's own grid has eight points of up to 500 epochs: minutes a task. With
# `--grid-points 2` this one takes seconds; it is small, but every point is trained to its end.
PARAM_GRID: Mapping[str, list[float]] = {
    "hidden_layers": [1],
    "hidden_dim": [512],
    "lr": [1e-3, 3.2e-4],
    "max_epochs": [100],
    "patience": [8],
    "check_val_every_n_epoch": [3],
}
# An epoch over frames is ten times an epoch over clips, and few are needed.
EVENT_PARAM_GRID: Mapping[str, list[float]] = {
    **PARAM_GRID,
    "hidden_dim": [256],
    "max_epochs": [60],
    "patience": [5],
    "check_val_every_n_epoch": [2],
}


@dataclass(frozen=True)
class TaskPlan:
    """A task before its sounds exist.

    Attributes:
        metadata: The task.
        clips: Names and labels of all clips.
        jobs: What decides the sounds, one a clip; part of the folder's recipe.
        packages: Modules that render them; their versions are part of the recipe.
        render: Makes the sounds, in the order of the clips.
    """

    metadata: TaskMetadata
    clips: list[Clip]
    jobs: Sequence[object]
    packages: tuple[str, ...]
    render: Callable[[], Iterator[Recording]]


def scene_metadata(
    name: str, seconds: float, extras: Mapping[str, object], *scores: str
) -> TaskMetadata:
    """Describe a demonstration task with one label a clip.

    Args:
        name: Task name.
        seconds: Length of every clip in seconds.
        extras: Keys for readers (``demo_extras``).
        scores: Official scores; the first one selects models.
    """
    return TaskMetadata(
        task_name=name,
        version=VERSION,
        mode=MODE,
        embedding_type="scene",
        prediction_type="multiclass",
        splits=TRAIN_VALID_TEST,
        sample_duration=seconds,
        evaluation=scores,
        evaluation_params={"task_specific_param_grid": PARAM_GRID},
        extras=extras,
    )


def demo_extras(
    description: str, split_rule: str, *sources: Mapping[str, str]
) -> dict[str, object]:
    """Tell a reader of ``task_metadata.json`` what these sounds are.

    Args:
        description: What the labels mean.
        split_rule: What keeps the splits apart.
        sources: Name, licence and address of what the sounds are made by.
    """
    return {
        "notice": NOTICE,
        "description": description,
        "split_rule": split_rule,
        "sources": [dict(source) for source in sources],
    }
