"""Words about the machine."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest
import torch

from hear_fusion.parallel.machine import describe_hardware, package_versions, peak_memory


def test_versions_are_those_that_run() -> None:
    versions = package_versions()
    assert versions["torch"] == torch.__version__.partition("+")[0]
    assert versions["numpy"] == np.__version__
    assert versions["python"] == platform.python_version()


def test_the_processor_is_named(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Swift 9000\n\nmodel name\t: Swift 9000\n")
    assert describe_hardware(cpuinfo=cpuinfo).startswith("Swift 9000, ")
    assert "cores" in describe_hardware(cpuinfo=tmp_path / "none")


def test_a_gpu_in_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device.index}")
    assert describe_hardware("cuda:1").endswith(", GPU 1")
    assert "GPU" not in describe_hardware("cpu")


def test_peak_memory_is_read_in_bytes(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("VmPeak:\t  900 kB\nVmHWM:\t  512 kB\n")
    assert peak_memory(status) == 512 * 1024
    assert peak_memory(tmp_path / "none") > 1_000_000
