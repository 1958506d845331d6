"""What a wheel holds, and what it asks pip for."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel made from a source distribution, as pip makes it where there is no other."""
    folder = tmp_path_factory.mktemp("distribution")
    shutil.copytree(
        ROOT / "hear_fusion", folder / "hear_fusion", ignore=shutil.ignore_patterns("__pycache__")
    )
    papers = [*ROOT.glob("*.txt"), *ROOT.glob("*.md"), *ROOT.glob("*.in")]
    for file in (*papers, ROOT / "setup.py", ROOT / "pyproject.toml"):
        shutil.copy(file, folder)
    run_setup(folder, "sdist")
    (archive,) = (folder / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    run_setup(unpacked, "bdist_wheel")
    (built,) = (unpacked / "dist").glob("*.whl")
    return zipfile.ZipFile(built)


def run_setup(folder: Path, command: str) -> None:
    run = subprocess.run(
        [sys.executable, "setup.py", "--quiet", command],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


def test_every_file_that_is_not_a_program_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    names = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "hear_fusion").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert any(name.endswith(".j2") for name in names)
    assert names <= set(wheel.namelist())
    assert not any(name.startswith(("tests/", "docs/")) for name in wheel.namelist())


def test_the_extra_for_the_hear_tools_asks_for_the_tested_set(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    asked = message_from_string(wheel.read(metadata).decode()).get_all("Requires-Dist", [])
    of_extra = {
        (need.name.lower().replace("_", "-"), str(need.specifier))
        for need in map(Requirement, asked)
        if need.marker is not None and need.marker.evaluate({"extra": "hear"})
    }
    lines = (ROOT / "requirements-hear.txt").read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert len(pinned) > 15
    assert of_extra == {(pin.name.lower(), str(pin.specifier)) for pin in pinned}
