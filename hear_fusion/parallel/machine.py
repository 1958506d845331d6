"""What a figure depends on besides the code: versions, hardware, memory."""

from __future__ import annotations

import math
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hear_fusion.parallel import cgroups

_PACKAGES = ("hear_fusion", "torch", "numpy", "scikit-learn", "soundfile", "soxr", "heareval")


def package_versions() -> dict[str, str]:
    """List the versions of this package, of Python, and of the packages that numbers come from.

    >>> "torch" in package_versions()
    True
    """
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


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
    words = f"{name}, {n_cores()} cores, {platform.system()}"
    if device.startswith("cuda"):
        import torch  # which takes seconds, and most callers want to know of cores

        words += f", {torch.cuda.get_device_name(torch.device(device))}"
    return words


def n_cores(process: Path = cgroups.SELF) -> int:
    """Count the processor cores that this process may use, at least one.

    Args:
        process: The kernel's account of it; a container's share of a core counts as a whole one.
    """
    n = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # fewer than all under taskset or a batch system
        n = len(os.sched_getaffinity(0))
    return math.ceil(min(n, cgroups.cores_allowed(process)))


def peak_memory(status: Path = Path("/proc/self/status")) -> int:
    """Tell the highest resident memory of this process in bytes; 0 where it cannot be told."""
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def available_bytes(meminfo: Path = Path("/proc/meminfo"), process: Path = cgroups.SELF) -> int:
    """Tell the bytes of memory to be had without swapping, within the limits of a container.

    Args:
        meminfo: The kernel's account; half of the machine's memory is assumed without one.
        process: The kernel's account of this process, which tells its control groups.
    """
    available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    if meminfo.is_file():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                available = 1024 * int(line.split()[1])
    return int(min(available, cgroups.memory_left(process)))
