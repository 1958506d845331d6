"""Configurations of studies: the ones of the repository, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from hear_fusion.backbones import REGISTRY
from hear_fusion.datasets import DATA_SETS
from hear_fusion.probes.protocol import Protocol
from hear_fusion.probes.published_learning_rates import published_learning_rates
from hear_fusion.report.study.published_scores import PAPER_TASKS
from hear_fusion.study.config import StudyConfig

CONFIGS = Path(__file__).parents[2] / "configs"
PUBLISHED = sorted(path.stem for path in CONFIGS.glob("*.yaml"))


@pytest.mark.parametrize("backbone", PUBLISHED)
def test_every_configuration_holds_the_published_choice_of_its_network(backbone: str) -> None:
    config = StudyConfig.read(CONFIGS / f"{backbone}.yaml")
    assert len(PUBLISHED) >= 4
    assert config.backbone == backbone
    assert set(REGISTRY[backbone].published_layers) <= set(config.layers)
    assert config.protocol.seeds == (42, 43, 44)
    assert config.protocol.learning_rates[0] == 1e-5
    assert config.protocol.learning_rates[-1] == 1e-2
    assert len(config.groups["late"]) == 3
    assert len(config.groups["middle"]) == 6
    assert config.group_of("esc50") == "late"
    assert config.group_of("surge") == "middle"
    assert config.group_of("something_else") is None


@pytest.mark.parametrize("backbone", PUBLISHED)
def test_groups_and_paper_tasks_name_the_data_sets_that_prepare_makes(backbone: str) -> None:
    made = {data_set.task_name for data_set in DATA_SETS.values()}
    groups = StudyConfig.read(CONFIGS / f"{backbone}.yaml").groups
    assert {*groups["late"], *groups["middle"]} == made
    assert {task.task_name for task in PAPER_TASKS} == made
    # the learning rates that the paper's evaluation changed are found by these names
    assert published_learning_rates("cnn14", (3, 6), "nsynth_family-v2.2.3-full") == (1e-5,)
    assert published_learning_rates("vggish", (10, 15), "voxceleb1-v1.0.0-full") == (5e-4,)


def test_a_network_alone_takes_all_layers_and_no_groups(tmp_path: Path) -> None:
    config = StudyConfig.read("vggish")
    assert config.layers == REGISTRY["vggish"].layer_numbers()
    assert (config.groups, config.published_learning_rates) == ({}, False)


def test_layers_and_protocol_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "backbone: ast\nlayers: [2, 12]\nseeds: [7]\nmax_epochs: 3\n"
        "learning_rates: [1e-5, 0.5, 1]\n"
    )
    config = StudyConfig.read(path)
    assert (config.layers, config.published_learning_rates) == ((2, 12), False)
    assert (config.protocol.seeds, config.protocol.max_epochs) == ((7,), 3)
    assert config.protocol.learning_rates == (1e-5, 0.5, 1)
    assert config.as_json()["protocol"]["patience"] == 20


def test_published_learning_rates_are_asked_for_by_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("backbone: cnn14\nlearning_rates: published\n")
    config = StudyConfig.read(path)
    assert config.published_learning_rates
    assert config.protocol == Protocol()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("backbone: resnet", "backbone in .* must be one of cnn14"),
        ("layers: all", "backbone in .* got None"),
        ("backbone: cnn14\nlayer: [3]", r"keys of .* got \['layer'\]"),
        ("backbone: cnn14\nlayers: [3]", "two or more layer numbers"),
        ("backbone: cnn14\nlayers: [3, 9]", "layers of cnn14 must be among"),
        ("backbone: cnn14\nlayers: [6, 3]", "must ascend"),
        ("backbone: cnn14\nlayers: [true, 3]", "two or more layer numbers"),
        ("backbone: cnn14\nlearning_rates: best", "a list of numbers or 'published', got 'best'"),
        ("backbone: cnn14\nlearning_rates: 1e-3", "a list of numbers or 'published', got 0.001"),
        ("backbone: cnn14\ngroups: {early: [a]}", "under 'late' and 'middle'"),
        ("backbone: cnn14\ngroups: {late: a}", "under 'late' and 'middle'"),
        ("backbone: cnn14\ngroups: {late: [a], middle: [a]}", "in both"),
        ("backbone: cnn14\nseeds: []", "mine.yaml: seeds must be"),
        ("backbone: cnn14\nlearning_rates: [fast]", "mine.yaml: "),
        ("backbone: [cnn14", "must be YAML"),
        ("- cnn14", "must hold keys and values"),
    ],
)
def test_mistakes_are_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        StudyConfig.read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="YAML file or one of cnn14"):
        StudyConfig.read(tmp_path / "no.yaml")
