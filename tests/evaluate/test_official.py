"""The patches of the launcher, each alone; those for GPU machines with a faked CUDA."""

import json
import os
import shutil
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import pytest

from hear_fusion.evaluate import official
from hear_fusion.evaluate.layout import embeddings_folder_name
from hear_fusion.files.lock import InUseError, exclusive, no_waiting
from hear_fusion.tasks.folders import text_files
from tests.tasks.hear_tasks import TINY_MODULE, python, write_scene_task
from tests.tasks.strays import add_strays

FAKE_CUDA = """
import json, os, sys, types
import torch

torch.cuda.is_available = lambda: True
torch.cuda.device_count = lambda: 1
torch.cuda.get_device_name = lambda index=0: "Fake GPU"
torch.nn.Module.to = lambda self, *args, **kwargs: self
torch.Tensor.to = lambda self, *args, **kwargs: self
pynvml = types.ModuleType("pynvml")
pynvml.NVMLError = RuntimeError
pynvml.nvmlInit = lambda: None
pynvml.nvmlDeviceGetHandleByIndex = lambda index: index
pynvml.nvmlDeviceGetMemoryInfo = lambda handle: types.SimpleNamespace(used=2**30)
pynvml.nvmlDeviceGetName = lambda handle: "text, not bytes"
sys.modules["pynvml"] = pynvml

try:
    import heareval.embeddings.runner
    unpatched = "imports"
except ValueError as err:
    unpatched = str(err)
for name in [name for name in sys.modules if name.startswith("heareval")]:
    del sys.modules[name]
import heareval.gpu_max_mem
try:
    heareval.gpu_max_mem.device_name()
    unpatched_name = "answers"
except AttributeError as err:
    unpatched_name = str(err)

from hear_fusion.evaluate import official
arguments = ["tiny_spectrum", "--tasks-dir", "tasks", "--embeddings-dir", "out"]
for runner in (["embeddings", *arguments, "--model-options", '{"gain": 2.0}'],
               ["predictions", "--help"]):
    trusting = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD" in os.environ
    try:
        official.main(runner)
    except SystemExit as end:
        assert not end.code, end.code
print()
print(json.dumps({"unpatched": unpatched, "unpatched_name": unpatched_name,
                  "name": heareval.gpu_max_mem.device_name(), "trusting": trusting,
                  "trusting_after": os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")}))
"""


