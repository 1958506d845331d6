"""``hear-fusion tasks resample``: the missing sample rate of whole task folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hear_fusion.cli import options
from hear_fusion.cli.errors import printable

if TYPE_CHECKING:
    from hear_fusion.audio import Way

_RATES = click.Choice(options.RATES)


@click.command()
@click.argument("tasks_dir", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--sample-rate",
    "to_hz",
    type=_RATES,
    default="16000",
    show_default=True,
    metavar="HZ",
    help="Rate to add: 16000, 22050, 32000, 44100 or 48000 Hz.",
)
@click.option(
    "--from",
    "from_hz",
    type=_RATES,
    metavar="HZ",
    help="Rate to make it from.  [default: the highest there]",
)
@options.task
@options.doubtful_sounds
@options.jobs
@options.no_wait
def resample(
    tasks_dir: Path,
    to_hz: str,
    from_hz: str | None,
    tasks: tuple[str, ...],
    way: Way | None,
    jobs: int,
) -> None:
    """Add a sample rate to the task folders in TASKS_DIR.

    heareval reads TASK/<rate of the model>/<split>, and the published HEAR tasks come at 48000 Hz
    only. Every file that the task names is resampled (soxr, very high quality) to 16-bit mono of
    the exact length. The new folder appears when it is complete; an interrupted run is continued
    by the same command. Broken files, and those that 16 bits would cut off or silence, are listed,
    and the others are done all the same.

    \b
    Example:
      hear-fusion tasks resample tasks
      hear-fusion tasks resample tasks --sample-rate 32000 --task esc50-v2.0.0-full
    """  # noqa: D301 -- click wants the character itself
    from hear_fusion.files.space import UnwritableError
    from hear_fusion.progress import progress_bar
    from hear_fusion.tasks.resample import plan_resampling, resample_task

    problems: list[str] = []
    try:
        plans = plan_resampling(
            tasks_dir, int(to_hz), int(from_hz) if from_hz else None, tasks or None, way or "refuse"
        )
        for plan in plans:
            with progress_bar(plan.task.name, len(plan.jobs), "file") as bar:
                done = resample_task(plan, jobs, bar.update)
            problems += done.problems
            source = "was there" if done.from_hz is None else f"from {done.from_hz} Hz"
            state = f"incomplete: {len(done.problems)} problems" if done.problems else source
            click.echo(f"{plan.task.name:36} {to_hz} Hz  {plan.n_files:7} files  {state}")
    except UnwritableError:  # says itself how to go on
        raise
    except OSError as err:
        raise click.ClickException(
            f"{err}; what is done is kept, and the same command continues"
        ) from err
    for problem in problems:
        click.echo(printable(problem), err=True)
    if problems:
        raise click.ClickException(
            f"{len(problems)} files could not be resampled; replace them, or take them out of the "
            "task, and give the same command again"
        )
