"""Words after ``hear-fusion`` that nobody should type, in this process and in processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import strategies as st

from hear_fusion.cli import main
from tests.files.done import GIVEN, KEPT, VERBS, do_all
from tests.fuzz.harness import Fuzz, Outcome, tree
from tests.fuzz.mutations import Draw, mutated
from tests.fuzz.texts import odd_text

# What verbs may make; the rest of the folder is of others.
MADE = ("out", "page", "results", "store", "embeddings", "home", "report.html", "tables", "figures")
PATHS = (
    "tasks", "store", "results", "embeddings", "submitted", "cnn14.pth", "study.yaml", "board.csv",
    "out", "out/new", "nowhere", "cnn14.pth/x", "tasks/scene/train.json", "tasks/scene/16000/train",
    "", ".", "-", "/dev/null", "/proc/self/mem", "a" * 300, "a\nb", "\u202ea", "~/x", "https://127.0.0.1:9/x",
)  # fmt: skip
WORDS = (
    "cnn14", "yamnet", "cnn14_3_6", "hear_fusion.cnn14_3_6", "hear_fusion.cnn14_99", "os", "..", "scene",
    "event", "esc50", "cpu", "cuda", "cuda:7", "meta", "mps:x", "{}", '{"hop_ms": 40}', '{"a": 1e999}',
    "[", "[" * 2000, "null", "0", "-1", "8", "16000", "16001", "1e9", "nan", "99999999999999999999",
    "default", "faster", "%s{0}", "\x1b[2J", "\udcff", "--", "-h", "--version", "--no-wait",
)  # fmt: skip
# These take minutes when all is well.
LONG = (("demo",), ("tasks", "demo"), ("evaluate",))


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words that lead to each verb."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif (*path, name) not in LONG:
            yield (*path, name)


def options(path: tuple[str, ...]) -> list[str]:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return [param.opts[0] for param in command.params if isinstance(param, click.Option)]


@st.composite
def typed(draw: Draw) -> list[str]:
    """The words of a verb, right ones with others between, or any at all."""
    value = st.sampled_from(PATHS) | st.sampled_from(WORDS)
    if draw(st.integers(0, 3)) == 0:
        words = list(VERBS[draw(st.sampled_from(sorted(VERBS)))])
    else:
        path = draw(st.sampled_from(sorted(commands(main))))
        words = [*path, *draw(st.lists(value, max_size=3))]
        for option in draw(st.lists(st.sampled_from([*options(path), "--nonsense"]), max_size=5)):
            words += [option, *draw(st.lists(value, min_size=1, max_size=1))]
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(1, len(words)))
        way = draw(st.integers(0, 2))
        words[at : at + (way > 0)] = [draw(value)] if way < 2 else []
    return [word.replace("\0", "") for word in words]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, weight_files: dict[str, Path]) -> Path:
    folder = tmp_path_factory.mktemp("done")
    do_all(folder, weight_files["cnn14"])
    return folder


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address answers, and what is downloaded would lie in the working folder."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("TORCH_HOME", "home")


def copy_of(done: Path, work: Path) -> Path:
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    for name in (*KEPT, *GIVEN):
        copy = shutil.copytree if (done / name).is_dir() else shutil.copy
        copy(done / name, work / name)
    return work


def others(work: Path) -> dict[str, tuple[int, int]]:
    """What lies in the folder and was not made by a verb; folders are as old as what is in them."""
    made = tuple(str(work / name) for name in MADE)
    return {path: what for path, what in tree(work).items() if not path.startswith(made)}


def judge(words: list[str], code: int, said: str) -> Outcome:
    assert code in (0, 1, 2), (words, code, said[-2000:])
    assert "Traceback" not in said, (words, said)
    assert said.strip(), words
    return "refused" if code else "read"


def test_words_are_obeyed_or_refused(
    fuzz: Fuzz, done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = copy_of(done, tmp_path / "work")

    def run(words: list[str]) -> Outcome:
        monkeypatch.chdir(copy_of(done, work))
        before = others(work)
        shown = CliRunner().invoke(main, words)
        assert isinstance(shown.exception, SystemExit | None), shown.exception
        assert others(work) == before, words
        assert [file.name for file in tmp_path.iterdir()] == ["work"]
        return judge(words, shown.exit_code, shown.output)

    fuzz.run(typed(), run, n=600, few=25)


@st.composite
def typed_beside_damage(draw: Draw, done: Path) -> tuple[list[str], str, bytes]:
    """A verb with all it needs and one damaged file, or any words and a whole one."""
    found = [file for name in (*KEPT, *GIVEN) for file in (done / name, *(done / name).rglob("*"))]
    files = [file for file in sorted(found) if file.is_file() and file.stat().st_size]
    path = draw(st.sampled_from(files))
    name, data = path.relative_to(done).as_posix(), path.read_bytes()
    if draw(st.integers(0, 2)) == 0:
        return draw(typed()), name, data
    damage = odd_text if path.suffix in (".json", ".csv", ".yaml") else mutated
    words = [*VERBS.values(), ["tasks", "check", "tasks"], ["tasks", "resample", "tasks"]]
    return list(draw(st.sampled_from(words))), name, draw(damage(data))


def test_processes_end_in_time_with_a_line(fuzz: Fuzz, done: Path, tmp_path: Path) -> None:
    cases: list[tuple[list[str], str, bytes]] = []
    fuzz.run(typed_beside_damage(done), cases.append, n=200, few=2)

    def run(number: int) -> None:
        words, name, data = cases[number]
        work = copy_of(done, tmp_path / f"work{number % 2}_{number}")
        (work / name).write_bytes(data)
        before = others(work)
        program = [sys.executable, "-m", "hear_fusion", *words]
        environ = {**os.environ, "PYTHONPATH": str(Path.cwd())}
        ended = subprocess.run(
            [word.encode("utf-8", "surrogateescape") for word in program],
            cwd=work, env=environ, capture_output=True, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        said = (ended.stdout + ended.stderr).decode(errors="replace")
        judge([*words, name], ended.returncode, said)
        assert others(work) == before, (words, name)
        shutil.rmtree(work)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, range(len(cases))))
