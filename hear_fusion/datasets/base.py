"""The face of a data set: what is in its archive, and how a clip gets its split and label."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote

from hear_fusion.tasks.schema import TRAIN_VALID_TEST, TaskMetadata

TOTAL = "total"
# A folder of sounds at another rate: "16000", "22k", "44.1kHz".
_RESAMPLED = re.compile(r"\d{4,6}|\d+(\.\d+)?_?k(hz)?", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Where a clip belongs, and what it shows."""

    split: str
    label: str | int


@dataclass(frozen=True)
class Seen:
    """What a source holds.

    Attributes:
        texts: Content of the data set's ``texts`` and, where it was given, of ``splits_file``.
        names: Names of the clips.
    """

    texts: Mapping[str, bytes]
    names: Collection[str]


@dataclass(frozen=True)
class Splitting:
    """A way to split a data set.

    Attributes:
        rule: How clips are split and by whose decision, for readers.
        expected: Clips by split, or under "total" where only their sum is known.
        mode: Last part of the folder's name; two ways to split never share one.
    """

    rule: str
    expected: Mapping[str, int]
    mode: str = "full"


@dataclass(frozen=True)
class DataSet(ABC):
    """A public collection of sounds with labels, as its makers give it away.

    Attributes:
        name: What the command line calls it.
        title: Its full name, and what is to be told.
        archives: Names of the official archive files.
        url: Page to get them from.
        licence: Terms of its makers.
        citation: Paper to cite.
        seconds: Length of a clip in the task; longer ones lose their end, shorter get zeros.
        task_name: First part of the folder's name.
        splitting: The split of the paper's evaluation.
        version: Second part of the folder's name.
        splits: Names of the splits.
        evaluation: Scores of the HEAR tools; the first one selects models.
        texts: Files of the archive that are needed, by the end of their path.
        splits_file: Name of the file of splits that is not in the archive, if there is one.
        fallback: The split without that file; None where it is one of ``texts``.
        form: Regular expression of file names that no other data set has, where it has them.
    """

    name: str
    title: str
    archives: tuple[str, ...]
    url: str
    licence: str
    citation: str
    seconds: float
    task_name: str
    splitting: Splitting
    version: str = "v1.0.0"
    splits: tuple[str, ...] = TRAIN_VALID_TEST
    evaluation: tuple[str, ...] = ("top1_acc",)
    texts: tuple[str, ...] = ()
    splits_file: str | None = None
    fallback: Splitting | None = None
    form: str | None = None

    def text_key(self, path: str) -> str | None:
        """Return which of ``texts`` the member is, or None."""
        return next((text for text in self.texts if f"/{path}".endswith(f"/{text}")), None)

    def moved_text_key(self, path: str) -> str | None:
        """Return which of ``texts`` a member is that has its file's name in another folder."""
        name = PurePosixPath(path).name
        same = [text for text in self.texts if PurePosixPath(text).name == name]
        return same[0] if len(same) == 1 else None

    def name_by_form(self, path: str) -> str | None:
        """Name the clip that a member holds by ``form`` alone, wherever it lies.

        Copies of a data set have folders of their own. Sounds in the folder of a sample rate are
        no originals, and nobody's clip.
        """
        *folders, file = PurePosixPath(path).parts
        is_clip = self.form is not None and re.fullmatch(self.form, file)
        if not is_clip or any(map(_RESAMPLED.fullmatch, folders)):
            return None
        return PurePosixPath(file).stem

    @abstractmethod
    def clip_name(self, path: str) -> str | None:
        """Name the clip that a member of the archive holds.

        Args:
            path: The member's path, that of its archive first.

        Returns:
            A name, unique in the whole data set and without an ending; None if the member is no
            clip of the task.

        Raises:
            ValueError: If it should be a clip but its place does not tell which; says why.
        """

    @abstractmethod
    def places(self, seen: Seen) -> dict[str, Place]:
        """Decide split and label of the clips.

        Args:
            seen: What the source holds.

        Returns:
            By name, the clips that belong to the task: of those found, and of those that are
            known to be missing.
        """

    def splitting_for(self, *, with_file: bool) -> Splitting:
        """Return the way clips are split, with the file of splits or without."""
        return self.splitting if with_file or self.fallback is None else self.fallback

    def metadata(self, splitting: Splitting, mode: str) -> TaskMetadata:
        """Describe the task folder."""
        return TaskMetadata(
            task_name=self.task_name,
            version=self.version,
            mode=mode,
            embedding_type="scene",
            prediction_type="multiclass",
            splits=self.splits,
            sample_duration=self.seconds,
            evaluation=self.evaluation,
            split_mode="trainvaltest" if self.splits == TRAIN_VALID_TEST else "presplit_kfold",
            extras={
                "description": self.title,
                "split_rule": splitting.rule,
                "length_rule": "the start of a longer clip (the paper's evaluation draws its part "
                "at random for training and validation); zeros after the end of a shorter one",
                "sources": [
                    {"name": ", ".join(self.archives), "licence": self.licence, "url": self.url}
                ],
                "citation": self.citation,
            },
        )


def fold_name(number: int) -> str:
    """Name the split of a fold that the data set counts from 1, as HEAR does from 0.

    >>> fold_name(1)
    'fold00'
    """
    return f"fold{number - 1:02d}"


def is_sound(path: str, *endings: str) -> bool:
    """Tell whether a path has one of the endings, in whatever case."""
    return PurePosixPath(path).suffix.lower() in endings


def file_name(*parts: str) -> str:
    """Join parts to a name that every file system takes.

    >>> file_name("de", "Jürgen-20100101-abc", "de5-01")
    'de_J%C3%BCrgen-20100101-abc_de5-01'
    """
    return "_".join(quote(part, safe="", errors="surrogateescape") for part in parts)


def drawn_split(group: str, valid: float, test: float) -> str:
    """Draw the split of a group of clips by its name alone, on every machine the same.

    Args:
        group: Name of the speaker, or whatever must not be in two splits.
        valid: Share of the groups in validation, 0 to 1.
        test: Share of the groups in the test.
    """
    digest = hashlib.sha256(group.encode("utf-8", "surrogateescape")).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    if share < test:
        return "test"
    return "valid" if share < test + valid else "train"
