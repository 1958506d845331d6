"""``hear-fusion tasks demo``: six small tasks without a download."""

from pathlib import Path

import click

from hear_fusion.cli import options
from hear_fusion.demo import DEMO_TASKS


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(DEMO_TASKS),
    help="Make this task and no other; may be given several times.",
)
@options.sample_rates("16000", "32000", "48000")
@options.no_wait
def demo(out: Path, only: tuple[str, ...], sample_rates: tuple[str, ...]) -> None:
    """Make six small tasks in the folder OUT, without a download.

    \b
    instruments  family of a recorded note            scene, 9 classes
    pitches      key of a recorded note               scene, 24 classes
    words        one of twelve spoken words           scene, 12 classes
    languages    language of a spoken sentence        scene, 8 classes
    voices       speaker of a phrase                  scene, 12 classes
    events       which instruments play, and when     event, 4 classes

    The notes come from a SoundFont, the speech from eSpeak NG, both out of pip packages. Test
    sounds share no recording, speaker or text with training where that is what the task is about;
    each folder's task_metadata.json tells the rule, the sources and their licences.

    They are a demonstration, not a benchmark. The result is the same to the bit on every run;
    folders that are already complete are kept, and others are made again from the start.

    \b
    Example:
      hear-fusion tasks demo tasks
      hear-fusion tasks demo tasks --only pitches --only events
    """  # noqa: D301 -- click wants the character itself
    from hear_fusion.demo.tasks import make_demo_tasks

    rates = [int(rate) for rate in dict.fromkeys(sample_rates)]
    make_demo_tasks(out, only or DEMO_TASKS, rates, click.echo)
