"""Words for devices: which are taken, and what the others are told before any work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import torch
from click.testing import CliRunner

import hear_fusion
from hear_fusion.cli import main
from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.errors import InvalidError, InvalidTypeError
from hear_fusion.runtimes.devices import find_device, list_devices
from hear_fusion.study.config import StudyConfig
from hear_fusion.study.layerwise import StudySetup, run_study

Machine = Callable[[str | None, int], None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Another machine, ``machine("cuda", 2)``; a kind of None has no accelerator that works."""

    def pretend(kind: str | None, n_devices: int) -> None:
        found = None if kind is None else torch.device(kind)
        monkeypatch.setattr(
            torch.accelerator,
            "current_accelerator",
            # A torch that was built for a kind names it though the machine has none.
            lambda check_available=False: found if check_available else torch.device("cuda"),
        )
        monkeypatch.setattr(torch.accelerator, "device_count", lambda: n_devices)

    return pretend


CPU = ("cpu", "cpu:0", torch.device("cpu"), torch.device("cpu", 0))
WRONG = (
    *("", " ", "gpu", "GPU", "CPU", " cpu", "cpu ", "cpu:1", "cpu:00", "cpu:", "cpu,cuda", "auto"),
    *("cuda:2", "cuda:7", "cuda:99999999999999999999", "cuda:-1", "cuda:01", "cuda:", "cuda: 0"),
    *(
        "cuda0",
        "CUDA",
        "Cuda:0",
        "cdua",
        "nvidia",
        "0",
        "all",
        "none",
        "None",
        "hip",
        "rocm",
        "tpu",
    ),
    *("meta", "mkldnn", "privateuseone", "vulkan", "xla", "ipu", "cpu\n", "cuda\x00", "größe"),
    *(torch.device("meta"), torch.device("cpu", 1), torch.device("cuda", 2)),
)
KINDS = ("cuda", "mps", "xpu")


@pytest.mark.parametrize("word", CPU, ids=repr)
@pytest.mark.parametrize("kind", [None, *KINDS])
def test_the_cpu_is_everywhere(kind: str | None, word: Any, machine: Machine) -> None:
    machine(kind, 1)
    assert find_device(word) == torch.device("cpu")
    assert str(find_device(word)) == "cpu"


@pytest.mark.parametrize("kind", KINDS)
def test_an_accelerator_is_found_by_kind_and_by_number(kind: str, machine: Machine) -> None:
    machine(kind, 2)
    assert list_devices() == ("cpu", kind, f"{kind}:0", f"{kind}:1")
    for word in (kind, f"{kind}:0", f"{kind}:1"):
        assert find_device(word) == find_device(torch.device(word)) == torch.device(word)
    for other in set(KINDS) - {kind}:
        with pytest.raises(InvalidError, match=rf"\(cpu, {kind}, {kind}:0, {kind}:1\), got"):
            find_device(other)


@pytest.mark.parametrize("word", [*WRONG, *KINDS, *(f"{kind}:0" for kind in KINDS)], ids=repr)
def test_a_machine_without_accelerator_has_the_cpu_alone(word: Any, machine: Machine) -> None:
    machine(None, 0)
    with pytest.raises(
        InvalidError, match=r"^device must be a device of this machine \(cpu\), got"
    ):
        find_device(word)


@pytest.mark.parametrize("word", WRONG, ids=repr)
@pytest.mark.parametrize("kind", KINDS)
def test_other_words_are_refused_with_a_list(kind: str, word: Any, machine: Machine) -> None:
    machine(kind, 2)
    with pytest.raises(InvalidError) as caught:
        find_device(word)
    assert str(caught.value) == (
        f"device must be a device of this machine (cpu, {kind}, {kind}:0, {kind}:1), got "
        f"{str(word)!r}; 'hear-fusion env' shows the GPUs that torch sees"
    )


@pytest.mark.parametrize("word", [None, 0, 1.0, True, b"cpu", ["cpu"], torch.float32])
def test_what_is_no_word_is_refused(word: Any, machine: Machine) -> None:
    machine("cuda", 2)
    with pytest.raises(InvalidTypeError, match=r"must be a word such as 'cpu' .*, got"):
        find_device(word)


def test_a_device_without_float64_is_refused_where_it_is_needed(machine: Machine) -> None:
    machine("mps", 1)
    assert find_device("mps") == torch.device("mps")
    with pytest.raises(InvalidError, match=r"must compute in float64 .* got 'mps'.*; use the CPU"):
        find_device("mps", torch.float64)
    assert find_device("cpu", torch.float64) == torch.device("cpu")
    with pytest.raises(InvalidError, match="must compute in float64"):
        hear_fusion.load("vggish", "no file", device="mps")
    with pytest.raises(InvalidError, match="must compute in float64"):
        LoadedBackbone.load("vggish", Path("no file"), device="mps")


@pytest.mark.parametrize("word", ["gpu", "cuda:7", "", torch.device("meta")], ids=repr)
def test_the_word_is_checked_before_weights_are_read(
    word: Any, tmp_path: Path, machine: Machine
) -> None:
    machine("cuda", 1)
    message = r"device must be .* \(cpu, cuda, cuda:0\)"
    with pytest.raises(InvalidError, match=message):
        hear_fusion.load("yamnet", tmp_path / "no file", device=word)
    with pytest.raises(InvalidError, match=message):
        LoadedBackbone.load("yamnet", tmp_path / "no file", device=word)
    setup = StudySetup(tmp_path / "no tasks", tmp_path / "out", device=word)
    with pytest.raises(InvalidError, match=message):
        run_study(StudyConfig("yamnet", (1, 2)), setup)
    assert list(tmp_path.iterdir()) == []


def test_the_first_cpu_is_the_cpu(weight_files: dict[str, Path]) -> None:
    for word in CPU:
        loaded = LoadedBackbone.load("yamnet", weight_files["yamnet"], device=word)
        assert loaded.device == "cpu"
        model = hear_fusion.load("yamnet", weight_files["yamnet"], device=word)
        # Not "cpu:0", where sound would not be taken for being on the same device.
        assert {str(part.device) for part in (*model.parameters(), *model.buffers())} == {"cpu"}
        assert model.scenes(torch.zeros(1, 16000)).device == torch.device("cpu")


# A further verb with --device adds its line.
VERBS = {
    "embed": ("--backbone", "yamnet", "--tasks-dir", ".", "--store", "store"),
    "study": ("yamnet", "--tasks-dir", ".", "--out", "out"),
    "features": (".", "--model", "yamnet_5_13", "--out", "a.npz"),
    "search": (__file__, __file__),
    "show": (__file__, "--model", "yamnet_5_13", "--out", "a.png"),
}


def test_all_verbs_with_a_device_are_known() -> None:
    def verbs(group: click.Group) -> set[str]:
        found = set()
        for name, command in group.commands.items():
            if isinstance(command, click.Group):
                found |= verbs(command)
            elif any(option.name == "device" for option in command.params):
                found.add(name)
        return found

    assert isinstance(main, click.Group)
    assert verbs(main) == set(VERBS)


@pytest.mark.parametrize(
    "word", ["gpu", "cuda", "cuda:7", "cpu:1", "CPU", "mps", "", "xpu", "cpuu"]
)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_it_in_a_line_and_does_nothing(
    verb: str, word: str, tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(None, 0)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, [verb, *VERBS[verb], "--device", word])
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert result.output.splitlines()[-1] == (
        f"Error: Invalid value for '--device': --device must be a device of this machine (cpu), got "
        f"{word!r}; 'hear-fusion env' shows the GPUs that torch sees"
    )
    assert list(tmp_path.iterdir()) == []
