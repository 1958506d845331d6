"""Limits of control groups, in faked trees as containers and batch systems make them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hear_fusion.parallel.cgroups import cores_allowed, memory_left
from hear_fusion.parallel.machine import available_bytes, n_cores

UNLIMITED = "9223372036854771712"  # what version 1 says without a limit


@dataclass
class Machine:
    """What the kernel tells a process, below a folder of a test.

    Attributes:
        cgroup: Lines of ``/proc/self/cgroup``.
        mounts: Of ``/proc/self/mountinfo``: type, options, group at the top, place.
        files: Texts of the trees, by path.
    """

    cgroup: list[str]
    mounts: list[tuple[str, str, str, str]]
    files: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        for name, text in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text + "\n")
        process = folder / "proc self"
        process.mkdir()
        (process / "cgroup").write_text("\n".join(self.cgroup) + "\n")
        root = str(folder).replace(" ", "\\040")
        rows = [
            f"{30 + i} 23 0:{i} {top} {root}/{place} rw,relatime shared:{i} - {kind} {kind} {options}"
            for i, (kind, options, top, place) in enumerate(self.mounts)
        ]
        rows.insert(0, "23 1 8:1 / / rw - ext4 /dev/root rw")
        (process / "mountinfo").write_text("\n".join(rows) + "\n")
        return process


def version_2(path: str, *, top: str = "/", **files: str) -> Machine:
    named = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    return Machine([f"0::{path}"], [("cgroup2", "rw", top, "fs")], named)


def version_1(controllers: str, path: str, files: dict[str, str], top: str = "/") -> Machine:
    cgroup = [f"9:name=systemd:{path}", f"4:{controllers}:{path}", "2:devices:/", "0::/"]
    kinds = [("cgroup", "rw,name=systemd", top, "systemd"), ("cgroup2", "rw", "/", "unified")]
    return Machine(cgroup, [*kinds, ("cgroup", f"rw,{controllers}", top, "c")], files)


MEMORY: dict[str, tuple[Machine, float]] = {
    "no groups": (Machine([], []), math.inf),
    "no tree": (Machine(["0::/a"], []), math.inf),
    "2, no limit": (version_2("/a", fs__a__memory_max="max", fs__a__memory_current="5"), math.inf),
    "2, own": (version_2("/a", fs__a__memory_max="3000", fs__a__memory_current="1000"), 2000),
    "2, parent": (
        version_2(
            "/a/b/c",
            fs__a__b__c__memory_max="9000", fs__a__b__c__memory_current="10",
            fs__a__memory_max="3000", fs__a__memory_current="2500",
        ),
        500,
    ),
    "2, root of a container": (
        version_2("/", fs__memory_max="3000", fs__memory_current="1000"), 2000,
    ),
    "2, outer path in a container": (
        version_2("/docker/x", top="/docker/x", fs__memory_max="70", fs__memory_current="7"), 63,
    ),
    "2, path out of sight": (
        version_2("/../../other", fs__memory_max="70", fs__memory_current="7"), 63,
    ),
    "2, top out of sight": (version_2("/a", top="/..", fs__memory_max="70"), 70),
    "2, throttle": (
        version_2(
            "/a",
            fs__a__memory_max="max", fs__a__memory_high="2000", fs__a__memory_current="500",
        ),
        1500,
    ),
    "2, copies of files": (
        version_2(
            "/a",
            fs__a__memory_max="3000", fs__a__memory_current="2900",
            fs__a__memory_stat="anon 100\nfile 2800\ninactive_file 2500\nactive_file 300",
        ),
        2600,
    ),
    "2, used up": (version_2("/a", fs__a__memory_max="30", fs__a__memory_current="31"), 0),
    "2, nothing told of use": (version_2("/a", fs__a__memory_max="30"), 30),
    "2, junk": (version_2("/a", fs__a__memory_max="many", fs__a__memory_stat="inactive_file x"), math.inf),
    "1, no limit": (
        version_1("memory", "/a", {"c/a/memory.limit_in_bytes": UNLIMITED, "c/a/memory.usage_in_bytes": "0"}),
        float(UNLIMITED),
    ),
    "1, own": (
        version_1("memory", "/a", {"c/a/memory.limit_in_bytes": "50", "c/a/memory.usage_in_bytes": "20"}),
        30,
    ),
    "1, grandparent, with others": (
        version_1(
            "hugetlb,memory",
            "/slurm/job/step",
            {
                "c/slurm/job/step/memory.limit_in_bytes": UNLIMITED,
                "c/slurm/job/memory.limit_in_bytes": "50",
                "c/slurm/job/memory.usage_in_bytes": "40",
                "c/slurm/job/memory.stat": "inactive_file 1\ntotal_inactive_file 15",
                "c/memory.limit_in_bytes": UNLIMITED,
            },
        ),
        25,
    ),
    "1, outer path in a container": (
        version_1("memory", "/docker/x", {"c/memory.limit_in_bytes": "50"}, top="/docker/x"), 50,
    ),
    "1 and 2, in groups of their own": (
        Machine(
            ["4:memory:/b", "0::/a"],
            [("cgroup", "rw,memory", "/", "c"), ("cgroup2", "rw", "/", "fs")],
            {"c/a/memory.limit_in_bytes": "10", "c/b/memory.limit_in_bytes": "90", "fs/b/memory.max": "20"},
        ),
        90,
    ),
    "1, another controller's": (
        version_1("cpu", "/a", {"c/a/memory.limit_in_bytes": "50"}), math.inf,
    ),
}  # fmt: skip
CORES: dict[str, tuple[Machine, float]] = {
    "no groups": (Machine([], []), math.inf),
    "2, no limit": (version_2("/a", fs__a__cpu_max="max 100000"), math.inf),
    "2, own": (version_2("/a", fs__a__cpu_max="250000 100000"), 2.5),
    "2, parent": (
        version_2("/a/b", fs__a__b__cpu_max="400000 100000", fs__a__cpu_max="75000 50000"), 1.5,
    ),
    "2, root of a container": (version_2("/", fs__cpu_max="50000 100000"), 0.5),
    "2, junk": (version_2("/a", fs__a__cpu_max="0 0"), math.inf),
    "1, no limit": (
        version_1("cpu,cpuacct", "/a", {"c/a/cpu.cfs_quota_us": "-1", "c/a/cpu.cfs_period_us": "100000"}),
        math.inf,
    ),
    "1, parent": (
        version_1(
            "cpu,cpuacct",
            "/a/b",
            {
                "c/a/b/cpu.cfs_quota_us": "-1",
                "c/a/b/cpu.cfs_period_us": "100000",
                "c/a/cpu.cfs_quota_us": "300000",
                "c/a/cpu.cfs_period_us": "100000",
            },
        ),
        3,
    ),
    "1, half told": (version_1("cpu", "/a", {"c/a/cpu.cfs_quota_us": "300000"}), math.inf),
    "1, another controller's": (
        version_1("cpuacct", "/a", {"c/a/cpu.cfs_quota_us": "1", "c/a/cpu.cfs_period_us": "1"}),
        math.inf,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("machine", "expected"), MEMORY.values(), ids=MEMORY)
def test_memory_is_what_the_strictest_group_leaves(
    machine: Machine, expected: float, tmp_path: Path
) -> None:
    assert memory_left(machine.write(tmp_path)) == expected


@pytest.mark.parametrize(("machine", "expected"), CORES.values(), ids=CORES)
def test_cores_are_what_the_strictest_group_allows(
    machine: Machine, expected: float, tmp_path: Path
) -> None:
    assert cores_allowed(machine.write(tmp_path)) == expected


def test_a_folder_with_a_space_in_its_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    assert memory_left(MEMORY["2, own"][0].write(tmp_path / "a b")) == 2000


def test_a_file_that_may_not_be_read_is_no_limit(tmp_path: Path) -> None:
    process = MEMORY["2, own"][0].write(tmp_path)
    limit = tmp_path / "fs" / "a" / "memory.max"
    limit.unlink()
    limit.mkdir()  # root may read any file, but not a folder
    assert memory_left(process) == math.inf
    assert memory_left(tmp_path / "none") == math.inf


def test_the_groups_of_this_process_can_be_read() -> None:
    assert memory_left() > 0
    assert cores_allowed() > 0


@pytest.mark.parametrize("machine", [MEMORY["2, own"][0], MEMORY["1, own"][0]], ids=["2", "1"])
def test_memory_is_had_within_both_the_machine_and_its_groups(
    machine: Machine, tmp_path: Path
) -> None:
    process, meminfo = machine.write(tmp_path), tmp_path / "meminfo"
    left = int(memory_left(process))
    for kilobytes, expected in ((4000, left), (0, 0)):
        meminfo.write_text(f"MemTotal:  9000 kB\nMemAvailable:   {kilobytes} kB\n")
        assert available_bytes(meminfo, process) == expected
    assert available_bytes(tmp_path / "none", process) == left
    meminfo.write_text("MemAvailable:   4000 kB\n")
    assert available_bytes(meminfo, tmp_path / "none") == 4096000


@pytest.mark.parametrize(
    ("quota", "expected"), [("50000", 1), ("100000", 1), ("250000", 3), ("6400000", 8), ("max", 8)]
)
def test_a_share_of_a_core_counts_as_a_whole_one(
    quota: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(8)), raising=False)
    process = version_2("/a", fs__a__cpu_max=f"{quota} 100000").write(tmp_path)
    assert n_cores(process) == expected
