"""VoxCeleb1: who of 1251 celebrities speaks."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from hear_fusion.datasets.base import DataSet, Place, Seen, Splitting, file_name
from hear_fusion.datasets.tables import lines
from hear_fusion.errors import InvalidError, shown

_CLIP = re.compile(r"(?:.*/)?(id\d{5})/([^/]+)/(\d+)\.(?i:wav)")
_FLAT_CLIP = re.compile(r"(id\d{5})[-_]([\w-]{11})[-_](\d{5})\.(?i:wav)", re.ASCII)
_LIST = "iden_split.txt"
_SPLITS = {"1": "train", "2": "valid", "3": "test"}


class _VoxCeleb1(DataSet):
    def clip_name(self, path: str) -> str | None:
        # Numbers of utterances start anew in each video.
        found = _CLIP.fullmatch(path)
        return file_name(*found.groups()) if found else None

    def name_by_form(self, path: str) -> str | None:
        found = _FLAT_CLIP.fullmatch(PurePosixPath(path).name)
        return file_name(*found.groups()) if found else None

    def places(self, seen: Seen) -> dict[str, Place]:
        listed = {}
        for line in lines(seen.texts, _LIST):
            number, _, path = line.partition(" ")
            found = _CLIP.fullmatch(path.strip())
            if number not in _SPLITS or not found:
                raise InvalidError(
                    f"{_LIST} must have lines such as '1 id10006/nLEBBc9oIFs/00003.wav', "
                    f"got {shown(line)}"
                )
            listed[file_name(*found.groups())] = Place(_SPLITS[number], found[1])
        return listed


VOXCELEB1 = _VoxCeleb1(
    name="voxceleb1",
    title="VoxCeleb1: speaker of an utterance, 1251 celebrities",
    archives=(
        "vox1_dev_wav.zip (or vox1_dev_wav_partaa to partad)",
        "vox1_test_wav.zip",
        "iden_split.txt",
    ),
    url="https://www.robots.ox.ac.uk/~vgg/data/voxceleb/vox1.html",
    licence="CC BY 4.0 (the metadata; the sounds belong to their owners)",
    citation="A. Nagrani et al., VoxCeleb: a large-scale speaker identification dataset, "
    "Interspeech 2017",
    seconds=8.2,
    task_name="voxceleb1",
    splitting=Splitting(
        "the data set's split for identification (iden_split.txt): each speaker is in all splits",
        {"train": 138361, "valid": 6904, "test": 8251},
    ),
    texts=(_LIST,),
    splits_file=_LIST,
)
