"""The demonstration: six small HEAR tasks from sounds that come with pip packages."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from hear_fusion.demo.note_tasks import plan_events, plan_instruments, plan_pitches
from hear_fusion.demo.plan import Plan
from hear_fusion.demo.speech_tasks import plan_languages, plan_voices, plan_words
from hear_fusion.demo.synthesis.notes import soundfont_path
from hear_fusion.demo.synthesis.packages import installed_versions
from hear_fusion.files.hashing import recipe_of
from hear_fusion.tasks.writer import TaskSummary, write_task_folder

DEMO_TASKS: dict[str, Callable[[], Plan]] = {
    "instruments": plan_instruments,
    "pitches": plan_pitches,
    "words": plan_words,
    "languages": plan_languages,
    "voices": plan_voices,
    "events": plan_events,
}
# Counts up when a change of the rendering code changes the sounds.
_RENDERING = 2


def plan_demo(names: Sequence[str]) -> list[Plan]:
    """Plan demonstration tasks.

    Raises:
        ValueError: If a name is not one of ``DEMO_TASKS``.
    """
    unknown = [name for name in names if name not in DEMO_TASKS]
    if unknown:
        raise ValueError(f"names must be out of {', '.join(DEMO_TASKS)}, got {unknown}")
    return [DEMO_TASKS[name]() for name in names]


def build_demo_task(
    out: Path,
    plan: Plan,
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


def _recipe(plan: Plan, sample_rates: Sequence[int]) -> str:
    sources: dict[str, str] = installed_versions(plan.packages)
    if "pretty_midi" in plan.packages:
        # The SoundFont counts, not the version of the package around it.
        sources["pretty_midi"] = hashlib.sha256(soundfont_path().read_bytes()).hexdigest()
    return recipe_of(
        _RENDERING, plan.metadata.as_json(), plan.clips, plan.jobs, list(sample_rates), sources
    )
