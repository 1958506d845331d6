"""The repository keeps its own rules: lint, format, types, sizes, and a README that is true."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import click
import pytest
import yaml

import hear_fusion
from docs.make.modules import modules_table
from hear_fusion.backbones import REGISTRY
from hear_fusion.cli import main
from hear_fusion.demo.synthesis.packages import PINS
from hear_fusion.parallel.processes import child_environment

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "command", [("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)], ids=" ".join
)
def test_tools_find_nothing(command: tuple[str, ...]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_one_concept_a_file() -> None:
    sizes = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "hear_fusion").rglob("*.py")
    }
    assert len(sizes) > 20
    assert {path: size for path, size in sizes.items() if size > 250} == {}


def test_one_concern_a_room() -> None:
    for top in ("hear_fusion", "tests"):
        rooms = Counter(
            path.parent.relative_to(ROOT)
            for path in (ROOT / top).rglob("*.py")
            if path.name != "__init__.py"
        )
        assert len(rooms) > 15
        assert {room: n for room, n in rooms.items() if n > 14} == {}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Hold the package in a folder against the import contract."""
    program = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", str(ROOT / "pyproject.toml")],
        cwd=folder, capture_output=True, text=True, check=False, env=child_environment(),
    )  # fmt: skip


def test_arrows_point_down() -> None:
    run = lint_imports(ROOT)
    assert run.returncode == 0, run.stdout
    assert "3 kept, 0 broken" in run.stdout


@pytest.mark.parametrize(
    ("room", "line", "complaint"),
    [
        ("files/hashing.py", "from hear_fusion.tasks import folders", "files is not allowed"),
        ("datasets/base.py", "import hear_fusion.checkpoints", "datasets is not allowed"),
        ("errors.py", "import hear_fusion.timeline", "errors is not allowed"),
        ("loft.py", "", "loft"),
    ],
)
def test_an_upward_import_or_a_room_without_a_storey_is_found(
    tmp_path: Path, room: str, line: str, complaint: str
) -> None:
    shutil.copytree(
        ROOT / "hear_fusion", tmp_path / "hear_fusion", ignore=shutil.ignore_patterns("__pycache__")
    )
    with (tmp_path / "hear_fusion" / room).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    run = lint_imports(tmp_path)
    assert run.returncode == 1
    assert complaint in run.stdout + run.stderr


def test_the_papers_of_the_repository_agree() -> None:
    """Commands, files and versions that CONTRIBUTING.md and CITATION.cff name are those in use."""
    text, readme = (
        (ROOT / "CONTRIBUTING.md").read_text("utf-8"),
        (ROOT / "README.md").read_text("utf-8"),
    )
    commands = re.findall(r"^python3\.11 .+$", text, re.MULTILINE)
    assert len(commands) == 2
    assert all(f"\n{command}\n" in readme for command in commands)
    links = re.findall(r"\]\(([^):]+)\)", text)
    files = re.findall(r"`((?:hear_fusion|tests|docs)/[\w/.]+)`", text)
    assert len(links) > 2
    assert len(files) > 4
    for path in (*links, *files):
        assert (ROOT / path).exists(), path
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == hear_fusion.__version__
    family = [author["family-names"] for author in citation["preferred-citation"]["authors"]]
    assert family[0] == "Niizumi"
    assert all(name in readme for name in family)
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    pins = (ROOT / "requirements-test.txt").read_text("utf-8")
    assert f"ruff=={hooks[0]['rev'].removeprefix('v')}" in pins.splitlines()


def test_the_readme_is_whole_and_its_commands_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\b[A-Z]+_TABLE\b|MINUTES|TODO|XXX", readme) == []
    for folder in re.findall(r"\]\(([a-z][^):]*)\)", readme):
        assert (ROOT / folder).exists(), folder
    verbs = set(re.findall(r"^hear-fusion ([a-z]+)|`hear-fusion ([a-z]+)", readme, re.MULTILINE))
    assert {verb for pair in verbs for verb in pair if verb} <= set(main.commands)


def test_the_table_of_modules_is_that_of_the_code() -> None:
    assert f"\n\n{modules_table()}\n" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(REGISTRY) >= 4
    for name in REGISTRY:
        assert f"`hear_fusion.{name}`" in modules_table()


def test_every_verb_named_in_a_message_exists() -> None:
    named = {
        tuple(match.split()[1:])
        for path in (ROOT / "hear_fusion").rglob("*.py")
        for match in re.findall(
            r"hear-fusion [a-z]+(?: [a-z]+)?(?=['\s`])", path.read_text("utf-8")
        )
    }
    assert ("list",) in named
    for verb, *rest in named:
        assert verb in main.commands, verb
        command = main.commands[verb]
        if rest and isinstance(command, click.Group):
            assert rest[0] in command.commands, (verb, rest)


def test_packages_that_are_named_twice_agree() -> None:
    pins = (ROOT / "requirements-no-deps.txt").read_text(encoding="utf-8")
    assert len(PINS) == 3
    for requirement in PINS.values():
        assert requirement in pins.splitlines()


def test_the_readme_gives_the_test_command_that_ci_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    command = script.strip().splitlines()[-1]
    assert "tox" in command
    assert f"\n{command}\n" in (ROOT / "README.md").read_text(encoding="utf-8")
