"""``hear-fusion tasks prepare`` and ``tasks list``: public data sets as HEAR task folders."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hear_fusion.cli import options
from hear_fusion.datasets import DATA_SETS

if TYPE_CHECKING:
    from hear_fusion.audio import Way
    from hear_fusion.datasets.prepare import Prepared

_EXISTING = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("name", type=click.Choice(list(DATA_SETS)), metavar="NAME")
@click.argument("source", type=_EXISTING)
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@options.sample_rates(*options.RATES)
@click.option(
    "--splits",
    "splits_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of splits: voxforge.csv or dataset_surge_tone_splits.csv of the paper's evaluation "
    "(EVAR), or iden_split.txt of VoxCeleb1 where it is not in SOURCE.",
)
@click.option(
    "--allow-missing",
    is_flag=True,
    help="Make the folder also if clips are missing; its name then ends in 'partial'.",
)
@options.doubtful_sounds
@options.jobs
@options.no_wait
def prepare(
    name: str,
    source: Path,
    out: Path,
    sample_rates: tuple[str, ...],
    splits_file: Path | None,
    allow_missing: bool,
    way: Way | None,
    jobs: int,
) -> None:
    """Make a HEAR task folder in OUT from the official archive of a data set.

    NAME is one of esc50, us8k, speech_commands, voxceleb1, voxforge, crema_d, gtzan, nsynth and
    surge; 'hear-fusion tasks list' tells where to get them. SOURCE is the archive as downloaded
    (tar or zip), or a folder with the archives, or with what was unpacked from them.

    Splits, labels and lengths are those of the paper's evaluation. Files that are unreadable,
    missing, surplus or there twice are listed by name, and the work goes on; at the end the counts
    must be those of the data set. An interrupted run is continued by the same command. Sounds
    that 16 bits would cut off or silence are listed as well; --scale or --clip takes them.

    \b
    Example:
      hear-fusion tasks prepare esc50 ESC-50-master.zip tasks
      hear-fusion tasks prepare voxceleb1 downloads/voxceleb1 tasks --splits iden_split.txt
    """  # noqa: D301 -- click wants the character itself
    from hear_fusion.datasets.prepare import prepare as run
    from hear_fusion.progress import progress_bar

    data_set = DATA_SETS[name]
    began = time.monotonic()
    total = sum(data_set.splitting.expected.values())
    try:
        with progress_bar(name, total, "clip") as bar:
            prepared = run(
                data_set,
                source,
                out,
                sample_rates=[int(rate) for rate in dict.fromkeys(sample_rates)],
                splits_file=splits_file,
                allow_missing=allow_missing,
                way=way or "refuse",
                jobs=jobs,
                on_clip=bar.update,
            )
    except KeyboardInterrupt:
        raise click.ClickException("interrupted; the same command goes on from here") from None
    except OSError as err:
        if err.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise click.ClickException(
            f"the disk of {out} is full; make room and run the same command again: what is "
            "converted stays"
        ) from err
    _tell(prepared, time.monotonic() - began)


def _tell(prepared: Prepared, seconds: float) -> None:
    from hear_fusion.datasets.faults import format_faults

    for line in format_faults(prepared.faults):
        click.echo(line)
    if prepared.faults_file is not None:
        click.echo(f"All of them: {prepared.faults_file}")
    for part, count in () if prepared.kept else prepared.found.items():
        expected = prepared.expected.get(part)
        click.echo(f"{part:8} {count:7} found" + (f" / {expected} expected" if expected else ""))
    if prepared.path is None:
        rule = (
            "the counts must be those of the data set; mend SOURCE and run the same command again "
            "(what is converted stays), or add --allow-missing"
        )
        raise click.ClickException("\n".join([*prepared.causes, rule]))
    click.echo(f"{prepared.path}{'  (was there)' if prepared.kept else f', {seconds:.0f} s'}")
