"""What a check of a task folder finds."""

from dataclasses import dataclass
from typing import Literal

from hear_fusion.tasks.schema import Clip, TaskMetadata


@dataclass(frozen=True)
class Finding:
    """One thing to know about a task folder.

    Args:
        severity: "error" where heareval fails or scores something else than the task says,
            "note" where it runs and the reader of the scores should know.
        rule: Short name of the rule, the same for all findings of a kind.
        where: File or folder inside the task folder.
        what: The problem.
    """

    severity: Literal["error", "note"]
    rule: str
    where: str
    what: str


def error(rule: str, where: str, what: str) -> Finding:
    """Make a finding that heareval trips over."""
    return Finding("error", rule, where, what)


def note(rule: str, where: str, what: str) -> Finding:
    """Make a finding that heareval runs over."""
    return Finding("note", rule, where, what)


@dataclass(frozen=True)
class TaskTexts:
    """What the text files of a task say, as far as they can be read."""

    metadata: TaskMetadata | None
    clips: tuple[Clip, ...]
    vocabulary: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Rate:
    """What a task holds at one sample rate: files and seconds."""

    sample_rate: int
    n_files: int
    seconds: float


@dataclass(frozen=True)
class TaskReport:
    """All findings of a task folder, and what it holds."""

    name: str
    clips_by_split: dict[str, int]
    n_classes: int
    rates: tuple[Rate, ...]
    findings: tuple[Finding, ...]

    @property
    def n_errors(self) -> int:
        """Number of findings that heareval trips over."""
        return sum(finding.severity == "error" for finding in self.findings)
