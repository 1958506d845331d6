"""The command line as a whole, and ``hear-fusion list``."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from hear_fusion.backbones import REGISTRY
from hear_fusion.cli import main


def test_list_tells_what_a_user_needs_to_choose() -> None:
    shown = CliRunner().invoke(main, ["list"])
    assert shown.exit_code == 0
    for network in REGISTRY.values():
        assert f"{network.title}  ({network.licence})" in shown.output
        assert f"hops {' '.join(map(str, network.timeline.hops_ms))} ms" in shown.output
        for record in network.records:
            assert record.filename in shown.output
        for layer in network.layer_table:
            line = next(
                line
                for line in shown.output.splitlines()
                if line.split()[:2] == [str(layer.number), layer.module]
            )
            assert str(layer.dim) in line.split()
    assert "hear_fusion.cnn14_3_6  6144-d, a frame every 320 ms" in shown.output
    assert "hear_fusion.yamnet  1024-d original embedding, a frame every 960 ms" in shown.output


def test_list_of_one_network() -> None:
    shown = CliRunner().invoke(main, ["list", "yamnet"])
    assert "YAMNet" in shown.output
    assert "CNN14" not in shown.output
    wrong = CliRunner().invoke(main, ["list", "resnet"])
    assert wrong.exit_code == 2
    assert "got 'resnet'" in wrong.output


@pytest.mark.parametrize(
    "verb", ["list", "weights", "tasks", "evaluate", "compare", "demo", "show", "map"]
)
def test_help_teaches_by_example(verb: str) -> None:
    shown = CliRunner().invoke(main, [verb, "--help"])
    assert shown.exit_code == 0
    assert "\\b" not in shown.output
    assert "hear_fusion." in shown.output or "hear-fusion " in shown.output.partition("\n")[2]


def test_help_needs_neither_torch_nor_tensorflow() -> None:
    script = (
        "import sys\n"
        "from hear_fusion.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print({'torch', 'tensorflow', 'heareval'} & set(sys.modules))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert run.stdout.rstrip().endswith("set()"), run.stdout + run.stderr
