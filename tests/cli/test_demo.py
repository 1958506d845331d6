"""The verb of the main command, with the long steps replaced."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hear_fusion.checkpoints import WeightsError
from hear_fusion.cli import main
from hear_fusion.demo import evaluation
from hear_fusion.demo.evaluation import DemoScores
from hear_fusion.evaluate.difference import Difference
from hear_fusion.evaluate.scores import Score
from hear_fusion.names import Choice
from hear_fusion.study.results import Study
from tests.report.studies import study as make_study


def difference(task: str, metric: str) -> Difference:
    scores = [Score(m, task, metric, v, 0.0, 1.0, 96, "clips") for m, v in (("a", 0.3), ("b", 0.9))]
    return Difference(scores[0], scores[1], 0.6, 0.5, 0.7)


class Stage:
    """Stands for the long steps; remembers which ran."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, errors: list[str]) -> None:
        self.ran: list[Any] = []
        scores = DemoScores([difference("words-v1-small", "top1_acc")], errors)
        study = replace(make_study("yamnet"), middle=4, late=12)

        def study_demo(
            tasks_dir: Path, out: Path, weights: Path, say: Any, embeddings_dir: Path | None = None
        ) -> Study:
            self.ran.append(("study", tasks_dir, weights, embeddings_dir))
            say("studying")
            study.write(out / "yamnet")
            return study

        def evaluate(
            tasks_dir: Path, embeddings_dir: Path, weights: Path, fused: Choice, say: Any
        ) -> DemoScores:
            self.ran.append((tasks_dir, embeddings_dir, weights, str(fused)))
            say("scoring")
            return scores

        def make_tasks(out: Path, say: Any) -> None:
            self.ran.append(out)
            out.mkdir(parents=True)
            say("six tasks")

        monkeypatch.setattr(evaluation, "demo_weights", lambda: Path("weights.zip"))
        monkeypatch.setattr(evaluation, "validate", lambda module, _: self.ran.append(module))
        monkeypatch.setattr(evaluation, "study_demo", study_demo)
        monkeypatch.setattr(evaluation, "evaluate_demo", evaluate)
        monkeypatch.setattr(evaluation, "make_demo_tasks", make_tasks)

    def run(self, out: Path) -> Result:
        return CliRunner().invoke(main, ["demo", str(out)])


def test_it_goes_from_weights_to_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, out = Stage(monkeypatch, []), tmp_path / "my demo"
    shown = stage.run(out)
    assert shown.exit_code == 0, shown.output
    assert stage.ran == [
        out / "tasks",
        ("study", out / "tasks", Path("weights.zip"), None),
        "hear_fusion.yamnet",
        "hear_fusion.yamnet_4_12",
        "hear_fusion.yamnet_40ms",
        "hear_fusion.yamnet_4_12_40ms",
        (out / "tasks", out / "embeddings", Path("weights.zip"), "yamnet_4_12"),
        ("study", out / "tasks", Path("weights.zip"), out / "embeddings"),
    ]
    steps = [line.partition("] ")[2] for line in shown.output.splitlines() if line[:1] == "["]
    assert steps == [
        "looking for the HEAR tools and for YAMNet's weights",
        "making the tasks",
        "studying",
        "hear-validator hear_fusion.yamnet",
        "hear-validator hear_fusion.yamnet_4_12",
        "hear-validator hear_fusion.yamnet_40ms",
        "hear-validator hear_fusion.yamnet_4_12_40ms",
        "scoring",
    ]
    assert "\n    weights.zip\n" in shown.output
    assert "\nsix tasks\n" in shown.output
    assert shown.output.count("\n    Looks good!\n") == 4
    written = (out / "scores.md").read_text(encoding="utf-8")
    for text in ("heareval's own head", "Layers of yamnet", "+0.60 [+0.50, +0.70]"):
        assert text in shown.output
        assert text in written
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "The official HEAR head" in page
    assert "4 (M)" in page
    assert "12 (L)" in page


def test_failures_are_told_and_counted_in_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Stage(monkeypatch, ["the disk is full"]).run(tmp_path / "demo")
    assert shown.exit_code == 1
    assert "the disk is full" in shown.output
    assert (tmp_path / "demo" / "scores.md").exists(), "what was computed is kept"


def test_without_weights_it_stops_before_making_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(monkeypatch, [])

    def absent() -> Path:
        raise WeightsError("no weights; get them here")

    monkeypatch.setattr(evaluation, "demo_weights", absent)
    shown = stage.run(tmp_path / "demo")
    assert shown.exit_code == 1
    assert "no weights; get them here" in shown.output
    assert stage.ran == []


def test_without_the_hear_tools_it_says_how_to_install_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(monkeypatch, [])
    monkeypatch.setattr("hear_fusion.evaluate.tools.find_spec", lambda _: None)
    shown = stage.run(tmp_path / "demo")
    assert shown.exit_code == 1
    assert "pip install -r requirements-hear.txt" in shown.output
    assert stage.ran == []
