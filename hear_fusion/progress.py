"""How far a long stage has come: a bar on a terminal, one line anywhere else."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


def progress_bar(
    stage: str,
    total: int | None = None,
    unit: str = "step",
    *,
    initial: int = 0,
    quiet: bool = False,
) -> tqdm[Any]:
    """Begin a stage, and show it on stderr.

    Args:
        stage: What is being done.
        total: Units of work, if their number is known.
        unit: One of them, such as ``clip``; ``B`` for bytes.
        initial: Units done before.
        quiet: Show nothing at all.

    Returns:
        A bar for a ``with`` statement, which vanishes at its end. Where stderr is no terminal it
        draws nothing, and the stage has had its line by now.

    >>> import contextlib
    >>> with contextlib.redirect_stderr(sys.stdout), progress_bar("words", 2, "clip") as bar:
    ...     bar.update(2)
    words: 2 clips
    """
    scaled = unit == "B"
    bar = tqdm(
        desc=stage,
        total=total,
        unit=unit,
        unit_scale=scaled,
        initial=initial,
        leave=False,
        disable=True if quiet else None,  # None: unless there is a terminal to draw on
    )
    if bar.disable and not quiet:
        size = tqdm.format_sizeof(total or 0, unit) if scaled else f"{total} {unit}s"
        sys.stderr.write(f"{stage}\n" if total is None else f"{stage}: {size}\n")
    return bar
