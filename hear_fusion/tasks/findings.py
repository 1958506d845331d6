"""What was wrong with the files of a source, each by its name."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

FINDINGS_FILE = "findings.csv"
Kind = Literal["unreadable", "missing", "surplus", "duplicate"]
KINDS: tuple[Kind, ...] = ("unreadable", "missing", "surplus", "duplicate")


@dataclass(frozen=True)
class Finding:
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


def write_findings(folder: Path, findings: Sequence[Finding]) -> Path | None:
    """Write all findings to ``findings.csv``; none, no file.

    Returns:
        The file, or None.
    """
    path = folder / FINDINGS_FILE
    path.unlink(missing_ok=True)
    if not findings:
        return None
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("kind", "name", "reason"))
        rows.writerows(astuple(finding) for finding in findings)
    return path


def format_findings(findings: Sequence[Finding], limit: int = 10) -> list[str]:
    """List findings by kind, long lists shortened.

    >>> format_findings([Finding("missing", "a", "no file")] * 3, limit=1)
    ['missing: 3', '  a: no file', '  ... and 2 more']
    """
    shown = []
    for kind in KINDS:
        some = [finding for finding in findings if finding.kind == kind]
        if some:
            shown.append(f"{kind}: {len(some)}")
            shown += [f"  {_printable(f.name)}: {f.reason}" for f in some[:limit]]
        if len(some) > limit:
            shown.append(f"  ... and {len(some) - limit} more")
    return shown


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()
