"""A disk that is full, or a folder that is none: one line, exit 1, and the same command completes.

The limit on the size of a file stands in for the disk: it works on every machine.
"""

from __future__ import annotations

import multiprocessing
import resource
import shutil
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from click.testing import CliRunner

from hear_fusion.cli import main
from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.embeddings.embed import embed_task
from tests.datasets.miniature import write_files
from tests.datasets.miniatures import MINIATURES
from tests.report.leaderboard.boards import board_text, write_run
from tests.report.studies import study
from tests.tasks.hear_tasks import write_scene_task

STUDY = "backbone: cnn14\nlearning_rates: [1e-2]\nseeds: [1]\nmax_epochs: 2\n"
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def inputs(
    tmp_path_factory: pytest.TempPathFactory, weight_files: dict[str, Path]
) -> dict[str, str]:
    """What the verbs read, by the names that their arguments have below."""
    folder = tmp_path_factory.mktemp("inputs")
    task = write_scene_task(folder / "tasks" / "scene", n_clips=60)
    write_scene_task(folder / "48k" / "tones", n_clips=2, sample_rate=48000)
    embed_task(LoadedBackbone.load("cnn14", weight_files["cnn14"]), task, folder / "store")
    (folder / "study.yaml").write_text(STUDY)
    study("cnn14").write(folder / "results")
    mini = MINIATURES["crema_d"]()
    write_files(folder / "source", mini.files)
    write_run(folder / "embeddings" / "mine" / "esc50-v2.0.0-full", 0.9)
    (folder / "board.csv").write_text(board_text({"One": {"ESC-50": 0.5}}))
    names = ("tasks", "48k", "store", "study.yaml", "results", "source", "embeddings", "board.csv")
    weights = str(weight_files["cnn14"])
    return {name: str(folder / name) for name in names} | {"weights": weights}


EMBED = "embed --backbone cnn14 --tasks-dir {tasks} --weights {weights} --store {out}/store"
EXPORT = " --modules cnn14_3_6 --embeddings-dir {out}/embeddings"
RUN_STUDY = (
    "study {study.yaml} --tasks-dir {tasks} --weights {weights} --store {out}/store "
    "--out {out}/results"
)
# A limit in bytes, and what is written by then; copied first, where a verb goes on from there.
CASES: dict[str, tuple[int, str, str]] = {
    "texts of the store": (1500, "", EMBED),
    "arrays of the store": (4000, "", EMBED),
    "record of the store": (6000, "", EMBED),
    "embeddings": (4000, "store", EMBED + EXPORT),
    "labels of embeddings": (1000, "store", EMBED + EXPORT),
    "heads": (600, "store", RUN_STUDY),
    "study": (2500, "store", RUN_STUDY),
    "sounds of a data set": (
        2000, "", "tasks prepare crema_d {source} {out}/tasks --jobs 1 --allow-missing"
    ),
    "sounds at another rate": (4000, "48k", "tasks resample {out}/48k --jobs 1"),
    "report": (9000, "", "report {results} --out {out}/page/report.html"),
    "tables of a report": (200, "", "report {results} --out {out}/page/report.html"),
    "comparison": (
        5000, "", "compare {embeddings}/mine --leaderboard {board.csv} --out {out}/comparison"
    ),
}  # fmt: skip


def arguments(inputs: dict[str, str], words: str, out: Path) -> list[str]:
    for name, path in {**inputs, "out": str(out)}.items():
        words = words.replace(f"{{{name}}}", path)
    return words.split(" ")


def run(command: list[str], limit_bytes: int = resource.RLIM_INFINITY) -> tuple[int, str]:
    """Run a verb in a process that cannot write longer files."""

    def child(channel: Connection) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
        shown = CliRunner().invoke(main, command)
        failed = shown.exception is not None and not isinstance(shown.exception, SystemExit)
        channel.send((99, repr(shown.exception)) if failed else (shown.exit_code, shown.output))

    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=child, args=(theirs,))
    process.start()
    theirs.close()
    try:
        assert ours.poll(TIMEOUT_S), "it hangs"
        found: tuple[int, str] = ours.recv()
    finally:
        process.kill()
        process.join()
    return found


def files_of(folder: Path) -> dict[str, bytes]:
    """All files but those that tell times."""
    timed = ("store.json", "study.json", "profile.embeddings.json", ".npz", "submission.csv")
    return {
        path.relative_to(folder).as_posix(): b"" if path.name.endswith(timed) else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", CASES)
def test_one_line_says_so_and_the_same_command_completes(
    name: str, inputs: dict[str, str], tmp_path: Path
) -> None:
    limit_bytes, start, words = CASES[name]
    outs = [tmp_path / "out", tmp_path / "clean" / "out"]
    for out in outs:
        out.mkdir(parents=True)
        if start:
            shutil.copytree(inputs[start], out / start)
    code, said = run(arguments(inputs, words, outs[0]), limit_bytes)
    assert code == 1, said
    lines = [line for line in said.splitlines() if "Error" in line]
    assert said.splitlines()[-1:] == lines, said
    assert lines[0].removeprefix("Error: ").removeprefix("scene: ").startswith(f"{outs[0]}/")
    assert "must have room on its disk, got File too large; make some and run the sam" in lines[0]
    assert not [
        path for path in outs[0].rglob(".*") if path.is_file() and not path.name.endswith("lock")
    ]
    for out in outs:
        code, said = run(arguments(inputs, words, out))
        assert code == 0, said
    assert files_of(outs[0]).keys() == files_of(outs[1]).keys()
    different = [
        path for path, content in files_of(outs[1]).items() if files_of(outs[0])[path] != content
    ]
    assert [path for path in different if "filename" not in path] == []


@pytest.mark.parametrize("name", [name for name in CASES if name != "sounds at another rate"])
def test_a_folder_that_cannot_be_is_told_in_one_line(
    name: str, inputs: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("a file")
    code, said = run(arguments(inputs, CASES[name][2], tmp_path / "out"))
    assert code == 1, said
    last = said.splitlines()[-1]
    told = last.removeprefix("Error: ").removeprefix("scene: ")
    assert told.startswith(f"{tmp_path / 'out'}/")
    assert "must be writable, got Not a directory; make it so or choose another folder" in last
