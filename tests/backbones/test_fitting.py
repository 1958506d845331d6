"""Whatever programs put around a network's names and weights is undone, if one reading fits."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

import hear_fusion
from hear_fusion.backbones import REGISTRY
from hear_fusion.backbones.fitting import readings
from hear_fusion.backbones.registry import fitting_networks
from hear_fusion.backbones.weight_files import identify
from hear_fusion.checkpoints import WeightsError
from tests.networks import RANDOM_WEIGHTS

State = dict[str, Tensor]

PREFIXES = (
    "",
    "module.",
    "_orig_mod.",
    "module._orig_mod.",
    "_orig_mod.module.",
    "module.module.",
    "_fsdp_wrapped_module.",
    "model.",
    "backbone.",
    "base.",
    "net.",
    "encoder.",
    "student.",
    "network.backbone.",
    "model.module.encoder.base._orig_mod.",
)
# Where the state dict lies in the file; the values beside it are of no effect.
PLACES: dict[str, Callable[[State], Any]] = {
    "bare": lambda state: state,
    "bare, among numbers": lambda state: {**state, "epoch": 3, "name": "best", "loss": 0.5},
    "model": lambda state: {"model": state, "epoch": 3},
    "state_dict": lambda state: {"state_dict": state, "optimizer": optimizer(), "epoch": 3},
    "model_state_dict": lambda state: {"model_state_dict": state, "scheduler": {"step": 3}},
    "ema": lambda state: {"ema": state, "ema_decay": torch.tensor(0.999)},
    "net": lambda state: {"net": state},
    "weights": lambda state: {"weights": state, "rng": torch.get_rng_state()},
    "any name": lambda state: {"jeff": state},
    "nested": lambda state: {"checkpoint": {"model": {"state_dict": state}, "epoch": 3}},
    "model, of what else is called model": lambda state: {"model": {"name": "x"}, "net": state},
}


def optimizer() -> dict[str, Any]:
    """What Adam keeps: tensors under numbers."""
    state = {"step": torch.tensor(1.0), "exp_avg": torch.ones(2), "exp_avg_sq": torch.ones(2)}
    return {"state": {0: state, 1: state}, "param_groups": [{"lr": 0.1, "params": [0, 1]}]}


def prefixed(state: State, prefix: str) -> State:
    return {f"{prefix}{key}": tensor for key, tensor in state.items()}


def saved(content: object, folder: Path) -> Path:
    torch.save(content, folder / "weights.pth")
    return folder / "weights.pth"


def sha256(name: str, path: Path) -> str:
    return hear_fusion.load(name, path).weights_sha256


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", REGISTRY)
def test_every_stack_of_wrappers_and_prefixes_is_undone(
    name: str, place: str, tmp_path: Path, weight_files: dict[str, Path]
) -> None:
    expected = sha256(name, weight_files[name])
    # All pairs for the quickest; what the rest adds is that each network's names are found.
    for prefix in PREFIXES if name == "cnn14" else PREFIXES[:: len(PREFIXES) - 1]:
        path = saved(PLACES[place](prefixed(RANDOM_WEIGHTS[name].slim(), prefix)), tmp_path)
        assert sha256(name, path) == expected, prefix


@pytest.mark.parametrize("name", REGISTRY)
def test_prefixes_in_other_containers(
    name: str, tmp_path: Path, weight_files: dict[str, Path]
) -> None:
    state = prefixed(RANDOM_WEIGHTS[name].slim(), "model.module.")
    save_file(state, tmp_path / "weights")
    assert sha256(name, tmp_path / "weights") == sha256(name, weight_files[name])


@pytest.mark.parametrize("wrapper", ["_orig_mod", "module", "_checkpoint_wrapped_module"])
def test_wrappers_around_parts_of_a_network(
    wrapper: str, tmp_path: Path, weight_files: dict[str, Path]
) -> None:
    """As of ``net.conv_block1 = torch.compile(net.conv_block1)``."""
    state = {
        key.replace("conv_block1.", f"conv_block1.{wrapper}."): tensor
        for key, tensor in RANDOM_WEIGHTS["cnn14"].slim().items()
    }
    path = saved({"model": prefixed(state, "net.")}, tmp_path)
    assert sha256("cnn14", path) == sha256("cnn14", weight_files["cnn14"])


def test_counters_that_torch_keeps_beside_an_average(
    tmp_path: Path, weight_files: dict[str, Path]
) -> None:
    assert "n_averaged" in AveragedModel(torch.nn.Linear(1, 1)).state_dict()
    state = prefixed(RANDOM_WEIGHTS["vggish"].slim(), "module.module.")
    path = saved({"n_averaged": torch.tensor(3), **state}, tmp_path)
    assert sha256("vggish", path) == sha256("vggish", weight_files["vggish"])


def test_the_reading_that_takes_off_least_goes_first() -> None:
    state = {"a.module.b.w": torch.ones(1), "a.module.b.c.v": torch.ones(1), "n": torch.tensor(1)}
    assert [sorted(reading) for reading in readings(state)] == [
        ["a.module.b.c.v", "a.module.b.w", "n"],
        ["a.b.c.v", "a.b.w"],
        ["b.c.v", "b.w"],
        ["c.v", "w"],
    ]
    two = {"module.w": torch.ones(1), "w": torch.ones(1)}  # unwrapped, they would be one
    assert [sorted(reading) for reading in readings(two)] == [["module.w", "w"]]


def twin(seed: int) -> State:
    generator = torch.Generator().manual_seed(seed)
    return {
        key: tensor + torch.rand(tensor.shape, generator=generator)
        for key, tensor in RANDOM_WEIGHTS["yamnet"].slim().items()
    }


@pytest.mark.parametrize(
    ("places", "named"),
    [
        (("net", "ema"), r"'net' and 'ema'.*checkpoint\['net'\]"),
        (("student", "teacher"), r"'student' and 'teacher'"),
        (
            ("generator.net", "generator.ema"),
            r"'generator.net' and .*checkpoint\['generator'\]\['net'\]",
        ),
    ],
)
def test_two_readings_are_refused(places: tuple[str, str], named: str, tmp_path: Path) -> None:
    content: dict[str, Any] = {}
    for seed, place in enumerate(places):
        *outer, last = place.split(".")
        inside = content.setdefault(outer[0], {}) if outer else content
        inside[last] = twin(seed)
    path = saved(content, tmp_path)
    with pytest.raises(WeightsError, match=rf"of YAMNet once, but it holds them under {named}"):
        hear_fusion.load("yamnet", path)
    assert identify(path).backbone == "yamnet"


def test_the_same_weights_twice_are_one_reading(tmp_path: Path) -> None:
    alone, both = tmp_path / "alone", tmp_path / "both"
    alone.mkdir()
    both.mkdir()
    expected = sha256("yamnet", saved(twin(1), alone))
    assert sha256("yamnet", saved({"ema": twin(1), "net": twin(1)}, both)) == expected


@pytest.mark.parametrize("usual", ["model", "state_dict"])
def test_the_usual_place_goes_before_an_average_and_says_so(
    usual: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    expected = sha256("yamnet", saved(twin(1), alone))
    path = saved({"model_ema": prefixed(twin(2), "module."), usual: twin(1)}, tmp_path)
    with caplog.at_level(logging.WARNING):
        assert sha256("yamnet", path) == expected
    assert f"weights under '{usual}' are read" in caplog.text
    assert "'model_ema': to use those, save them alone" in caplog.text


@pytest.mark.parametrize(("name", "front"), [*itertools.product(REGISTRY, ["backbone.", "a.b."])])
def test_a_network_beside_other_layers_is_refused_with_a_step_that_works(
    name: str, front: str, tmp_path: Path, weight_files: dict[str, Path]
) -> None:
    state_dict = {
        **prefixed(RANDOM_WEIGHTS[name].slim(), front),
        "head.weight": torch.ones(2, 2),
        "head.bias": torch.ones(2),
    }
    path = saved({"state_dict": state_dict}, tmp_path)
    with pytest.raises(
        WeightsError, match=rf"below '{front[:2]}.*': save that part alone"
    ) as caught:
        hear_fusion.load(name, path)
    step = str(caught.value).rpartition("save that part alone, ")[2]
    part = step.removeprefix("torch.save(").removesuffix(", 'FILE.pth')")
    again = saved(eval(part, {"state_dict": state_dict}), tmp_path)
    assert sha256(name, again) == sha256(name, weight_files[name])


def test_a_refusal_tells_what_is_wrong_below_the_prefix(tmp_path: Path) -> None:
    state = prefixed(RANDOM_WEIGHTS["cnn14"].slim(), "module.net.")
    del state["module.net.conv_block6.conv1.weight"]
    with pytest.raises(WeightsError, match=r"'conv_block6.conv1.weight' is missing; run"):
        hear_fusion.load("cnn14", saved({"model_state_dict": state}, tmp_path))
    with pytest.raises(WeightsError, match=r"'bn0.weight' is missing; .*\(this one holds 'v'\)"):
        hear_fusion.load("cnn14", saved({"v": torch.ones(2)}, tmp_path))


def test_a_wrapped_network_of_another_kind_is_named(tmp_path: Path) -> None:
    path = saved({"net": prefixed(RANDOM_WEIGHTS["ast"].slim(), "model.")}, tmp_path)
    with pytest.raises(WeightsError, match=r"of VGGish, but .*; it holds AST$"):
        hear_fusion.load("vggish", path)
    report = identify(path)
    assert (report.status, report.backbone) == ("fits", "ast")


def test_quantised_weights_are_called_so(tmp_path: Path) -> None:
    weight = torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 0, torch.qint8)
    pair = {
        "fc1._packed_params._packed_params": (weight, torch.ones(2)),
        "fc1.scale": torch.ones(()),
    }
    for content in ({"fc1.weight": weight}, pair):
        with pytest.raises(
            WeightsError, match=r"quantised \(torch.qint8\): give the float weights"
        ):
            hear_fusion.load("cnn14", saved({"model": content}, tmp_path))


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda bias: bias.to("meta"), "no values"),
        (lambda bias: bias.to_sparse(), "layout torch.sparse_coo"),
        (lambda bias: bias.double() + 1e300, "NaN or infinite"),
        (lambda bias: bias.to(torch.int8), "float of shape .* got torch.int8"),
        (lambda bias: bias.to(torch.complex64), "float of shape .* got torch.complex64"),
    ],
)
def test_tensors_without_usable_values_are_named(
    change: Callable[[Tensor], Tensor], got: str, tmp_path: Path
) -> None:
    state = RANDOM_WEIGHTS["cnn14"].slim()
    state["fc1.bias"] = change(state["fc1.bias"])
    with pytest.raises(WeightsError, match=rf"'fc1.bias'.*{got}"):
        hear_fusion.load("cnn14", saved(state, tmp_path))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_are_read(dtype: torch.dtype, tmp_path: Path) -> None:
    state = {
        key: tensor.to(dtype) if tensor.is_floating_point() else tensor
        for key, tensor in RANDOM_WEIGHTS["cnn14"].slim().items()
    }
    model = hear_fusion.load("cnn14", saved(state, tmp_path))
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


def test_fitting_networks_of_nothing() -> None:
    assert fitting_networks({}) == ()
