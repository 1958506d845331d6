"""Whose weights made a folder of embeddings."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from hear_fusion.evaluate.identity import (
    WeightsIdentity,
    recorded_weights,
    refuse_other_weights,
)
from hear_fusion.files.hashing import sha256_of_path
from hear_fusion.files.records import NewerFormatError
from tests.files.damaged import DAMAGES, NEWER_WORDS, Damage, changed, newer, with_more

MINE = WeightsIdentity("m", "aaa")


def test_identity_prefers_what_the_model_knows(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"abc")
    knowing = SimpleNamespace(weights_sha256="from the model")
    assert WeightsIdentity.of(knowing, "m", str(weights)).sha256 == "from the model"
    identity = WeightsIdentity.of(object(), "m", str(weights))
    assert identity.sha256.startswith("ba7816bf8f01cfea")
    assert identity.model_file == str(weights)
    assert WeightsIdentity.of(object(), "m").sha256 == "default"


def test_identity_of_a_folder_of_weights(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    one = sha256_of_path(tmp_path)
    assert one == sha256_of_path(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert sha256_of_path(tmp_path) != one


def test_folders_of_other_weights_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "m" / "t"
    mine, other = WeightsIdentity("m", "aaa"), WeightsIdentity("m", "bbb")
    refuse_other_weights(folder, mine)
    folder.mkdir(parents=True)
    other.write(folder)
    refuse_other_weights(folder, mine)  # unfinished: the runner makes it anew
    (folder / ".done.embeddings").touch()
    refuse_other_weights(folder, other)
    with pytest.raises(ValueError, match=r"weights in use \(aaa\), got a folder made with bbb;"):
        refuse_other_weights(folder, mine)


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    MINE.write(tmp_path)
    (tmp_path / ".done.embeddings").touch()
    return tmp_path


def test_it_is_read_as_it_was_written(finished: Path) -> None:
    with_more(finished / "weights.json")
    assert recorded_weights(finished) == "aaa"
    refuse_other_weights(finished, MINE)


@pytest.mark.parametrize("damage", [*DAMAGES.values(), changed(sha256=...), changed(sha256=3)])
def test_a_finished_folder_of_unknown_weights_is_refused(finished: Path, damage: Damage) -> None:
    record = finished / "weights.json"
    damage(record)
    assert recorded_weights(finished) is None
    with pytest.raises(ValueError, match="a finished folder of unknown weights") as refusal:
        refuse_other_weights(finished, MINE)
    # The way out that the message offers.
    offered = re.search(r"write (\{.*\}) into (.*)", str(refusal.value))
    assert offered is not None
    text, path = offered.groups()
    assert path == str(record)
    record.write_text(text)
    refuse_other_weights(finished, MINE)


def test_a_newer_record_is_refused(finished: Path) -> None:
    newer(finished / "weights.json")
    with pytest.raises(NewerFormatError, match=NEWER_WORDS):
        refuse_other_weights(finished, MINE)
