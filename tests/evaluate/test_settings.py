"""How predictions were made, and whether they are to be made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from hear_fusion.evaluate.settings import PredictionSettings, is_predicted, other_settings
from hear_fusion.files.records import NewerFormatError
from tests.files.damaged import DAMAGES, NEWER_WORDS, newer, with_more

ASKED = PredictionSettings()


def test_predictions_with_other_settings_are_refused(tmp_path: Path) -> None:
    asked = PredictionSettings(grid_points=8)
    assert not is_predicted(tmp_path, asked)
    (tmp_path / "prediction-done.json").write_text('{"grid_points": 8}')
    assert is_predicted(tmp_path, asked)
    with pytest.raises(ValueError, match=r"got \{'grid_points': 8\}; ask for those"):
        is_predicted(tmp_path, PredictionSettings(grid_points=2))
    PredictionSettings(8, "fast").write(tmp_path)
    with pytest.raises(ValueError, match=r"got \{'grid': 'fast'\}"):
        is_predicted(tmp_path, asked)
    assert is_predicted(tmp_path, PredictionSettings(8, "fast"))


def test_a_cut_off_mark_is_not_done(tmp_path: Path) -> None:
    (tmp_path / "prediction-done.json").write_text("")
    assert not is_predicted(tmp_path, PredictionSettings())
    assert not (tmp_path / "prediction-done.json").exists()


@pytest.fixture
def predicted(tmp_path: Path) -> Path:
    (tmp_path / "prediction-done.json").write_text("{}")
    ASKED.write(tmp_path)
    return tmp_path


def test_fields_that_were_added_since_are_no_difference(predicted: Path) -> None:
    with_more(predicted / "prediction-settings.json")
    assert is_predicted(predicted, ASKED)


@pytest.mark.parametrize("damage", [name for name in DAMAGES if name != "gone"])
def test_predictions_of_lost_settings_are_made_again(predicted: Path, damage: str) -> None:
    DAMAGES[damage](predicted / "prediction-settings.json")
    with pytest.raises(ValueError, match=r"not finished .*run 'hear-fusion evaluate' again"):
        other_settings(predicted, ASKED)
    assert not is_predicted(predicted, ASKED)
    assert not (predicted / "prediction-done.json").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"grid_points": '])
def test_a_mark_that_is_damaged_is_none(predicted: Path, content: str) -> None:
    (predicted / "prediction-done.json").write_text(content)
    assert not is_predicted(predicted, ASKED)


def test_predictions_of_a_newer_version_are_kept(predicted: Path) -> None:
    newer(predicted / "prediction-settings.json")
    with pytest.raises(NewerFormatError, match=NEWER_WORDS):
        is_predicted(predicted, ASKED)
    assert (predicted / "prediction-done.json").exists()
