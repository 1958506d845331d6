"""What was wrong with the files of a source, each by its name."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

from hear_fusion.files.atomic import write_whole
from hear_fusion.files.contents import Pointer

FAULTS_FILE = "faults.csv"
Kind = Literal["unreadable", "missing", "surplus", "duplicate"]
KINDS: tuple[Kind, ...] = ("unreadable", "missing", "surplus", "duplicate")


@dataclass(frozen=True)
class Fault:
    """A file that was not as it should be.

    Attributes:
        kind: "unreadable"; "missing" (ought to be there); "surplus" (belongs to no split);
            "duplicate" (a second file for one clip).
        name: Path in the source, or the clip's name where there is no file.
        reason: Why, for people.
    """

    kind: Kind
    name: str
    reason: str


def write_faults(folder: Path, faults: Sequence[Fault]) -> Path | None:
    """Write all faults to ``faults.csv``; none, no file.

    Returns:
        The file, or None.
    """
    path = folder / FAULTS_FILE
    path.unlink(missing_ok=True)
    if not faults:
        return None
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("kind", "name", "reason"))
    rows.writerows(astuple(fault) for fault in faults)
    return write_whole(path, text.getvalue().encode("utf-8", "surrogateescape"))


def format_faults(faults: Sequence[Fault], limit: int = 10) -> list[str]:
    """List faults by kind, long lists shortened.

    >>> format_faults([Fault("missing", "a", "no file")] * 3, limit=1)
    ['missing: 3', '  a: no file', '  ... and 2 more']
    """
    shown = []
    for kind in KINDS:
        some = [fault for fault in faults if fault.kind == kind]
        if some:
            shown.append(f"{kind}: {len(some)}")
            shown += [_printable(f"  {fault.name}: {fault.reason}") for fault in some[:limit]]
        if len(some) > limit:
            shown.append(f"  ... and {len(some) - limit} more")
    return shown


def format_causes(
    broken: Sequence[Fault], pointers: Mapping[Pointer, int], limit: int = 3
) -> list[str]:
    """Say what is wrong with a source as a whole: its archives, and pointers for files.

    >>> format_causes([], {Pointer("Git LFS pointer", "run 'git lfs pull'"): 7442})
    ["7442 files of the source are not there, each is a Git LFS pointer; run 'git lfs pull'"]
    """
    causes = [_printable(f"{fault.name} {fault.reason}") for fault in broken[:limit]]
    if len(broken) > limit:
        causes.append(f"... and {len(broken) - limit} more")
    return causes + [
        f"{count} files of the source are not there, each is a {pointer.name}; {pointer.step}"
        for pointer, count in pointers.items()
    ]


def _printable(text: str) -> str:
    r"""Write what a terminal would take for a command, or cannot show, as a number.

    >>> _printable("bell\a, and no letter at all: " + chr(0xDCFC))
    'bell\\x07, and no letter at all: \\udcfc'
    """
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )
