"""Errors as users see them: in words, without traceback, and one task's stop no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from hear_fusion.errors import HearFusionError


def printable(text: object) -> str:
    r"""Put what no terminal can show, such as a name in another encoding, into escapes.

    >>> printable("caf\udce9.wav")
    'caf\\udce9.wav'
    """
    return str(text).encode("utf-8", "backslashreplace").decode()


class Program(click.Group):
    """A command line that tells errors raised on purpose, and the file system's, in words."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # nobody reads on: click ends quietly
            raise
        except (HearFusionError, OSError) as err:
            raise click.ClickException(printable(err)) from err


class FailedTasks:
    """Tasks that went wrong while the others went on."""

    def __init__(self) -> None:
        self._names: list[str] = []

    @property
    def n(self) -> int:
        """Number of tasks that failed."""
        return len(self._names)

    def add(self, task: str, err: Exception) -> None:
        """Tell of a task at once, and remember it."""
        self._names.append(task)
        click.echo(f"Error: {printable(task)}: {printable(err)}", err=True)

    @contextmanager
    def apart(self, task: str) -> Iterator[None]:
        """Keep what goes wrong with a task from the others."""
        try:
            yield
        except (HearFusionError, OSError) as err:
            self.add(task, err)

    def check(self, n_tasks: int) -> None:
        """Fail if a task did, and count those that failed unless it was the only one."""
        if self._names and n_tasks == 1:
            raise click.exceptions.Exit(1)
        if self._names:
            names = printable(", ".join(self._names))
            raise click.ClickException(f"{len(self._names)} of {n_tasks} tasks failed: {names}")
