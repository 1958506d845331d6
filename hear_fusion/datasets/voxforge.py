"""VoxForge: which of six languages is spoken."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from hear_fusion.datasets.base import (
    TOTAL,
    DataSet,
    Place,
    Seen,
    Splitting,
    drawn_split,
    file_name,
    is_sound,
)
from hear_fusion.datasets.tables import rows
from hear_fusion.errors import InvalidError, shown

LANGUAGES = ("de", "en", "es", "fr", "it", "ru")
# Folders of the site itself that hold a language under another name.
_ALIASES = {"speechcorpus": "en", "russian": "ru"}
_SUBMISSION = re.compile(r"(?P<name>.+-\d{8}-[^./]+?)(\.(tgz|tar\.gz|tar|zip))?", re.IGNORECASE)
_ANONYMOUS = "anonymous"
_TABLE = "voxforge.csv"


class _VoxForge(DataSet):
    def clip_name(self, path: str) -> str | None:
        if not is_sound(path, ".wav", ".flac"):
            return None
        split_path = _submission(path)
        if split_path is None:
            raise InvalidError("is not in a submission, a folder or archive like user-20091231-abc")
        above, submission = split_path
        for folder in above:
            language = _ALIASES.get(folder.lower(), folder.lower())
            if language in LANGUAGES:
                return file_name(language, submission, PurePosixPath(path).stem)
        raise InvalidError(
            f"is in no folder of a language ({', '.join(LANGUAGES)}); keep the archives of each "
            "language in a folder of its own"
        )

    def places(self, seen: Seen) -> dict[str, Place]:
        if _TABLE in seen.texts:
            return _listed(seen)
        return {name: Place(_drawn(name), name.partition("_")[0]) for name in seen.names}


def _submission(path: str) -> tuple[tuple[str, ...], str] | None:
    """Return the folders above a submission, and its name."""
    parts = PurePosixPath(path).parts
    for index, part in enumerate(parts[:-1]):
        if found := _SUBMISSION.fullmatch(part):
            return parts[:index], found["name"]
    return None


def _drawn(name: str) -> str:
    user = name.partition("_")[2].partition("-")[0]
    # Nobody knows which of them are one person: all together, and where they do least harm.
    return "train" if user.lower() == _ANONYMOUS else drawn_split(user, valid=0.15, test=0.15)


def _listed(seen: Seen) -> dict[str, Place]:
    # The table does not tell languages in words we know: names do.
    found = {name.partition("_")[2]: name for name in seen.names}
    placed = {}
    for row in rows(seen.texts, _TABLE, "file_name", "split"):
        if not row["split"]:
            continue
        split_path = _submission(row["file_name"])
        if split_path is None:
            raise InvalidError(
                f"{_TABLE} must name files as submission/wav/file.wav, "
                f"got {shown(row['file_name'])}"
            )
        key = file_name(split_path[1], PurePosixPath(row["file_name"]).stem)
        name = found.get(key, key)
        placed[name] = Place(row["split"], name.partition("_")[0])
    return placed


VOXFORGE = _VoxForge(
    name="voxforge",
    title="VoxForge: language of a sentence, out of six",
    archives=("<user>-<date>-<abc>.tgz, in a folder for each language (de en es fr it ru)",),
    url="http://www.voxforge.org (submissions before 2020; list: voxforge_urls.txt of "
    "TensorFlow Datasets)",
    licence="GPL-3.0",
    citation="VoxForge, http://www.voxforge.org",
    seconds=5.8,
    task_name="voxforge",
    splitting=Splitting(
        "a file of splits that was given, such as voxforge.csv of EVAR", {TOTAL: 176428}
    ),
    splits_file=_TABLE,
    fallback=Splitting(
        "by speaker (name of the user), drawn from a hash of the name: 70 / 15 / 15 % of the "
        "speakers; anonymous ones are all in training. Not the split of the paper",
        {TOTAL: 176428},
        mode="by_speaker",
    ),
)
