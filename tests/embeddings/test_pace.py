"""Paces are folders of the store, and back."""

import pytest

from hear_fusion.embeddings.pace import SCENES, Pace, pace_of_folder
from hear_fusion.names import Choice


@pytest.mark.parametrize(
    ("choice", "pace", "folder"),
    [
        (Choice("yamnet", (5,), 40), Pace("hop", 40), "40ms"),
        (Choice("yamnet", (), 320), Pace("hop", 320), "320ms"),
        (Choice("yamnet", (5, 13)), Pace("layers"), "layers"),
        (Choice("yamnet"), Pace("original"), "original"),
    ],
)
def test_frames_of_a_choice_have_a_folder(choice: Choice, pace: Pace, folder: str) -> None:
    assert Pace.of_frames(choice) == pace
    assert pace.folder == folder
    assert pace_of_folder(folder) == pace


def test_scenes_have_a_folder() -> None:
    assert pace_of_folder("scenes") == SCENES
    assert SCENES.folder == "scenes"


@pytest.mark.parametrize("name", ["", "ms", "fastms", "train"])
def test_other_folders_are_no_pace(name: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        pace_of_folder(name)
