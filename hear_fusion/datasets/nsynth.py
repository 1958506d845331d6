"""NSynth: family of the instrument that plays a note."""

from __future__ import annotations

import json
import re
from typing import Any

from hear_fusion.datasets.base import DataSet, Place, Seen, Splitting
from hear_fusion.errors import InvalidError
from hear_fusion.tasks.schema import TRAIN_VALID_TEST

# The archive's own name stands for the folder, where that was left out.
_FOLDER = r"(?:.*/)?nsynth-(train|valid|test)(?:\.[^/]*)?/"
_CLIP = re.compile(rf"{_FOLDER}audio/([^/]+)\.(?i:wav)")
_TABLE = re.compile(rf"(?:{_FOLDER}|(?:.*/)?(train|valid|test)/)examples\.json")
_TABLES = {f"nsynth-{split}/examples.json": split for split in TRAIN_VALID_TEST}


class _NSynth(DataSet):
    def clip_name(self, path: str) -> str | None:
        found = _CLIP.fullmatch(path)
        return found[2] if found else None

    def moved_text_key(self, path: str) -> str | None:
        found = _TABLE.fullmatch(path)
        return f"nsynth-{found[1] or found[2]}/examples.json" if found else None

    def places(self, seen: Seen) -> dict[str, Place]:
        placed: dict[str, Place] = {}
        for file, split in _TABLES.items():
            try:
                placed |= _read(seen.texts[file], split)
            except (ValueError, RecursionError) as err:
                raise InvalidError(f"{file} must be the JSON of the data set, got: {err}") from err
        return placed


def _read(table: bytes, split: str) -> dict[str, Place]:
    kinds: dict[str, Place] = {}  # there are 300000 notes, of eleven kinds

    def place(pairs: list[tuple[str, Any]]) -> Any:
        note = dict(pairs)
        family = note.get("instrument_family_str")
        # What is no note is the table of notes itself.
        if not isinstance(family, str) or not family:
            return note
        return kinds.setdefault(family, Place(split, family))

    placed: object = json.loads(table, object_pairs_hook=place)
    if not isinstance(placed, dict) or not all(isinstance(p, Place) for p in placed.values()):
        raise InvalidError("something else than notes, each with an instrument_family_str")
    return placed


NSYNTH = _NSynth(
    name="nsynth",
    title="NSynth: family of the instrument that plays a note, out of eleven",
    archives=tuple(f"nsynth-{split}.jsonwav.tar.gz" for split in TRAIN_VALID_TEST),
    url="https://magenta.tensorflow.org/datasets/nsynth",
    licence="CC BY 4.0",
    citation="J. Engel et al., Neural Audio Synthesis of Musical Notes with WaveNet Autoencoders, "
    "ICML 2017",
    seconds=4.0,
    # HEAR's nsynth_pitch asks for the pitch, on a part of the notes.
    task_name="nsynth_family",
    splitting=Splitting(
        "the splits of the data set: no instrument of training is in another",
        {"train": 289205, "valid": 12678, "test": 4096},
    ),
    texts=tuple(_TABLES),
    form=r"[a-z]+(?:_[a-z]+)?_(?:acoustic|electronic|synthetic)_\d{3}-\d{3}-\d{3}\.(?i:wav)",
)
