"""The verb ``evaluate``."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hear_fusion.cli import main
from hear_fusion.evaluate.run import Result, run
from hear_fusion.evaluate.scores import Score

ONE = Score("m1", "esc50", "top1_acc", 0.935, 0.91, 0.957, 400, "clips")


def faked(monkeypatch: pytest.MonkeyPatch, results: list[Result]) -> list[Any]:
    calls: list[Any] = []

    def fake_run(*args: Any, **options: Any) -> list[Result]:
        calls.append((args, options))
        return results

    monkeypatch.setattr(importlib.import_module("hear_fusion.evaluate.run"), "run", fake_run)
    return calls


def test_failures_are_told_after_the_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    good = Result("m1", tmp_path / "m1" / "esc50", score=ONE)
    bad = Result("m2", tmp_path / "m2" / "esc50", error="it broke; the end of x.log:\n  why")
    calls = faked(monkeypatch, [good, bad])
    arguments = ["m1", "m2", "--tasks-dir", str(tmp_path), "--task", "esc50", "--jobs", "3"]
    done = CliRunner().invoke(main, ["evaluate", *arguments, "--json", str(tmp_path / "s.json")])
    assert done.exit_code == 1
    assert "| esc50 | top1_acc | 400 | 0.935 [0.910, 0.957] |" in done.stdout
    assert "Error: it broke; the end of x.log:\n  why" in done.stderr
    assert "1 of 2 failed: m2 on esc50" in done.stderr
    assert len(json.loads((tmp_path / "s.json").read_text())) == 1
    ((args, options),) = calls
    assert args == (("m1", "m2"), tmp_path, Path("embeddings"))
    assert (options["tasks"], options["jobs"], options["grid_points"]) == (("esc50",), 3, 8)


def test_success_ends_with_zero(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    faked(monkeypatch, [Result("m1", tmp_path / "m1" / "esc50", score=ONE)])
    done = CliRunner().invoke(main, ["evaluate", "m1", "--tasks-dir", str(tmp_path)])
    assert done.exit_code == 0
    assert done.stderr == ""


def test_missing_heareval_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = importlib.import_module("hear_fusion.evaluate.tools")
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "heareval" else name)
    done = CliRunner().invoke(main, ["evaluate", "m1", "--tasks-dir", str(tmp_path)])
    assert done.exit_code == 1
    assert "got no heareval; install" in done.stderr
    assert "pip install --no-deps --ignore-requires-python heareval==2021.1.3" in done.stderr


@pytest.mark.parametrize("options", ["[1]", "{hop: 40}", "", "[" * 10_000, "9" * 5000])
def test_options_must_be_a_json_object(tmp_path: Path, options: str) -> None:
    arguments = ["m1", "--tasks-dir", str(tmp_path), "--model-options", options]
    done = CliRunner().invoke(main, ["evaluate", *arguments])
    assert done.exit_code == 1
    assert "model_options must be a JSON object" in done.stderr


def test_jobs_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="jobs must be at least 1, got 0"):
        run(["m"], tmp_path, tmp_path / "embeddings", jobs=0)


def test_help_shows_two_examples() -> None:
    text = CliRunner().invoke(main, ["evaluate", "--help"]).stdout
    assert text.count("\n    hear-fusion evaluate ") == 2
