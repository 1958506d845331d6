"""heareval's two official runners, started on today's libraries.

::

    python -m hear_fusion.evaluate.official embeddings hear_fusion.cnn14_3_6 --tasks-dir tasks
    python -m hear_fusion.evaluate.official predictions embeddings/hear_fusion.cnn14_3_6/*

The arguments after the first word go to heareval's own command unchanged (``--help`` shows them),
and the numbers are the ones heareval computes. Each function below mends one thing that heareval
2021.1.3 expects of older libraries; none is applied where it is not needed.
"""

import json
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from hear_fusion.embeddings.sounds import read_sounds
from hear_fusion.errors import HearFusionError
from hear_fusion.evaluate.identity import WeightsIdentity, refuse_other_weights
from hear_fusion.evaluate.layout import EMBEDDINGS_DONE_FILE, LOCK_FILE, embeddings_folder_name
from hear_fusion.evaluate.sounds import EmbeddedSounds, misfit
from hear_fusion.files.lock import exclusive
from hear_fusion.parallel.processes import PARENT_VARIABLE, end_with_parent
from hear_fusion.tasks.check_audio import refuse_bad_clips
from hear_fusion.tasks.clips import read_clip
from hear_fusion.tasks.folders import refuse_other_task, require_audio

_NOISE = (
    "pkg_resources is deprecated",  # Lightning 1.9 imports it
    "The pynvml package is deprecated",  # torch, when it sees the old NVML binding
    "Implicit dimension choice for softmax",  # heareval's Softmax(), right for its 2-D input
    "The dataloader, .*, does not have many workers",
    "`rank_zero_",
    "Setting `Trainer\\(gpus=",
    "The number of training batches .* is smaller than the logging interval",
    ".*TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD",
)


def silence_noise() -> None:
    """Filter warnings and tables that say nothing about the run.

    They concern the libraries' own ageing, fill hundreds of lines a task, and hide real messages.
    """
    for message in _NOISE:
        warnings.filterwarnings("ignore", message=message)
    logging.getLogger("pytorch_lightning.profilers.profiler").setLevel(logging.WARNING)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Read by torch each time it loads with weights_only switched off by the environment.
    logging.getLogger("torch.serialization").setLevel(logging.ERROR)


def trust_own_checkpoints() -> None:
    """Let heareval read back the checkpoints it has just written.

    Since torch 2.6 ``torch.load`` refuses classes in a checkpoint, and heareval's hold its
    hyper-parameters as classes. The variable is set in the predictions process only: it loads
    nothing but its own files there, whereas the embeddings process loads people's weights.
    """
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"


def restore_best_epoch(task_predictions: ModuleType) -> None:
    """Make the test step of event tasks use the best epoch's post-processing.

    heareval sets ``fit_loop.current_epoch`` to the best epoch before testing. Since Lightning 1.6
    that attribute is dead: ``trainer.current_epoch`` counts the epochs trained, an epoch for which
    no post-processing was chosen (KeyError).
    """
    official = task_predictions.task_predictions_test

    def task_predictions_test(*args: Any, **kwargs: Any) -> Any:
        grid_point = kwargs["grid_point"] if "grid_point" in kwargs else args[1]
        progress = grid_point.trainer.fit_loop.epoch_progress
        progress.current.completed = grid_point.epoch
        return official(*args, **kwargs)

    task_predictions.task_predictions_test = task_predictions_test  # type: ignore[attr-defined]


def answer_gpu_question(tensorflow: Any, torch: Any) -> None:
    """Answer heareval's question whether the model will find the GPU for torch models.

    It asks TensorFlow at import and gives up if torch sees a GPU and TensorFlow does not, although
    a torch model never touches TensorFlow. TensorFlow models are refused later, once it is known
    that the model is one (:func:`know_weights`).
    """
    if not torch.cuda.is_available():
        return

    def is_gpu_available(*_args: Any, **_kwargs: Any) -> bool:
        return bool(torch.cuda.is_available())

    tensorflow.test.is_gpu_available = is_gpu_available


def name_gpu_by_torch(gpu_max_mem: ModuleType, torch: Any) -> None:
    """Take the GPU's name from torch.

    heareval decodes NVML's answer from bytes; today's binding returns text, and the runner would
    die of it after all its work, just before it marks a task as done.
    """
    if not torch.cuda.is_available():
        return

    def device_name(device_index: int = 0) -> str:
        return str(torch.cuda.get_device_name(device_index))

    gpu_max_mem.device_name = device_name  # type: ignore[attr-defined]


def name_bad_clips(runner: ModuleType, task_embeddings: ModuleType) -> None:
    """Read clips whole, and name those that no embedding can be computed of.

    heareval takes what is left of a file that was cut, and fails on others without saying which.
    """
    official = runner.task_embeddings

    def read(dataset: Any, index: int) -> tuple[Any, str]:
        name = dataset.filenames[index]
        return read_clip(dataset.audio_dir / name, dataset.sample_rate), name

    def embed(embedding: Any, task_path: Path, embed_task_dir: Path) -> None:
        try:
            official(embedding, task_path, embed_task_dir)
        except Exception as err:
            try:
                refuse_bad_clips(task_path, embedding.sample_rate, alike=True)
            except HearFusionError as named:
                raise click.ClickException(str(named)) from err
            raise

    task_embeddings.AudioFileDataset.__getitem__ = read
    runner.task_embeddings = embed  # type: ignore[attr-defined]


