"""Records of a study survive the way through a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hear_fusion.files.records import NewerFormatError
from hear_fusion.study.results import Estimate, Gain, Study, TaskStudy, find_studies
from tests.files.damaged import DAMAGES, NEWER_WORDS, Damage, changed, newer, with_more


def estimate(value: float) -> Estimate:
    return Estimate(value, 0.01, value - 0.05, value + 0.05, 100, 3, 1, value + 0.01, 1e-3)


def a_study(backbone: str = "cnn14") -> Study:
    task = TaskStudy(
        task="demo_words-v1-small",
        n_clips=300,
        n_classes=12,
        n_folds=1,
        group="middle",
        layers={number: estimate(0.1 * number) for number in (1, 2, 3, 10)},
        original=estimate(0.3),
        fused=estimate(0.9),
        gain=Gain(0.6, 0.5, 0.7, 0.001, 100, official=0.55),
    )
    return Study(backbone, 3, 6, "validation", "data", (task,), "ab12", wall_s={"embed": 1.5})


def test_a_study_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = a_study().write(tmp_path / "cnn14")
    assert Study.read(path) == a_study()
    # numbers, not the texts that JSON makes of keys, and in their order
    assert list(Study.read(path).tasks[0].layers) == [1, 2, 3, 10]
    assert not list(tmp_path.glob("*/.*"))


def test_all_studies_of_a_folder_are_found(tmp_path: Path) -> None:
    for backbone in ("yamnet", "cnn14"):
        a_study(backbone).write(tmp_path / backbone)
    assert [found.backbone for found in find_studies(tmp_path)] == ["cnn14", "yamnet"]
    with pytest.raises(ValueError, match=r"make one with 'hear-fusion study'"):
        find_studies(tmp_path / "elsewhere")


def test_names_of_the_fusion() -> None:
    assert (a_study().module, a_study().chosen) == ("cnn14_3_6", (3, 6))
    same = Study("cnn14", 4, 4, "test", "config", (), "")
    assert (same.module, same.chosen) == ("cnn14_4", (4,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return a_study().write(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        *DAMAGES.values(),
        changed(tasks=...),
        changed(tasks=3),
        changed(tasks=[{}]),
        changed(middle="3"),
        changed(selection="guess"),
    ],
)
def test_other_files_are_refused(path: Path, damage: Damage) -> None:
    damage(path)
    with pytest.raises(ValueError, match=rf"{path} must be a study.json .* run it again"):
        Study.read(path)


def test_a_newer_one_is_refused(path: Path) -> None:
    newer(path)
    with pytest.raises(NewerFormatError, match=f"{path} {NEWER_WORDS}"):
        Study.read(path)


def test_fields_that_were_added_since_are_left_out(path: Path) -> None:
    with_more(path)
    content = json.loads(path.read_text())
    content["tasks"][0]["added_since"] = content["tasks"][0]["gain"]["added_since"] = 1
    path.write_text(json.dumps(content))
    assert Study.read(path) == a_study()
