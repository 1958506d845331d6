import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner

from hear_fusion.cli import main
from hear_fusion.demo import DEMO_TASKS
from hear_fusion.demo.synthesis import packages
from hear_fusion.demo.tasks import build_demo_task, plan_demo

# A few clips of each kind, built in a process of its own.
BUILD = """
import sys
from dataclasses import replace
from pathlib import Path
from hear_fusion.demo.tasks import build_demo_task, plan_demo
from hear_fusion.demo.synthesis.notes import render_phrases
from hear_fusion.demo.synthesis.speech import render_utterances

for plan, render in zip(
    plan_demo(["languages", "events"]), (render_utterances, render_phrases), strict=True
):
    chosen = [
        index
        for split in plan.metadata.splits
        for index in [i for i, clip in enumerate(plan.clips) if clip.split == split][:3]
    ]
    jobs = [plan.jobs[index] for index in chosen]
    part = replace(
        plan,
        clips=[plan.clips[index] for index in chosen],
        jobs=jobs,
        render=lambda render=render, jobs=jobs: render(jobs),
    )
    build_demo_task(Path(sys.argv[1]), part, [16000, 32000])
"""


def digests(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    trees = []
    for seed in ("1", "2"):
        out = tmp_path / f"run {seed}"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": seed}
        subprocess.run([sys.executable, "-c", BUILD, str(out)], env=environment, check=True)
        trees.append(digests(out))
    assert len(trees[0]) == 2 * (5 + 2 * 9)
    sounds = {digest for name, digest in trees[0].items() if name.endswith(".wav")}
    assert len(sounds) == 2 * 2 * 9, "two clips are alike"
    assert trees[0] == trees[1]


@pytest.mark.parametrize("name", DEMO_TASKS)
def test_each_task_says_what_it_is(name: str) -> None:
    (plan,) = plan_demo([name])
    metadata = plan.metadata.as_json()
    assert plan.metadata.folder_name == f"demo_{name}-v1.0.0-small"
    assert "not a benchmark" in str(metadata["notice"])
    assert metadata["split_rule"]
    for source in plan.metadata.extras["sources"]:  # type: ignore[attr-defined]
        assert source["licence"]
    parameters = json.loads(json.dumps(metadata["evaluation_params"]))
    grid = parameters["task_specific_param_grid"]
    assert len(grid["lr"]) == 2
    assert grid["hidden_layers"] == [1]
    assert grid["max_epochs"][0] <= 100


@pytest.mark.parametrize(
    ("name", "first_score"),
    [("instruments", "top1_acc"), ("pitches", "pitch_acc"), ("events", "event_onset_200ms_fms")],
)
def test_models_are_selected_by_the_right_score(name: str, first_score: str) -> None:
    (plan,) = plan_demo([name])
    assert plan.metadata.evaluation[0] == first_score


def test_an_unknown_task_is_an_error() -> None:
    with pytest.raises(ValueError, match="names must be out of instruments, pitches"):
        plan_demo(["esc50"])


def test_another_rate_is_another_recipe(tmp_path: Path) -> None:
    (plan,) = plan_demo(["events"])
    first = build_demo_task(tmp_path, plan, [16000])
    again = build_demo_task(tmp_path, plan, [16000])
    assert not first.kept
    assert again.kept
    moved = replace(plan, jobs=[replace(plan.jobs[0], peak_db=-1.0), *plan.jobs[1:]])  # type: ignore[type-var]
    assert not build_demo_task(tmp_path, moved, [16000]).kept


def test_the_command_makes_what_it_names(tmp_path: Path) -> None:
    out = tmp_path / "my tasks"
    arguments = ["demo", str(out), "--only", "events", "--sample-rate", "32000"]
    result = CliRunner().invoke(main, ["tasks", *arguments])
    assert result.exit_code == 0, result.output
    assert "demo_events-v1.0.0-small" in result.stdout
    assert "18 train / 6 valid / 9 test" in result.stdout
    assert "4 classes" in result.stdout
    assert "(was there)" not in result.stdout
    (sound,) = (out / "demo_events-v1.0.0-small" / "32000" / "test").glob("*_00.wav")
    assert soundfile.info(sound).frames == 5 * 32000
    assert "(was there)" in CliRunner().invoke(main, ["tasks", *arguments]).stdout


def test_the_commands_list_is_the_tasks_list() -> None:
    text = CliRunner().invoke(main, ["tasks", "demo", "--help"]).output
    assert "[" + "|".join(DEMO_TASKS) + "]" in text.replace("\n", "").replace(" ", "")
    for name in DEMO_TASKS:
        assert f"\n  {name} " in text
    assert "not a benchmark" in text


def test_missing_packages_come_with_the_command_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda _: None)
    result = CliRunner().invoke(main, ["tasks", "demo", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "python -m pip install --no-deps tinysoundfont==0.3.7 pretty_midi" in result.output
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(
        main, ["tasks", "demo", str(tmp_path / "file" / "out"), "--only", "events"]
    )
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith("Error: ")
