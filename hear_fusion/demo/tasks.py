"""The demonstration: six small HEAR tasks from sounds that come with pip packages."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hear_fusion.demo import DEMO_TASKS
from hear_fusion.demo.note_tasks import plan_events, plan_instruments, plan_pitches
from hear_fusion.demo.plan import TaskPlan
from hear_fusion.demo.speech_tasks import plan_languages, plan_voices, plan_words
from hear_fusion.demo.synthesis.notes import SOUNDFONT_SHA256
from hear_fusion.demo.synthesis.packages import installed_versions
from hear_fusion.errors import InvalidError
from hear_fusion.files.hashing import recipe_of
from hear_fusion.progress import progress_bar
from hear_fusion.tasks.writer import TaskSummary, write_task_folder

_PLANNERS: dict[str, Callable[[], TaskPlan]] = dict(
    zip(
        DEMO_TASKS,
        (plan_instruments, plan_pitches, plan_words, plan_languages, plan_voices, plan_events),
        strict=True,
    )
)
# Counts up when a change of the rendering code changes the sounds.
_RENDERING = 2


def plan_demo(names: Sequence[str]) -> list[TaskPlan]:
    """Plan demonstration tasks.

    Raises:
        ValueError: If a name is not one of ``DEMO_TASKS``.
    """
    unknown = [name for name in names if name not in DEMO_TASKS]
    if unknown:
        raise InvalidError(f"names must be out of {', '.join(DEMO_TASKS)}, got {unknown}")
    return [_PLANNERS[name]() for name in names]


def make_demo_tasks(
    out: Path,
    names: Sequence[str] = DEMO_TASKS,
    sample_rates: Sequence[int] = (16000,),
    say: Callable[[str], object] = lambda _: None,
) -> None:
    """Make demonstration tasks; those that are there and complete are kept.

    Args:
        out: Folder of the tasks; made when absent.
        names: Which of ``DEMO_TASKS``.
        sample_rates: Rates to write in Hz.
        say: Called with a line about each task, and one about all.

    Raises:
        ValueError: If a name is not one of ``DEMO_TASKS``.
        PackagesMissingError: If a package of the extra ``demo`` is not installed.
        RenderError: If a program that makes the sounds fails.
        OSError: If a folder cannot be written.
    """
    began = time.monotonic()
    plans = plan_demo(names)
    for plan in plans:
        with progress_bar(plan.metadata.task_name, len(plan.clips), "clip") as bar:
            task = build_demo_task(out, plan, sample_rates, on_clip=bar.update)
        splits = " / ".join(f"{n} {split}" for split, n in task.clips_by_split.items())
        say(
            f"{task.path.name:32}  {splits:36}  {task.n_classes:2} classes  {task.seconds:4.0f} s"
            f"{'  (was there)' if task.kept else ''}"
        )
    say(f"{len(plans)} tasks in {out}, {time.monotonic() - began:.0f} s")


def build_demo_task(
    out: Path,
    plan: TaskPlan,
    sample_rates: Sequence[int],
    on_clip: Callable[[], None] = lambda: None,
) -> TaskSummary:
    """Write a planned task's folder into ``out``; bit for bit the same each time.

    Args:
        out: Folder of the tasks; made when absent.
        plan: The task (``plan_demo``).
        sample_rates: Rates to write in Hz.
        on_clip: Called after each clip, for a progress bar.

    Returns:
        What the folder holds. One that was already there with the same content is kept.

    Raises:
        PackagesMissingError: If a package of the extra ``demo`` is not installed.
    """
    return write_task_folder(
        out,
        plan.metadata,
        plan.clips,
        plan.render(),
        sample_rates=sample_rates,
        recipe=_recipe(plan, sample_rates),
        on_clip=on_clip,
    )


def _recipe(plan: TaskPlan, sample_rates: Sequence[int]) -> str:
    sources: dict[str, str] = installed_versions(plan.packages)
    if "pretty_midi" in plan.packages:
        # The SoundFont counts, not the version of the package around it.
        sources["pretty_midi"] = SOUNDFONT_SHA256
    return recipe_of(
        _RENDERING, plan.metadata.as_json(), plan.clips, plan.jobs, list(sample_rates), sources
    )
