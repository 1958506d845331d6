"""Pitch Audio Dataset (Surge synthesizer): which of 88 keys is played."""

from __future__ import annotations

import re

from hear_fusion.datasets.base import (
    TOTAL,
    DataSet,
    Place,
    Seen,
    Splitting,
    drawn_split,
    file_name,
)
from hear_fusion.datasets.tables import rows

_CLIP = re.compile(r"(?:.*/)?([^/]+-velocity64)/[^/]*(\d{3})\.(?i:ogg|wav|flac)")
_KEYS = range(21, 109)
_ENDING = "-velocity64"
_TABLE = "dataset_surge_tone_splits.csv"


class _Surge(DataSet):
    def clip_name(self, path: str) -> str | None:
        found = _CLIP.fullmatch(path)
        if not found or int(found[2]) not in _KEYS:
            return None
        return file_name(found[1], found[2])

    def places(self, seen: Seen) -> dict[str, Place]:
        if _TABLE in seen.texts:
            split_of = _listed(seen)
        else:
            presets = {name.rpartition("_")[0] for name in seen.names}
            split_of = {preset: drawn_split(preset, valid=0.1, test=0.1) for preset in presets}
        # Labels are numbers: "021" would be read as 21.
        return {
            f"{preset}_{key:03d}": Place(split, key)
            for preset, split in split_of.items()
            for key in _KEYS
        }


def _listed(seen: Seen) -> dict[str, str]:
    split_of = {}
    for row in rows(seen.texts, _TABLE, "tone", "split"):
        tone = row["tone"].strip("/")
        split_of[file_name(tone.removesuffix(_ENDING) + _ENDING)] = row["split"]
    return split_of


SURGE = _Surge(
    name="surge",
    title="Pitch Audio Dataset (Surge synthesizer): key of a note, out of 88",
    archives=("the archive of Zenodo 4677097",),
    url="https://zenodo.org/records/4677097",
    licence="see its Zenodo page",
    citation="J. Turian et al., One Billion Audio Sounds from GPU-enabled Modular Synthesis, "
    "DAFx 2021",
    seconds=4.0,
    task_name="surge",
    splitting=Splitting(
        "by preset, by a file of splits that was given, such as EVAR's "
        "dataset_surge_tone_splits.csv",
        {"train": 148896, "valid": 17160, "test": 17336},
    ),
    splits_file=_TABLE,
    fallback=Splitting(
        "by preset, drawn from a hash of its name: 80 / 10 / 10 % of the presets. Not the split "
        "of the paper",
        {TOTAL: 183392},
        mode="by_preset",
    ),
)
