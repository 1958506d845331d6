"""``hear_fusion.load``, ``list_models``, ``dir`` and what ``print(model)`` says."""

from __future__ import annotations

import builtins
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import hear_fusion
from hear_fusion.backbones import REGISTRY
from hear_fusion.errors import HearFusionError
from hear_fusion.names import parse


@pytest.mark.parametrize(
    ("name", "layers", "choice"),
    [
        ("cnn14", [3, 6], "cnn14_3_6"),
        ("cnn14", (6, 3), "cnn14_3_6"),
        ("cnn14", {4}, "cnn14_4"),
        ("cnn14", np.array([6, 3]), "cnn14_3_6"),
        ("cnn14_40ms", iter([6, 3]), "cnn14_3_6_40ms"),
        ("hear_fusion.cnn14", [5], "cnn14_5"),
        ("cnn14", "all", "cnn14_1_2_3_4_5_6"),
        ("cnn14", None, "cnn14"),
    ],
)
def test_layers_in_any_order_give_the_choice_of_that_name(
    name: str, layers: Any, choice: str, weight_files: dict[str, Path], noise: Callable[..., Tensor]
) -> None:
    model = hear_fusion.load(name, weight_files["cnn14"], layers=layers)
    assert str(model.choice) == choice
    named = hear_fusion.load(choice, str(weight_files["cnn14"]))
    audio = noise(1, 16000)
    torch.testing.assert_close(model.scenes(audio), named.scenes(audio), rtol=0, atol=0)


@pytest.mark.parametrize("backbone", REGISTRY)
def test_all_layers_of_every_network(backbone: str, weight_files: dict[str, Path]) -> None:
    model = hear_fusion.load(backbone, weight_files[backbone], layers="all")
    assert model.choice.layers == REGISTRY[backbone].layer_numbers()
    assert tuple(model.layers(torch.zeros(1, 16000))) == model.choice.layers


@pytest.mark.parametrize(
    ("name", "layers", "message"),
    [
        ("cnn14_3_6", [3], "either in the name or an argument, got cnn14_3_6 and .3.; write cnn14"),
        ("cnn14_3", "all", "either in the name or an argument"),
        ("cnn14", [], r"'all' or a list of 1 2 3 4 5 6, got \[\]; leave it out"),
        ("cnn14", [3, 3, 6], r"1 2 3 4 5 6 without repeats, got .*; write \[3, 6\]"),
        ("cnn14", [3, 9], "among 1 2 3 4 5 6, got 3 9"),
        ("vggish", [3], "among 2 5 8 10 13 15 18 20 22, got 3"),
        ("cnn14", [0], "among 1 2 3 4 5 6, got 0"),
        ("cnn14", 3, "a list of 1 2 3 4 5 6, got 3"),
        ("cnn14", "3", "a list of 1 2 3 4 5 6, got '3'"),
        ("cnn14", [3.0], "a list of 1 2 3 4 5 6, got .3.0."),
        ("cnn14", [True], "a list of 1 2 3 4 5 6, got .True."),
    ],
)
def test_wrong_layers_are_told_the_valid_ones(
    name: str, layers: Any, message: str, weight_files: dict[str, Path]
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        hear_fusion.load(name, weight_files[name.partition("_")[0]], layers=layers)
    assert isinstance(caught.value, HearFusionError)


def test_options_reach_the_model(weight_files: dict[str, Path]) -> None:
    model = hear_fusion.load(
        "cnn14_3", weight_files["cnn14"], hop_ms=40, chunk_seconds=2.0, sample_rate=32000
    )
    assert (model.choice.hop_ms, model.sample_rate) == (40, 32000)
    assert model.extractor.n_mel_per_chunk == 200
    with pytest.raises(TypeError, match=r"'sample_rate'\], got \['sample_rat'\]") as caught:
        hear_fusion.load("cnn14_3", weight_files["cnn14"], sample_rat=32000)
    assert isinstance(caught.value, HearFusionError)
    with pytest.raises(TypeError, match="takes from 1 to 2 positional"):
        hear_fusion.load("cnn14", None, [3, 6])  # type: ignore[call-arg]


def test_the_model_is_moved_where_it_shall_run(
    weight_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hear_fusion.runtimes.devices.list_devices", lambda: ("cpu", "meta"))
    model = hear_fusion.load("yamnet_5", weight_files["yamnet"], device=torch.device("meta"))
    assert {weight.device.type for weight in model.parameters()} == {"meta"}


def test_list_models_shows_networks_and_published_choices() -> None:
    names = hear_fusion.list_models()
    assert set(REGISTRY) <= set(names)
    for name in names:
        assert parse(name).layers in ((), REGISTRY[parse(name).backbone].published_layers)
    assert len(names) == 2 * len(REGISTRY)
    assert hear_fusion.list_models("cnn14*") == ["cnn14", "cnn14_3_6"]
    assert hear_fusion.list_models("CNN14_3*") == ["cnn14_3_6"]
    assert hear_fusion.list_models("resnet*") == []


def test_dir_shows_what_a_user_types_next() -> None:
    shown = dir(hear_fusion)
    assert set(hear_fusion.list_models()) <= set(shown)
    assert {"load", "list_models", "Choice", "FusionModel", "HearFusionError"} <= set(shown)
    for name in shown:
        assert getattr(hear_fusion, name) is not None


@pytest.mark.parametrize("name", hear_fusion.list_models())
def test_print_says_what_matters(name: str, weight_files: dict[str, Path]) -> None:
    backbone = REGISTRY[parse(name).backbone]
    model = hear_fusion.load(name, weight_files[backbone.name])
    shown = repr(model)
    assert shown == str(model)
    assert "\n" not in shown
    for word in (
        name, f"{model.sample_rate} Hz", f"scenes ({model.scene_embedding_size})",
        backbone.licence, model.weights_sha256[:16],
    ):  # fmt: skip
        assert word in shown
    times = model.frames(torch.zeros(1, 160000))[1]
    assert f"every {float(times[0, 1] - times[0, 0]):g} ms" in shown


def test_importing_the_package_needs_no_torch() -> None:
    script = "import sys, hear_fusion; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


BUILT_IN = ValueError | TypeError | OSError | RuntimeError | ImportError | EOFError


def test_all_own_errors_have_the_base() -> None:
    """Every exception class of the package is a `HearFusionError` and a built-in one as well."""
    errors = set()
    for found in pkgutil.walk_packages(hear_fusion.__path__, "hear_fusion."):
        if found.name.endswith(("__main__", "_worker")):
            continue
        module = importlib.import_module(found.name)
        errors |= {
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, Exception)
            and value.__module__.startswith("hear_fusion.")
        }
    assert len(errors) > 8
    for error in errors - {HearFusionError}:
        assert issubclass(error, HearFusionError), error
        assert issubclass(error, BUILT_IN)


def test_nothing_else_is_raised_on_purpose() -> None:
    """But for what a file catches itself, and for programs that run as processes of their own."""
    package = Path(hear_fusion.__file__).parent
    bare = {
        f"{path.relative_to(package)}: {name}"
        for path in package.rglob("*.py")
        if not path.name.endswith("_worker.py")
        for name in re.findall(r"\braise ([A-Z]\w+)\(", path.read_text(encoding="utf-8"))
        if isinstance(getattr(builtins, name, None), type)
    }
    assert bare == {
        "__init__.py: AttributeError",  # Python's own protocol
        "evaluate/official.py: SystemExit",  # the end of a program
        *(
            f"files/{name}.py: EOFError" for name in ("compressed", "formats", "unpacking")
        ),  # caught
    }
