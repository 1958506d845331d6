"""``hear-fusion tasks``: make HEAR task folders."""

import click

from hear_fusion.cli.tasks.check import check
from hear_fusion.cli.tasks.demo import demo
from hear_fusion.cli.tasks.list import list_data_sets
from hear_fusion.cli.tasks.prepare import prepare
from hear_fusion.cli.tasks.resample import resample


@click.group()
def tasks() -> None:
    """Make, resample and check task folders, the form in which HEAR tools take sounds and labels.

    \b
    Examples:
      hear-fusion tasks demo tasks
      hear-fusion tasks prepare esc50 ESC-50-master.zip tasks
      hear-fusion tasks check tasks
      hear-fusion evaluate yamnet --tasks-dir tasks
    """  # noqa: D301 -- click wants the character itself


for _verb in (demo, list_data_sets, prepare, resample, check):
    tasks.add_command(_verb)
