"""Tables and lists of data sets as other programs leave them: read alike, or refused by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hear_fusion.datasets.base import Place, Seen
from hear_fusion.errors import HearFusionError
from tests.datasets.miniature import Miniature
from tests.datasets.miniatures import MINIATURES

Damage = Callable[[bytes], bytes]
ALIKE: dict[str, Damage] = {
    "as it is": lambda data: data,
    "UTF-8 with mark": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "UTF-16 BE": lambda data: b"\xfe\xff" + data.decode().encode("utf-16-be"),
    "CRLF": lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "blank lines": lambda data: b"\n" + data + b"\n \r\n",
}
BROKEN: dict[str, Damage] = {
    "empty": lambda _: b"",
    "a mark alone": lambda _: b"\xef\xbb\xbf",
    "a web page": lambda _: b"<!DOCTYPE html><html>not found</html>",
    "noise": lambda _: bytes(range(256)),
    "zeros": lambda data: bytes(len(data)),
    "UTF-16 without mark": lambda data: data.decode().encode("utf-16-le"),
    "deep": lambda _: b"[" * 10_000 + b"]" * 10_000,
    "a long field": lambda _: b"x" * 200_000,
    "a word": lambda _: b"hello",
    "a list": lambda _: b"[1, 2]",
    "another object": lambda _: b'{"a": {"b": 1}, "c": {"instrument_family_str": ["d"]}}',
    "cut": lambda data: data[: int(len(data) * 0.7)],
    "one row cut": lambda data: data.rstrip() + b"\r\nx",
    "words for numbers": lambda data: data.replace(b",3,", b",three,"),
    "other words": lambda data: data.replace(b"train", b"training").replace(b"1 id", b"one id"),
}
TABLES = [
    (name, file)
    for name, make in MINIATURES.items()
    for file in (*make().data_set.texts, make().data_set.splits_file)
    if file is not None
]


def texts_of(mini: Miniature) -> dict[str, bytes]:
    """The texts that a source holds, and the file of splits that is given with it."""
    data_set = mini.data_set
    keys = {data_set.text_key(path): data for path, data in mini.files.items()}
    found = {key: data for key, data in keys.items() if key is not None}
    if mini.splits_text is not None and data_set.splits_file is not None:
        found[data_set.splits_file] = mini.splits_text
    return found


def places(name: str, file: str, damage: Damage) -> dict[str, Place]:
    mini = MINIATURES[name]()
    texts = texts_of(mini)
    texts[file] = damage(texts[file])
    return mini.data_set.places(Seen(texts, set(mini.places)))


@pytest.mark.parametrize("damage", ALIKE)
@pytest.mark.parametrize(("name", "file"), sorted(set(TABLES)))
def test_texts_that_mean_the_same_are_read_alike(name: str, file: str, damage: str) -> None:
    found = places(name, file, ALIKE[damage])
    assert found == places(name, file, lambda data: data)
    assert set(MINIATURES[name]().places) <= set(found)


@pytest.mark.parametrize("damage", BROKEN)
@pytest.mark.parametrize(("name", "file"), sorted(set(TABLES)))
def test_others_are_refused_and_named_or_show_in_the_counts(
    name: str, file: str, damage: str
) -> None:
    whole = places(name, file, lambda data: data)
    changed = BROKEN[damage](texts_of(MINIATURES[name]())[file])
    told, found = "", dict[str, Place]()
    try:
        found = places(name, file, lambda _: changed)
    except HearFusionError as err:
        told = str(err)
    # Without an error, the counts of the splits are compared with those of the data set.
    assert told or found != whole or changed == texts_of(MINIATURES[name]())[file] or (
        file.endswith(".json") and damage == "UTF-16 without mark"  # JSON tells by itself
    )  # fmt: skip
    assert not told or file in told
    assert len(told) < 1000
    assert all(isinstance(place.label, str | int) for place in found.values())


def test_endings_in_capitals_are_sounds() -> None:
    for name, make in MINIATURES.items():
        data_set = make().data_set
        for path in make().files:
            clip = data_set.clip_name(path) if "readme" not in path.lower() else None
            stem, dot, ending = path.rpartition(".")
            if clip is not None and ending in ("wav", "ogg", "au", "flac"):
                assert data_set.clip_name(f"{stem}{dot}{ending.upper()}") == clip, name
