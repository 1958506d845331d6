"""Options that several verbs share."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hear_fusion.tasks.schema import SAMPLE_RATES

PATH = click.Path(path_type=Path)


def _n_cores() -> int:
    from hear_fusion.parallel.machine import n_cores

    return n_cores()


def no_wait(verb: Callable[..., None]) -> Callable[..., None]:
    """Add ``--no-wait`` to a verb."""

    @click.option(
        "--no-wait",
        is_flag=True,
        help="If another process writes to the same folder, give up instead of waiting for it.",
    )
    @functools.wraps(verb)
    def within(*args: Any, no_wait: bool, **options: Any) -> None:
        from hear_fusion.files.lock import no_waiting

        # Not a resource of the context: click does not close one whose words it then refuses.
        with no_waiting() if no_wait else contextlib.nullcontext():
            verb(*args, **options)

    return within


def _device(_context: click.Context, _option: click.Parameter, word: str) -> str:
    from hear_fusion.errors import InvalidError
    from hear_fusion.runtimes.devices import find_device

    try:
        return str(find_device(word, name="--device"))
    except InvalidError as err:
        raise click.BadParameter(str(err)) from err


tasks_dir = click.option(
    "--tasks-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder of HEAR task folders; see 'hear-fusion tasks'.",
)
task = click.option(
    "--task", "tasks", multiple=True, metavar="NAME", help="Only this task folder; may be repeated."
)
weights = click.option(
    "--weights",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Weights file of the network; without it the default one.",
)
model_options = click.option(
    "--model-options", default="{}", metavar="JSON", help="Keyword arguments for load_model."
)
device = click.option(
    "--device",
    default="cpu",
    show_default=True,
    callback=_device,
    help="Such as cpu, cuda or cuda:1.",
)


embeddings_dir = click.option(
    "--embeddings-dir",
    type=PATH,
    default=Path("embeddings"),
    show_default=True,
    help="Where embeddings, predictions and scores are kept.",
)
jobs = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=_n_cores,
    metavar="N",
    help="Number of processes.  [default: one for each core]",
)


def doubtful_sounds(verb: Callable[..., object]) -> Callable[..., object]:
    """Let a user have sounds that 16 bits would cut off or silence."""
    for way, does in (
        ("scale", "divide those outside full scale so that they fit"),
        ("clip", "cut off those outside full scale"),
    ):
        verb = click.option(
            f"--{way}",
            "way",
            flag_value=way,
            help=f"Take sounds with doubtful values too, and {does}.  [default: refuse them]",
        )(verb)
    return verb


RATES = tuple(map(str, SAMPLE_RATES))


def sample_rates(*rates: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Let a verb write sounds at one or more of some rates."""
    return click.option(
        "--sample-rate",
        "sample_rates",
        multiple=True,
        default=("16000",),
        show_default=True,
        type=click.Choice(rates),
        metavar="HZ",
        help=f"Rate of the sound files in Hz: {', '.join(rates)}; may be given several times. "
        "Every network of this package takes 16000.",
    )
