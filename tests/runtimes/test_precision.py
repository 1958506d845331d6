"""The process's switches: exact inside, untouched outside, also with threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from hear_fusion.runtimes.precision import arithmetic

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
