"""Files that the program wrote itself, damaged: every verb goes on, or names what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import strategies as st

from hear_fusion.cli import main
from tests.files.done import GIVEN, KEPT, VERBS, do_all
from tests.fuzz.harness import Fuzz, Outcome, tree
from tests.fuzz.mutations import mutated
from tests.fuzz.texts import odd_text

READ_BY = {"store": ("embed", "study"), "embeddings": ("embed",), "submitted": ("compare",)}
TEXTS = (".json", ".csv", ".yaml")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, weight_files: dict[str, Path]) -> Path:
    folder = tmp_path_factory.mktemp("done")
    do_all(folder, weight_files["cnn14"])
    return folder


def cases(done: Path) -> st.SearchStrategy[tuple[str, str, bytes]]:
    """A verb, a file that it reads, and what has become of the file."""
    readers = {**READ_BY, "results/cnn14": ("study", "report"), "results/sections": ("report",)}
    found = [
        (verb, file.relative_to(done).as_posix())
        for folder, verbs in readers.items()
        for file in sorted((done / folder).rglob("*"))
        if file.is_file() and file.suffix in (*TEXTS, ".npy", ".npz")
        for verb in verbs
    ]
    found += [("study", "study.yaml"), ("compare", "board.csv")]

    def damages(case: tuple[str, str]) -> st.SearchStrategy[tuple[str, str, bytes]]:
        data = (done / case[1]).read_bytes()
        ways = odd_text(data) if case[1].endswith(TEXTS) else mutated(data)
        return st.tuples(st.just(case[0]), st.just(case[1]), ways)

    return st.sampled_from(found).flatmap(damages)


def test_verbs_go_on_or_name_what_is_wrong(
    fuzz: Fuzz, done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hear_fusion.report.page.study_drawings", lambda *_: ())
    work = tmp_path / "work"

    def run(case: tuple[str, str, bytes]) -> Outcome:
        verb, path, data = case
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        for name in (*KEPT, *GIVEN):
            copy = shutil.copytree if (done / name).is_dir() else shutil.copy
            copy(done / name, work / name)
        (work / path).write_bytes(data)
        before = tree(done)
        monkeypatch.chdir(work)
        shown = CliRunner().invoke(main, VERBS[verb])
        assert isinstance(shown.exception, SystemExit | None), shown.exception
        assert shown.exit_code in (0, 1), shown.output
        assert "Traceback" not in shown.output
        assert (shown.exit_code == 1) == ("Error: " in shown.output), shown.output
        assert tree(done) == before
        assert {file.name for file in work.iterdir()} <= {*KEPT, *GIVEN, "page"}
        return "refused" if shown.exit_code else "read"

    fuzz.run(cases(done), run, n=500, few=8)