def know_weights(runner: ModuleType, tensorflow_has_gpu: bool, torch: Any) -> None:
    """Record weights and sounds in each task folder; refuse folders made with other weights.

    heareval names the folder of embeddings by module and options, so that other weights would
    silently reuse what is there.
    """
    official_embedding, official_task_embeddings = runner.Embedding, runner.task_embeddings

    def load(module_name: str, model_path: str | None = None, options: Any = None) -> Any:
        embedding = official_embedding(module_name, model_path, options)
        if embedding.type == "tf" and torch.cuda.is_available() and not tensorflow_has_gpu:
            raise click.ClickException(
                f"module must be a torch model on this machine, got the TensorFlow model "
                f"{module_name}: TensorFlow does not see the GPU that torch sees; install a "
                "TensorFlow with GPU support or hide the GPU with CUDA_VISIBLE_DEVICES=''"
            )
        embedding.weights = WeightsIdentity.of(embedding.model, module_name, model_path)
        context = click.get_current_context()
        given = context.params
        if PARENT_VARIABLE not in os.environ:  # otherwise the parent holds it
            context.with_resource(exclusive(Path(given["embeddings_dir"]) / LOCK_FILE))
        folder = embeddings_folder_name(embedding.name, json.loads(given["model_options"]))
        tasks_dir = Path(given["tasks_dir"])
        names = sorted(path.name for path in tasks_dir.iterdir())
        names = names if given["task"] == "all" else [given["task"]]
        try:
            for name in names:
                finished = Path(given["embeddings_dir"]) / folder / name
                refuse_other_weights(finished, embedding.weights)
                refuse_other_task(tasks_dir / name, finished, done=EMBEDDINGS_DONE_FILE)
                reason = misfit(tasks_dir / name, finished, embedding.sample_rate)
                if reason is not None:
                    click.echo(f"{name}: computing its embeddings anew, since {reason}", err=True)
                    shutil.rmtree(finished)
        except ValueError as err:
            raise click.ClickException(str(err)) from err
        return embedding

    def task_embeddings(embedding: Any, task_path: Path, embed_task_dir: Path) -> None:
        # The folder marks the task that was at work, should anything fail from here on.
        embed_task_dir.mkdir(parents=True, exist_ok=True)
        try:
            require_audio(task_path, embedding.sample_rate)
        except ValueError as err:
            raise click.ClickException(str(err)) from err
        sounds = read_sounds(task_path, embedding.sample_rate)
        official_task_embeddings(embedding, task_path, embed_task_dir)
        embedding.weights.write(embed_task_dir)
        EmbeddedSounds(embedding.sample_rate, sounds).write(embed_task_dir)

    runner.Embedding = load  # type: ignore[attr-defined]
    runner.task_embeddings = task_embeddings  # type: ignore[attr-defined]


def run_embeddings(arguments: Sequence[str]) -> None:
    """Run ``heareval.embeddings.runner`` with these arguments."""
    import tensorflow
    import torch

    # What TensorFlow says is only of interest, and only slow, where there is a GPU.
    tensorflow_has_gpu = torch.cuda.is_available() and bool(
        tensorflow.config.list_physical_devices("GPU")
    )
    answer_gpu_question(tensorflow, torch)
    name_gpu_by_torch(import_module("heareval.gpu_max_mem"), torch)
    runner = import_module("heareval.embeddings.runner")
    name_bad_clips(runner, import_module("heareval.embeddings.task_embeddings"))
    know_weights(runner, tensorflow_has_gpu, torch)
    runner.runner(args=list(arguments), prog_name="embeddings")


def run_predictions(arguments: Sequence[str]) -> None:
    """Run ``heareval.predictions.runner`` with these arguments."""
    import torch

    trust_own_checkpoints()
    name_gpu_by_torch(import_module("heareval.gpu_max_mem"), torch)
    restore_best_epoch(import_module("heareval.predictions.task_predictions"))
    runner = import_module("heareval.predictions.runner")
    runner.runner(args=list(arguments), prog_name="predictions")


def main(arguments: Sequence[str]) -> None:
    """Start the runner named by the first argument with the others.

    Raises:
        SystemExit: Always; with 2 when the first argument names no runner.
    """
    runners = {"embeddings": run_embeddings, "predictions": run_predictions}
    if not arguments or arguments[0] not in runners:
        got = repr(arguments[0]) if arguments else "nothing"
        sys.stderr.write(
            f"the first argument must be 'embeddings' or 'predictions', got {got}; see\n{__doc__}"
        )
        raise SystemExit(2)
    end_with_parent()
    silence_noise()
    runners[arguments[0]](arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
