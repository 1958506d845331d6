"""Every folder that the package writes has one writer at a time, whichever verb that is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from hear_fusion import load
from hear_fusion.checkpoints.cache import import_file
from hear_fusion.checkpoints.fetch import fetch
from hear_fusion.checkpoints.records import WeightsRecord
from hear_fusion.cli import main
from hear_fusion.datasets.prepare import prepare
from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.embeddings.embed import embed_task
from hear_fusion.embeddings.features.rows import Rows
from hear_fusion.embeddings.features.run import make_table, record_of
from hear_fusion.embeddings.tables.index import Index
from hear_fusion.embeddings.tables.segments import Segment
from hear_fusion.embeddings.tables.table import Table, TableRecord
from hear_fusion.errors import HearFusionError
from hear_fusion.evaluate.embeddings import export_module
from hear_fusion.evaluate.run import run
from hear_fusion.files.lock import exclusive, no_waiting
from hear_fusion.names import Choice
from hear_fusion.report.leaderboard.board import Entry, load_leaderboard, parse_leaderboard
from hear_fusion.report.leaderboard.ranking import stand
from hear_fusion.report.leaderboard.submissions import write_comparison
from hear_fusion.report.page import write_report
from hear_fusion.study.config import StudyConfig
from hear_fusion.study.layerwise import StudySetup, run_study
from hear_fusion.tasks.resample import plan_resampling, resample_task
from tests.datasets.miniature import write_files
from tests.datasets.miniatures import MINIATURES
from tests.report.leaderboard.boards import board_text
from tests.report.studies import study
from tests.tasks.hear_tasks import write_scene_task
from tests.tasks.test_writer import scene_clips, scene_task, write

# Nothing answers there: whoever gets past the lock fails.
NOWHERE = "http://127.0.0.1:9"
RECORD = WeightsRecord("net.pth", f"{NOWHERE}/net.pth", "MIT", "nobody")
CACHE = "home/hub/checkpoints"
Writer = Callable[[Path, Path], object]


def a_task(folder: Path) -> Path:
    task = folder / "tasks" / "scene"
    return task if task.exists() else write_scene_task(task, n_clips=1)


def embed(folder: Path, weights: Path) -> object:
    return embed_task(LoadedBackbone.load("cnn14", weights), a_task(folder), folder / "store")


def export(folder: Path, weights: Path) -> object:
    loaded = LoadedBackbone.load("cnn14", weights)
    stored = embed_task(loaded, a_task(folder), folder / "store")
    assert stored is not None
    return export_module(stored, a_task(folder), Choice("cnn14"), loaded, folder / "embeddings")


def evaluate(folder: Path, _weights: Path) -> object:
    return run(["tiny"], a_task(folder).parent, folder / "embeddings")


def study_(folder: Path, weights: Path) -> object:
    setup = StudySetup(a_task(folder).parent, folder / "results", weights=weights)
    return run_study(StudyConfig.read("cnn14"), setup)


def prepare_(folder: Path, _weights: Path) -> object:
    mini = MINIATURES["crema_d"]()
    return prepare(mini.data_set, write_files(folder / "source", mini.files), folder / "tasks")


def demo_task(folder: Path, _weights: Path) -> object:
    return write(folder / "tasks", scene_task(), scene_clips())


def resample(folder: Path, _weights: Path) -> object:
    (plan,) = plan_resampling(a_task(folder), 32000)
    return resample_task(plan)


def report(folder: Path, _weights: Path) -> object:
    if not (folder / "results").exists():
        study("cnn14").write(folder / "results")
    return write_report(folder / "results", folder / "report" / "page.html")


def compare(folder: Path, _weights: Path) -> object:
    board = parse_leaderboard(board_text({"One": {"ESC-50": 0.5}}), "here")
    standing = stand(board.entries, [Entry("mine", {"ESC-50": 0.6}, is_ours=True)])
    write_comparison(folder / "comparison", standing, (), "")
    return folder


def import_weights(folder: Path, weights: Path) -> object:
    return import_file(weights, RECORD)


def table(folder: Path, _weights: Path) -> Path:
    nan, vectors = np.array([np.nan]), np.ones((1, 1), np.float32)
    record = TableRecord("yamnet_5", (5,), (1,), "", "", "0.1.0", 16000)
    return Table(["a.wav"], nan, nan, [""], vectors, record).write(folder / "a.npz")


def index(folder: Path, weights: Path) -> object:
    return Index.of(table(folder, weights))


def features(folder: Path, weights: Path) -> object:
    soundfile.write(folder / "a.wav", [0.0] * 99, 16000)
    model, rows = load("cnn14", weights), Rows()
    segments = [Segment(str(folder / "a.wav"))]
    return make_table(model, record_of(model, weights, rows), segments, rows, folder / "a.npz")


WRITERS: dict[str, tuple[str, Writer]] = {
    "store": ("store/cnn14/.scene.lock", embed),
    "embeddings": ("embeddings/.lock", export),
    "embeddings of heareval": ("embeddings/.lock", evaluate),
    "feature table": (".a.npz.lock", features),
    "index of a table": (".a.npz.index.lock", index),
    "results": ("results/cnn14/.lock", study_),
    "prepared task": ("tasks/.crema_d_speakers-v1.0.0-full.lock", prepare_),
    "demonstration task": ("tasks/.tiny-v1-small.lock", demo_task),
    "resampled task": ("tasks/scene/.32000.lock", resample),
    "report": ("report/.hear-fusion.lock", report),
    "comparison": ("comparison/.hear-fusion.lock", compare),
    "weights that are imported": (f"{CACHE}/.net.pth.lock", import_weights),
    "weights that are fetched": (f"{CACHE}/.net.pth.lock", lambda *_: fetch(RECORD)),
    "leaderboard": (f"{CACHE}/.hear_leaderboard-2821cb1a.csv.lock",
                    lambda *_: load_leaderboard(f"{NOWHERE}/leaderboard.csv")),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_a_second_writer_is_refused_in_words(
    name: str, tmp_path: Path, weight_files: dict[str, Path], cache: Path
) -> None:
    a_task(tmp_path)
    lock, writer = WRITERS[name]
    path = tmp_path / lock
    words = f"{path.parent} must have one writer at a time, got another process at work that holds"
    with exclusive(path), no_waiting(), pytest.raises(HearFusionError, match=words):
        writer(tmp_path, weight_files["cnn14"])


def test_every_verb_that_writes_can_rule_out_waiting() -> None:
    with_option = {
        " ".join(path)
        for path, command in verbs(main, ())
        if any(parameter.name == "no_wait" for parameter in command.params)
    }
    assert with_option == {
        "embed", "evaluate", "study", "report", "compare", "demo", "weights fetch",
        "weights import", "tasks prepare", "tasks resample", "tasks demo", "features", "search",
        "duplicates", "select",
    }  # fmt: skip


def verbs(
    command: click.Command, path: tuple[str, ...]
) -> list[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        return [(path, command)]
    return [found for name, sub in command.commands.items() for found in verbs(sub, (*path, name))]


def test_a_verb_says_so_in_one_line_and_waits_again_afterwards(tmp_path: Path) -> None:
    report(tmp_path, tmp_path)
    arguments = ["report", str(tmp_path / "results"), "--out", str(tmp_path / "report" / "a.html")]
    with exclusive(tmp_path / "report" / ".hear-fusion.lock"):
        shown = CliRunner().invoke(main, [*arguments, "--no-wait"])
    assert shown.exit_code == 1
    assert shown.output.count("\n") == 1
    assert shown.output.startswith(f"Error: {tmp_path / 'report'} must have one writer at a time")
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert not (tmp_path / "report" / ".hear-fusion.lock").exists()
