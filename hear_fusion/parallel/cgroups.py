"""Limits that Linux' control groups set: those of this process's group and of all above it.

Containers and batch systems nest groups, of version 1 (a tree a controller), version 2 (one tree)
or both side by side; the strictest limit on the way to the root is the one that counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

SELF = Path("/proc/self")
# By version: what may be had, the throttle below it, what is in use, and which of its pages can
# be given back, being unused copies of files. Version 1 counts those of groups below apart.
_MEMORY_FILES = (
    (("memory.max", "memory.high"), "memory.current", "inactive_file"),
    (("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file"),
)


def memory_left(process: Path = SELF) -> float:
    """Bytes that control groups leave to this process; more than there are without a limit.

    Args:
        process: The kernel's account of it, with ``cgroup`` and ``mountinfo``.
    """
    left = math.inf
    for group in _groups("memory", process):
        for limits, current, reclaimable in _MEMORY_FILES:
            limit = min(_number(group / name, math.inf) for name in limits)
            used = _number(group / current, 0.0) - _stat(group / "memory.stat", reclaimable)
            left = min(left, limit - max(0.0, used))
    return max(0.0, left)


def cores_allowed(process: Path = SELF) -> float:
    """Time on cores that control groups allow, in cores; infinite without a limit.

    Args:
        process: As for `memory_left`.
    """
    allowed = math.inf
    for group in _groups("cpu", process):
        quota, _, period = _text(group / "cpu.max").partition(" ")
        of_version_1 = _text(group / "cpu.cfs_quota_us"), _text(group / "cpu.cfs_period_us")
        for texts in ((quota, period), of_version_1):
            try:
                microseconds, of = map(int, texts)
            except ValueError:  # "max", or no such file
                continue
            if microseconds > 0 and of > 0:
                allowed = min(allowed, microseconds / of)
    return allowed


def _groups(controller: str, process: Path) -> Iterator[Path]:
    """Yield the folders of the groups that this process is in, innermost first."""
    mounts = list(_mounts(process))
    for line in _text(process / "cgroup").splitlines():
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        version = 2 if (number, controllers) == ("0", "") else 1
        if version == 1 and controller not in controllers.split(","):
            continue
        for mount_version, root, mount in mounts:
            if mount_version != version:
                continue
            try:
                inner = PurePosixPath(path).relative_to(root)
            except ValueError:  # a container sees the outer path, and only its own part of the tree
                inner = PurePosixPath()
            yield mount / inner
            yield from (mount / above for above in inner.parents)


def _mounts(process: Path) -> Iterator[tuple[int, str, Path]]:
    """Yield where the trees are: version, group at the top, and folder."""
    for line in _text(process / "mountinfo").splitlines():
        place, _, source = line.partition(" - ")
        version = {"cgroup": 1, "cgroup2": 2}.get(source.partition(" ")[0])
        fields = place.split()
        if version is not None and len(fields) > 4:
            yield version, fields[3], Path(fields[4].replace("\\040", " "))


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path, otherwise: float) -> float:
    text = _text(path)
    return float(text) if text.isdigit() else otherwise


def _stat(path: Path, name: str) -> float:
    rows = (line.partition(" ") for line in _text(path).splitlines())
    return next((float(value) for key, _, value in rows if key == name and value.isdigit()), 0.0)
