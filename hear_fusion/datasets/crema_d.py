"""CREMA-D: acted emotions, split by speaker."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from hear_fusion.datasets.base import DataSet, Place, Seen, Splitting

_CLIP = re.compile(r"(10\d\d_[A-Z]{3})_(ANG|DIS|FEA|HAP|NEU|SAD)_(LO|MD|HI|XX?)\.(?i:wav)")
# The split of EVAR (nttcslab/eval-audio-repr, evar/metadata/cremad.csv), which the paper used.
_VALID = frozenset(
    ("1009", "1011", "1022", "1034", "1039", "1047", "1066", "1070", "1082")
)  # fmt: skip
_TEST = frozenset((
    "1001", "1004", "1017", "1019", "1020", "1025", "1026", "1029", "1033", "1035", "1042", "1044",
    "1050", "1053", "1056", "1058", "1060", "1069", "1083",
))  # fmt: skip
# Absent from the repository when that split was drawn (tensorflow_datasets/audio/crema_d.py).
_ADDED_LATER = frozenset(
    {("1006_TIE", "NEU"), ("1013_WSI", "DIS"), ("1017_IWW", "FEA"), ("1040_ITH", "SAD")}
)


class _CremaD(DataSet):
    def clip_name(self, path: str) -> str | None:
        member = PurePosixPath(path)
        found = _CLIP.fullmatch(member.name)
        if not found or (found[1], found[2]) in _ADDED_LATER:
            return None
        return member.stem

    def places(self, seen: Seen) -> dict[str, Place]:
        return {name: Place(_split(name[:4]), name.split("_")[2]) for name in seen.names}


def _split(speaker: str) -> str:
    if speaker in _TEST:
        return "test"
    return "valid" if speaker in _VALID else "train"


CREMA_D = _CremaD(
    name="crema_d",
    title="CREMA-D: acted emotion of a sentence, out of six",
    archives=("AudioWAV/ of the repository, fetched with Git LFS",),
    url="https://github.com/CheyneyComputerScience/CREMA-D",
    licence="Open Database License 1.0",
    citation="H. Cao et al., CREMA-D: Crowd-Sourced Emotional Multimodal Actors Dataset, "
    "IEEE Trans. Affective Computing, 2014",
    seconds=2.5,
    # HEAR's tfds_crema_d has five folds in which speakers repeat, and 5 s.
    task_name="crema_d_speakers",
    splitting=Splitting(
        "by speaker, 63 / 9 / 19 of them, as in EVAR (nttcslab/eval-audio-repr, cremad.csv); four "
        "clips that it does not have are left out",
        {"train": 5155, "valid": 732, "test": 1551},
    ),
)
