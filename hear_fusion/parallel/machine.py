"""What a figure depends on besides the code: versions, hardware, memory."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

import hear_fusion

_PACKAGES = ("torch", "numpy", "scikit-learn", "soundfile", "soxr", "heareval")


def package_versions() -> dict[str, str]:
    """Versions of this package, of Python, and of the packages that numbers come from.

    >>> "torch" in package_versions()
    True
    """
    found = {"hear_fusion": hear_fusion.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def describe_hardware(device: str = "cpu", cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Name the processor, the cores in use, and the GPU if there is one in use."""
    name = platform.processor() or platform.machine()
    if cpuinfo.is_file():
        models = [
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text(errors="replace").splitlines()
            if line.startswith("model name")
        ]
        name = models[0] if models else name
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    words = f"{name}, {n_cores} cores, {platform.system()}"
    if device.startswith("cuda"):
        words += f", {torch.cuda.get_device_name(torch.device(device))}"
    return words


def peak_memory(status: Path = Path("/proc/self/status")) -> int:
    """Highest resident memory of this process in bytes; 0 where it cannot be told."""
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
