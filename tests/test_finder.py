"""Choices as modules: importing, pickling, worker processes, errors."""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

import hear_fusion
from hear_fusion.finder import ChoiceFinder, install


@pytest.mark.parametrize(
    "name",
    ["cnn14_3_6", "cnn14_1", "cnn14_1_2_3_4_5_6", "cnn14_3_6_40ms", "cnn14", "yamnet_5_13",
     "yamnet", "yamnet_40ms"],
)  # fmt: skip
def test_choices_are_modules_with_the_hear_functions(name: str) -> None:
    module = importlib.import_module(f"hear_fusion.{name}")
    assert module.__name__ == f"hear_fusion.{name}"
    assert module.__spec__ is not None
    assert module.__doc__ is not None
    assert "HEAR" in module.__doc__
    for function in ("load_model", "get_timestamp_embeddings", "get_scene_embeddings"):
        assert callable(getattr(module, function))
    assert importlib.util.find_spec(f"hear_fusion.{name}") is not None


def test_from_import_and_attribute_access_give_the_same_module() -> None:
    from hear_fusion import cnn14_2_5

    assert isinstance(cnn14_2_5, ModuleType)
    assert cnn14_2_5 is hear_fusion.cnn14_2_5 is sys.modules["hear_fusion.cnn14_2_5"]


@pytest.mark.parametrize("name", ["cnn14_9", "cnn14_6_3", "resnet_1", "cnn14_3_7ms"])
def test_wrong_names_raise_module_not_found_that_says_what_is_valid(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"must .*got") as caught:
        importlib.import_module(f"hear_fusion.{name}")
    assert caught.value.name == f"hear_fusion.{name}"
    with pytest.raises(ModuleNotFoundError, match=r"must .*got"):
        getattr(hear_fusion, name)
    with pytest.raises(ModuleNotFoundError, match=r"must .*got"):
        exec(f"from hear_fusion import {name}")


def test_names_of_another_shape_fail_as_python_has_it() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'hear_fusion\.nonsense'"):
        importlib.import_module("hear_fusion.nonsense")
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = hear_fusion.nonsense


def test_the_finder_keeps_to_its_package_and_is_installed_once() -> None:
    finder = ChoiceFinder()
    assert finder.find_spec("cnn14_3_6") is None
    assert finder.find_spec("other.cnn14_3_6") is None
    install()
    assert sum(isinstance(one, ChoiceFinder) for one in sys.meta_path) == 1


def test_functions_pickle_into_a_fresh_process(weight_files: dict[str, Path]) -> None:
    module = importlib.import_module("hear_fusion.cnn14_3_6_40ms")
    blob = pickle.dumps((module.load_model, module.get_scene_embeddings))
    script = (
        "import pickle, sys, torch\n"
        f"load, scenes = pickle.loads({blob!r})\n"
        "model = load(sys.argv[1])\n"
        "print(model.choice, tuple(scenes(torch.ones(1, 8000), model).shape))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(weight_files["cnn14"])],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == "cnn14_3_6_40ms (1, 96)"


def _embed_in_worker(path: str) -> list[float]:
    from hear_fusion import yamnet_5_13

    model = yamnet_5_13.load_model(path)
    scenes = yamnet_5_13.get_scene_embeddings(torch.ones(1, 16000), model)
    values: list[float] = scenes[0].tolist()
    return values


def test_spawned_workers_import_choices(weight_files: dict[str, Path]) -> None:
    path = str(weight_files["yamnet"])
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(_embed_in_worker, (path,))
    torch.testing.assert_close(
        torch.tensor(there), torch.tensor(_embed_in_worker(path)), rtol=1e-5, atol=1e-5
    )
    assert len(there) == 8 * 10 + 2 * 16