@pytest.fixture(scope="module")
def on_fake_gpu(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    cwd = tmp_path_factory.mktemp("gpu")
    write_scene_task(cwd / "tasks" / "scene-v1", n_clips=2)
    (cwd / "tiny_spectrum.py").write_text(TINY_MODULE)
    (cwd / "fake.py").write_text(FAKE_CUDA)
    done = python("fake.py", cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"cwd": cwd}


def test_gpu_check_is_answered_for_torch(on_fake_gpu: dict[str, Any]) -> None:
    assert on_fake_gpu["unpatched"] == "GPUs not available in tensorflow, but found by pytorch"
    assert (on_fake_gpu["cwd"] / "out").is_dir()


def test_gpu_is_named_by_torch(on_fake_gpu: dict[str, Any]) -> None:
    assert "decode" in on_fake_gpu["unpatched_name"]
    assert on_fake_gpu["name"] == "Fake GPU"


def test_embeddings_are_finished_on_a_gpu(on_fake_gpu: dict[str, Any]) -> None:
    name = embeddings_folder_name("tiny_spectrum", {"gain": 2.0})
    folder = on_fake_gpu["cwd"] / "out" / name / "scene-v1"
    assert (folder / ".done.embeddings").exists()
    profile = json.loads((folder / "profile.embeddings.json").read_text())
    assert profile["gpu_device_name"] == "Fake GPU"


def test_only_the_predictions_process_trusts_checkpoints(on_fake_gpu: dict[str, Any]) -> None:
    assert not on_fake_gpu["trusting"]
    assert on_fake_gpu["trusting_after"] == "1"


def fake_torch(has_gpu: bool) -> Any:
    cuda = SimpleNamespace(
        is_available=lambda: has_gpu, get_device_name=lambda index: f"GPU {index}"
    )
    return SimpleNamespace(cuda=cuda)


def test_nothing_is_patched_without_a_gpu() -> None:
    tensorflow = SimpleNamespace(test=SimpleNamespace(is_gpu_available="untouched"))
    gpu_max_mem = ModuleType("gpu_max_mem")
    official.answer_gpu_question(tensorflow, fake_torch(False))
    official.name_gpu_by_torch(gpu_max_mem, fake_torch(False))
    assert tensorflow.test.is_gpu_available == "untouched"
    assert not hasattr(gpu_max_mem, "device_name")


@pytest.mark.parametrize(("kind", "refused"), [("tf", True), ("torch", False)])
def test_tensorflow_models_are_refused_if_it_sees_no_gpu(
    tmp_path: Path, kind: str, refused: bool
) -> None:
    runner = fake_runner(kind)
    official.know_weights(runner, False, fake_torch(True))
    with command_context(tmp_path):
        if refused:
            with pytest.raises(click.ClickException, match="must be a torch model"):
                runner.Embedding("module", None, {})
        else:
            assert runner.Embedding("module", None, {}).weights.sha256 == "default"


def test_weights_are_written_when_a_task_is_done_and_not_before(tmp_path: Path) -> None:
    runner = fake_runner("torch")
    official.know_weights(runner, False, fake_torch(False))
    task = write_scene_task(tmp_path / "tasks" / "t", n_clips=1)
    folder = tmp_path / "embeddings" / "module" / "t"
    with command_context(tmp_path):
        embedding = runner.Embedding("module", None, {})
    embedding.fails = True
    with pytest.raises(RuntimeError):
        runner.task_embeddings(embedding, task, folder)
    assert folder.is_dir()
    assert not (folder / "weights.json").exists()
    embedding.fails = False
    runner.task_embeddings(embedding, task, folder)
    assert json.loads((folder / "weights.json").read_text())["sha256"] == "default"


def test_embeddings_of_replaced_sounds_go_and_a_line_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = fake_runner("torch")
    official.know_weights(runner, False, fake_torch(False))
    task = write_scene_task(tmp_path / "tasks" / "t", n_clips=1)
    folder = tmp_path / "embeddings" / "module" / "t"
    with command_context(tmp_path):
        embedding = runner.Embedding("module", None, {})
    for text in text_files(task):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(text, folder)
    runner.task_embeddings(embedding, task, folder)
    (folder / ".done.embeddings").touch()
    add_strays(task)
    with command_context(tmp_path):
        runner.Embedding("module", None, {})
    assert folder.exists()
    os.utime(task / "16000" / "valid" / "t_valid_0.wav", ns=(0, 12345))
    with command_context(tmp_path):
        runner.Embedding("module", None, {})
    assert not folder.exists()
    assert capsys.readouterr().err == (
        "t: computing its embeddings anew, since valid/t_valid_0.wav was replaced\n"
    )


def test_the_folder_is_locked_unless_the_parent_has_done_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = fake_runner("torch")
    official.know_weights(runner, False, fake_torch(False))
    with exclusive(tmp_path / "embeddings" / ".lock"), no_waiting():
        with command_context(tmp_path), pytest.raises(InUseError, match="one writer at a time"):
            runner.Embedding("module", None, {})
        monkeypatch.setenv("HEAR_FUSION_PARENT", "1")
        with command_context(tmp_path):
            assert runner.Embedding("module", None, {})
    with exclusive(tmp_path / "embeddings" / ".lock"):
        pass


def test_the_best_epoch_is_tested() -> None:
    tested: list[int] = []
    current = SimpleNamespace(completed=12)
    loop = SimpleNamespace(epoch_progress=SimpleNamespace(current=current))
    grid_point = SimpleNamespace(epoch=7, trainer=SimpleNamespace(fit_loop=loop))
    module: Any = ModuleType("task_predictions")
    module.task_predictions_test = lambda **_kwargs: tested.append(current.completed)
    official.restore_best_epoch(module)
    module.task_predictions_test(embedding_path=None, grid_point=grid_point)
    assert tested == [7]


def test_noise_is_silenced_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        official.silence_noise()
        warnings.warn("pkg_resources is deprecated as an API.", UserWarning, stacklevel=1)
        warnings.warn("The pynvml package is deprecated.", FutureWarning, stacklevel=1)
        warnings.warn("the loss is not finite", UserWarning, stacklevel=1)
    assert [str(warning.message) for warning in heard] == ["the loss is not finite"]


def test_unknown_runner_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        official.main(["train"])
    assert end.value.code == 2
    assert "must be 'embeddings' or 'predictions', got 'train'" in capsys.readouterr().err


def fake_runner(kind: str) -> Any:
    def embedding(module_name: str, model_path: str | None, options: Any) -> Any:
        return SimpleNamespace(
            type=kind, name=module_name, model=object(), sample_rate=16000, fails=False
        )

    def task_embeddings(embedding: Any, task_path: Path, folder: Path) -> None:
        if embedding.fails:
            raise RuntimeError("no")

    runner: Any = ModuleType("runner")
    runner.Embedding, runner.task_embeddings = embedding, task_embeddings
    return runner


def command_context(folder: Path) -> click.Context:
    (folder / "tasks").mkdir(exist_ok=True)
    context = click.Context(click.Command("embeddings"))
    context.params = {
        "tasks_dir": str(folder / "tasks"),
        "embeddings_dir": str(folder / "embeddings"),
        "task": "all",
        "model_options": "{}",
    }
    return context
