"""Whole HEAR task folders at another sample rate.

The published tasks come at 48 kHz and heareval wants the model's own rate. The new rate's folder
is built inside the task under a hidden name, file by file, and gets its own when it is complete.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hear_fusion.audio import Way, read_sound
from hear_fusion.errors import InvalidError
from hear_fusion.files.lock import exclusive
from hear_fusion.files.space import make_folder
from hear_fusion.parallel.pool import map_unordered
from hear_fusion.tasks.folders import find_tasks, rate_folders
from hear_fusion.tasks.schema import METADATA_FILE, SAMPLE_RATES, TaskMetadata, read_labels
from hear_fusion.tasks.wav import write_pcm16


@dataclass(frozen=True)
class Job:
    """One file: where it is read and written, both rates in Hz, seconds if the task fixes them.

    ``way`` is what to do with a sound that 16 bits would cut off or silence.
    """

    source: Path
    target: Path
    from_hz: int
    to_hz: int
    duration_s: float | None
    way: Way = "refuse"


@dataclass(frozen=True)
class ResamplePlan:
    """What a task needs: the files to make, those made before, and what is wrong already.

    ``from_hz`` is None for a task that has the rate.
    """

    task: Path
    to_hz: int
    from_hz: int | None
    names: dict[str, list[str]]
    jobs: tuple[Job, ...] = ()
    problems: tuple[str, ...] = ()
    way: Way = "refuse"

    @property
    def n_files(self) -> int:
        """Number of files of the task, in all splits."""
        return sum(len(names) for names in self.names.values())

    @property
    def partial_folder(self) -> Path:
        """Where the files are collected; what came from another rate is not mixed in."""
        return self.task / f".{self.to_hz}-from-{self.from_hz}"


def plan_resampling(
    tasks_dir: Path,
    to_hz: int,
    from_hz: int | None = None,
    names: tuple[str, ...] | None = None,
    way: Way = "refuse",
) -> list[ResamplePlan]:
    """Find out what tasks need, without writing anything.

    Args:
        tasks_dir: Folder of HEAR task folders, or one of them.
        to_hz: Rate to add in Hz.
        from_hz: Rate to make it from; by default the highest that the task has.
        names: Names of the tasks wanted; None for all.
        way: What to do with sounds that 16 bits would cut off or silence.

    Returns:
        One plan a task, sorted by name; without jobs where its texts or its rates are wrong.

    Raises:
        ValueError: If the rate is not HEAR's, there is no task, or one lacks its files.
    """
    if to_hz not in SAMPLE_RATES:
        raise InvalidError(f"sample_rate must be one of {SAMPLE_RATES} Hz, got {to_hz}")
    if (tasks_dir / METADATA_FILE).is_file():
        tasks_dir, names = tasks_dir.resolve().parent, (tasks_dir.resolve().name,)
    return [_plan(task, to_hz, from_hz, way) for task in find_tasks(tasks_dir, names)]


def resample_task(
    plan: ResamplePlan, n_jobs: int = 1, on_file: Callable[[], object] = lambda: None
) -> ResamplePlan:
    """Add the missing rate to a task; files that an interrupted run made are kept.

    Args:
        plan: What the task needs (``plan_resampling``).
        n_jobs: Processes side by side; 1 for this one alone.
        on_file: Called after each file, for a progress bar.

    Returns:
        The plan with all problems. Without any the rate is complete and under its name; otherwise
        the good files wait in the hidden folder for the next run.

    Raises:
        OSError: If files cannot be written, for example since the disk is full.
    """
    if plan.from_hz is None:
        return plan
    with exclusive(plan.task / f".{plan.to_hz}.lock", keep=False):
        # Another process may have been at work meanwhile.
        return _resample(_plan(plan.task, plan.to_hz, plan.from_hz, plan.way), n_jobs, on_file)


def _resample(plan: ResamplePlan, n_jobs: int, on_file: Callable[[], object]) -> ResamplePlan:
    if plan.from_hz is None:
        return plan
    for split in plan.names:
        make_folder(plan.partial_folder / split)
    problems = list(plan.problems)
    for problem in map_unordered(resample_file, plan.jobs, n_jobs):
        if problem is not None:
            problems.append(problem)
        on_file()
    if not problems:
        _drop_strangers(plan)
        plan.partial_folder.rename(plan.task / str(plan.to_hz))
        for leftover in plan.task.glob(f".{plan.to_hz}-from-*"):
            shutil.rmtree(leftover)
    return replace(plan, problems=tuple(problems))


def resample_file(job: Job) -> str | None:
    """Write one file at the new rate, whole or not at all; return what is wrong with its source."""
    try:
        sound = read_sound(job.source)
        n_channels = sound.samples.shape[1]
        if sound.sample_rate != job.from_hz:
            return f"{job.source}: is at {sound.sample_rate} Hz in a folder of {job.from_hz} Hz"
        if n_channels != 1:
            return f"{job.source}: has {n_channels} channels, must be mono"
        audio = sound.samples[:, 0]
        n_samples = _n_samples(job, audio.size)
        write_pcm16(job.target, audio, job.from_hz, job.to_hz, n_samples, job.way)
    except InvalidError as err:
        return f"{job.source}: {err}"
    return None


def _n_samples(job: Job, n_source: int) -> int:
    if job.duration_s is not None:
        return round(job.duration_s * job.to_hz)
    return max(1, (2 * n_source * job.to_hz + job.from_hz) // (2 * job.from_hz))


def _plan(task: Path, to_hz: int, from_hz: int | None, way: Way) -> ResamplePlan:
    try:
        return _plan_of_whole(task, to_hz, from_hz, way)
    except (InvalidError, OSError) as err:
        return ResamplePlan(task, to_hz, None, {}, problems=(str(err),))


def _plan_of_whole(task: Path, to_hz: int, from_hz: int | None, way: Way) -> ResamplePlan:
    metadata = TaskMetadata.read(task)
    names = {split: list(read_labels(task, split)) for split in metadata.splits}
    target = task / str(to_hz)
    if target.exists():
        lost = [
            f"{target / split / name}: is missing; remove {target} to make all of it anew"
            for split in names
            for name in sorted(set(names[split]) - _listed(target / split))
        ]
        return ResamplePlan(task, to_hz, None, names, problems=tuple(lost))
    from_hz = _source_rate(task, from_hz)
    plan = ResamplePlan(task, to_hz, from_hz, names, way=way)
    jobs, problems = [], []
    for split, wanted in names.items():
        there, made = _listed(task / str(from_hz) / split), _listed(plan.partial_folder / split)
        for name in wanted:
            source = task / str(from_hz) / split / name
            if Path(name).name != name:
                problems.append(f"{task / f'{split}.json'}: {name!r} is not a bare file name")
            elif name not in there:
                problems.append(f"{source}: is missing")
            elif name not in made:
                partial = plan.partial_folder / split / name
                jobs.append(Job(source, partial, from_hz, to_hz, metadata.sample_duration, way))
    return replace(plan, jobs=tuple(jobs), problems=tuple(problems))


def _source_rate(task: Path, from_hz: int | None) -> int:
    rates = [int(folder.name) for folder in rate_folders(task)]
    if not rates or from_hz not in (None, *rates):
        raise InvalidError(
            f"task {task.name} must hold audio to resample at {from_hz or 'any'} Hz, "
            f"got sample rates {rates} in {task}"
        )
    return from_hz or rates[-1]


def _listed(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()


def _drop_strangers(plan: ResamplePlan) -> None:
    """Remove what an earlier run left and the task no longer names."""
    for split, names in plan.names.items():
        for stranger in _listed(plan.partial_folder / split) - set(names):
            (plan.partial_folder / split / stranger).unlink()
