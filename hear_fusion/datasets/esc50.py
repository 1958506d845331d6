"""ESC-50: environmental sounds, 50 classes in five folds."""

from __future__ import annotations

from pathlib import PurePosixPath

from hear_fusion.datasets.base import (
    DataSet,
    Place,
    Seen,
    Splitting,
    fold_name,
    is_sound,
)
from hear_fusion.datasets.tables import fold_of, rows

_TABLE = "meta/esc50.csv"
_FOLDS = tuple(fold_name(number) for number in range(1, 6))


class _Esc50(DataSet):
    def clip_name(self, path: str) -> str | None:
        member = PurePosixPath(path)
        # Subsets are about in which the sounds are .ogg.
        if member.parent.name != "audio" or not is_sound(path, ".wav", ".ogg", ".flac"):
            return None
        return member.stem

    def places(self, seen: Seen) -> dict[str, Place]:
        return {
            PurePosixPath(row["filename"]).stem: Place(fold_of(row, _TABLE), row["category"])
            for row in rows(seen.texts, _TABLE, "filename", "fold", "category")
        }


ESC50 = _Esc50(
    name="esc50",
    title="ESC-50: environmental sounds, 50 classes",
    archives=("ESC-50-master.zip",),
    url="https://github.com/karolpiczak/ESC-50",
    licence="CC BY-NC 3.0",
    citation="K. J. Piczak, ESC: Dataset for Environmental Sound Classification, ACM MM 2015",
    seconds=5.0,
    # Folds, labels and lengths are those of HEAR's own task: so is the name.
    task_name="esc50",
    version="v2.0.0",
    splitting=Splitting(
        "the five folds of the data set; fold 1 is fold00",
        dict.fromkeys(_FOLDS, 400),
    ),
    splits=_FOLDS,
    evaluation=("top1_acc", "d_prime", "aucroc", "mAP"),
    texts=(_TABLE,),
    form=r"[1-5]-\d+-[A-Z]-\d{1,2}\.(?i:wav|ogg|flac)",
)
