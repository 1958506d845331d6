"""The process's switches: exact inside, untouched outside, also with threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hear_fusion.backbones import REGISTRY, Backbone
from hear_fusion.extractor import Settings
from hear_fusion.model import FusionModel
from hear_fusion.names import Choice
from hear_fusion.runtimes.precision import Precision, arithmetic, cpu_multiplies_bf16

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
BACKENDS: Any = torch.backends
SWITCHES = (BACKENDS, BACKENDS.mkldnn, BACKENDS.mkldnn.conv, BACKENDS.mkldnn.matmul)


@pytest.fixture(autouse=True)
def _fresh_switches() -> Iterator[None]:
    before = [switch.fp32_precision for switch in SWITCHES]
    yield
    for switch, value in zip(SWITCHES, before, strict=True):
        switch.fp32_precision = value


def test_inside_is_exact_and_outside_as_before() -> None:
    BACKENDS.mkldnn.conv.fp32_precision = "bf16"
    with arithmetic("fp32", CPU):
        assert BACKENDS.mkldnn.conv.fp32_precision in ("ieee", "none")
    assert BACKENDS.mkldnn.conv.fp32_precision == "bf16"


def test_cudas_default_of_tf32_is_switched_off_and_comes_back() -> None:
    before = BACKENDS.cudnn.conv.fp32_precision
    assert before == "tf32"
    with arithmetic("fp32", CUDA):
        assert BACKENDS.cudnn.conv.fp32_precision == "ieee"
        with arithmetic("tf32", CUDA):
            assert BACKENDS.cuda.matmul.fp32_precision == "tf32"
        assert BACKENDS.cuda.matmul.fp32_precision in ("ieee", "none")
    assert BACKENDS.cudnn.conv.fp32_precision == before
    assert torch.backends.cudnn.allow_tf32


def test_an_operator_goes_on_following_the_general_switch() -> None:
    BACKENDS.fp32_precision = "bf16"
    with arithmetic("fp32", CPU):
        assert BACKENDS.mkldnn.conv.fp32_precision == "ieee"
    assert BACKENDS.mkldnn.conv.fp32_precision == "bf16"
    BACKENDS.fp32_precision = "ieee"
    assert BACKENDS.mkldnn.conv.fp32_precision == "ieee"


def test_threads_follow_one_another() -> None:
    BACKENDS.mkldnn.conv.fp32_precision = "bf16"
    inside, leave = threading.Event(), threading.Event()
    seen: list[str] = []

    def first() -> None:
        with arithmetic("fp32", CPU):
            inside.set()
            leave.wait(5)

    def second() -> None:
        inside.wait(5)
        with arithmetic("fp32", CPU):
            seen.append(BACKENDS.mkldnn.conv.fp32_precision)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    inside.wait(5)
    assert seen == [], "the second call did not wait"
    leave.set()
    for thread in threads:
        thread.join()
    assert seen == ["ieee"]
    assert BACKENDS.mkldnn.conv.fp32_precision == "bf16"


@pytest.mark.parametrize("network", REGISTRY)
def test_threads_of_several_precisions_share_a_network(
    network: str, backbones: dict[str, Backbone], noise: Callable[..., Tensor]
) -> None:
    audio, choice = noise(2, 9000), Choice(network, REGISTRY[network].published_layers)
    precisions: tuple[Precision, ...] = ("fp32", "tf32", "bf16")
    models = {
        precision: FusionModel(backbones[network], choice, Settings(precision, allow_slow=True))
        for precision in precisions
    }
    expected = {precision: model.scenes(audio) for precision, model in models.items()}
    assert torch.equal(expected["tf32"], expected["fp32"])  # of which a CPU knows nothing
    assert not torch.equal(expected["bf16"], expected["fp32"])
    BACKENDS.mkldnn.conv.fp32_precision = "bf16"

    def call(precision: Precision) -> bool:
        found = models[precision].scenes(audio)
        return torch.equal(found, expected[precision]) and not torch.is_autocast_enabled("cpu")

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(call, precisions * 6))
    assert BACKENDS.mkldnn.conv.fp32_precision == "bf16"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags\t\t: fpu avx avx2 f16c", False),
        ("flags\t\t: avx2 avx512f avx512_vnni", False),
        ("flags\t\t: avx2 avx512f avx512_bf16", True),
        ("flags\t\t: avx2 amx_bf16 amx_tile", True),
        ("Features\t: fp asimd sve", False),
        ("Features\t: fp asimd bf16", True),
    ],
)
def test_the_processor_says_whether_it_multiplies_bf16(
    flags: str, expected: bool, tmp_path: Path
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nmodel name\t: bf16\n{flags}\nbugs\t\t: amx_bf16\n")
    assert cpu_multiplies_bf16(cpuinfo) is expected


def test_where_nobody_can_tell_nothing_is_refused(tmp_path: Path) -> None:
    assert cpu_multiplies_bf16(tmp_path / "none")


@pytest.mark.filterwarnings("ignore:CUDA is not available:UserWarning")
def test_imitated_bf16_is_refused_on_the_cpu_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hear_fusion.runtimes.precision.cpu_multiplies_bf16", lambda: False)
    message = r"got 'bf16'; load .* precision='fp32', move it to a GPU, or pass allow_slow=True"
    with pytest.raises(ValueError, match=message), arithmetic("bf16", CPU):
        pass
    with arithmetic("bf16", CPU, allow_slow=True):
        assert torch.is_autocast_enabled("cpu")
    with arithmetic("bf16", CUDA), arithmetic("fp32", CPU), arithmetic("tf32", CPU):
        assert not torch.is_autocast_enabled("cpu")
