"""UrbanSound8K: city sounds, 10 classes in ten folds."""

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
from hear_fusion.errors import InvalidError

_CLIPS_BY_FOLD = {
    fold_name(number): n_clips
    for number, n_clips in enumerate((873, 888, 925, 990, 936, 823, 838, 806, 816, 837), start=1)
}
_TABLE = "metadata/UrbanSound8K.csv"


class _UrbanSound8K(DataSet):
    def clip_name(self, path: str) -> str | None:
        member = PurePosixPath(path)
        in_fold = member.parent.name.startswith("fold") and member.parent.parent.name == "audio"
        return member.stem if in_fold and is_sound(path, ".wav") else None

    def places(self, seen: Seen) -> dict[str, Place]:
        table = rows(seen.texts, _TABLE, "slice_file_name", "fold")
        # Some copies of the table call it otherwise.
        column = next((name for name in ("class", "class_name") if name in table[0]), None)
        if column is None:
            raise InvalidError(f"{_TABLE} must have a column 'class', got {', '.join(table[0])}")
        return {
            PurePosixPath(row["slice_file_name"]).stem: Place(fold_of(row, _TABLE), row[column])
            for row in table
        }


US8K = _UrbanSound8K(
    name="us8k",
    title="UrbanSound8K: city sounds, 10 classes",
    archives=("UrbanSound8K.tar.gz",),
    url="https://zenodo.org/records/1203745",
    licence="CC BY-NC",
    citation="J. Salamon et al., A Dataset and Taxonomy for Urban Sound Research, ACM MM 2014",
    seconds=4.0,
    task_name="us8k",
    splitting=Splitting(
        "the ten folds of the data set; fold 1 is fold00",
        _CLIPS_BY_FOLD,
    ),
    splits=tuple(_CLIPS_BY_FOLD),
    texts=(_TABLE,),
    form=r"\d+-\d-\d+-\d+\.(?i:wav)",
)
