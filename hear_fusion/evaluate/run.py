"""Run heareval for many modules and tasks: resumable, side by side, one line of progress.

What is done stays done, by heareval's own marks (``.done.embeddings``, ``prediction-done.json``).
Logs are kept in ``<embeddings dir>/.logs``, passing files in ``<embeddings dir>/.scratch``; both
are hidden so that ``<embeddings dir>/*`` still means the modules.
"""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hear_fusion.errors import InvalidError
from hear_fusion.evaluate.layout import EMBEDDINGS_DONE_FILE, LOCK_FILE, embeddings_folder_name
from hear_fusion.evaluate.memory import default_jobs, fits_in_memory
from hear_fusion.evaluate.options import read_options
from hear_fusion.evaluate.scores import Score, read_score
from hear_fusion.evaluate.settings import PredictionSettings, is_predicted
from hear_fusion.evaluate.sounds import misfit
from hear_fusion.evaluate.workspace import Workspace
from hear_fusion.files.lock import exclusive
from hear_fusion.names import import_name
from hear_fusion.parallel.machine import available_bytes
from hear_fusion.parallel.processes import Command, run_commands
from hear_fusion.progress import progress_bar
from hear_fusion.tasks.folders import find_tasks

_LOGGER = logging.getLogger(__name__)
_LAUNCHER = ("-m", "hear_fusion.evaluate.official")


@dataclass
class Result:
    """What became of one module on one task.

    Attributes:
        module: Import name of the module.
        folder: Folder of its embeddings, predictions and scores; named like the task.
        score: The score, or None if something failed.
        error: What failed, with the end of the log and its path, or None.
    """

    module: str
    folder: Path
    score: Score | None = None
    error: str | None = None

    @property
    def task(self) -> str:
        """Name of the task folder."""
        return self.folder.name


def run(
    modules: Sequence[str],
    tasks_dir: Path,
    embeddings_dir: Path,
    *,
    model: Path | None = None,
    model_options: str = "{}",
    tasks: Sequence[str] | None = None,
    grid_points: int = 8,
    grid: str = "default",
    jobs: int | None = None,
    gpus: str | None = None,
    in_memory: bool | None = None,
) -> list[Result]:
    """Evaluate modules on tasks with heareval, going on where a former run ended.

    Args:
        modules: Import names of HEAR modules, a choice's also without the package's name; the
            current folder is importable.
        tasks_dir: Folder of HEAR task folders.
        embeddings_dir: Where ``<module>/<task>`` folders are, or will be.
        model: Weights file handed to ``load_model`` of every module.
        model_options: JSON object handed to ``load_model`` as keyword arguments.
        tasks: Names of the task folders; None for all.
        grid_points: Grid points that heareval tries, at least 1.
        grid: ``default``, ``fast`` or ``faster``.
        jobs: Predictions made side by side, one thread each; None for what cores and memory allow.
        gpus: heareval's ``--gpus``, a JSON list; None leaves it to heareval.
        in_memory: heareval's ``--in-memory``; None decides by size for each task.

    Returns:
        One result for each module and task, in this order.

    Raises:
        ValueError: If an argument or the tasks folder is not as described.
    """
    options = read_options(model_options)
    if jobs is not None and jobs < 1:
        raise InvalidError(f"jobs must be at least 1, got {jobs}; leave it out to use all cores")
    task_paths = [path.absolute() for path in find_tasks(tasks_dir, tasks)]
    workspace = Workspace(embeddings_dir.absolute())
    names = dict.fromkeys(map(import_name, modules))
    folders = {name: embeddings_folder_name(name, options) for name in names}
    results = [
        Result(name, workspace.embeddings_dir / folder / task.name)
        for name, folder in folders.items()
        for task in task_paths
    ]
    try:
        # Two runs would remove each other's unfinished folders.
        with exclusive(workspace.embeddings_dir / LOCK_FILE):
            for name in folders:
                own = [result for result in results if result.module == name]
                with progress_bar(f"embeddings of {name}", len(own), "task") as bar:
                    _compute_embeddings(workspace, own, task_paths, model, model_options, bar)
            settings = PredictionSettings(grid_points, grid)
            extra = ["--gpus", gpus] if gpus is not None else []
            _make_predictions(workspace, results, settings, extra, jobs, in_memory)
    finally:
        workspace.clean()
    for result in results:
        if result.error is None:
            try:
                result.score = read_score(result.folder)
            except (ValueError, OSError) as err:
                result.error = str(err)
    return results


def _compute_embeddings(
    workspace: Workspace,
    results: Sequence[Result],
    task_paths: Sequence[Path],
    model: Path | None,
    model_options: str,
    bar: Any,
) -> None:
    """Run the embeddings runner for one module: one process, one more after each failed task."""
    module, module_folder = results[0].module, results[0].folder.parent
    log = workspace.log(module_folder, "embeddings")

    def is_done(result: Result) -> bool:
        return (result.folder / EMBEDDINGS_DONE_FILE).exists()

    def show(_running: list[Command]) -> None:
        bar.n = sum(map(is_done, results))
        bar.refresh()

    for task in task_paths:
        # The runner judges by the weights too, and what it says goes to the log.
        reason = misfit(task, module_folder / task.name)
        if reason is not None:
            _LOGGER.warning("%s: computing its embeddings anew, since %s", task.name, reason)
    pending = list(results)
    while pending:
        for result in pending:
            if not is_done(result):
                # So that the only unfinished folder is the one of the task that failed.
                shutil.rmtree(result.folder, ignore_errors=True)
        # heareval takes one task or all in a folder: a folder of links makes any choice "all".
        chosen = workspace.scratch(module_folder / ".tasks")
        for task in task_paths:
            if any(result.task == task.name for result in pending):
                (chosen / task.name).symlink_to(task)
        arguments = [*_LAUNCHER, "embeddings", module, "--tasks-dir", str(chosen)]
        arguments += ["--embeddings-dir", str(workspace.embeddings_dir)]
        arguments += ["--model-options", model_options]
        arguments += ["--model", str(model.absolute())] if model is not None else []
        label = f"computing embeddings with {module}"
        command = Command(label, arguments, log, Path.cwd(), workspace.environment())
        run_commands([command], parallel=1, on_tick=show, on_end=lambda _command: None)
        if command.exit_code == 0:
            break
        broken = [r for r in pending if r.folder.exists() and not is_done(r)]
        for result in broken or pending:
            result.error = command.failure()
        pending = [r for r in pending if broken and r not in broken and not is_done(r)]
    for result in results:
        if result.error is None and not is_done(result):
            result.error = f"{log} must end with {result.folder}, got no such folder; read the log"


def _make_predictions(
    workspace: Workspace,
    results: Sequence[Result],
    settings: PredictionSettings,
    extra: Sequence[str],
    n_jobs: int | None,
    in_memory: bool | None,
) -> None:
    """Run the predictions runner for each module and task that has embeddings."""
    waiting = [result for result in results if _lacks_predictions(result, settings)]
    parallel = n_jobs or default_jobs(torch.cuda.is_available())
    budget = available_bytes() / max(1, min(parallel, len(waiting)))
    by_label: dict[str, Result] = {}
    commands = []
    for result in waiting:
        try:
            fits = fits_in_memory(
                result.folder, grid_points=settings.grid_points, budget_bytes=budget
            )
        except ValueError as err:
            result.error = str(err)
            continue
        in_memory_word = str(fits if in_memory is None else in_memory)
        arguments = [*settings.arguments(), "--in-memory", in_memory_word, *extra]
        settings.write(result.folder)  # before heareval's mark, which does not tell them
        commands.append(_prediction_command(workspace, result, arguments))
        by_label[commands[-1].label] = result

    def show(running: list[Command]) -> None:
        bar.set_postfix_str(", ".join(by_label[command.label].task for command in running))

    def end(command: Command) -> None:
        result = by_label[command.label]
        if command.exit_code:
            result.error = command.failure()
        # The heads' checkpoints, up to hundreds of megabytes a task.
        shutil.rmtree(command.cwd, ignore_errors=True)
        bar.update()

    with progress_bar("predictions", len(commands), "task") as bar:
        run_commands(commands, parallel=parallel, on_tick=show, on_end=end)


def _lacks_predictions(result: Result, settings: PredictionSettings) -> bool:
    """Tell whether a result still needs predictions; note why it cannot have them."""
    if result.error is not None:
        return False
    try:
        return not is_predicted(result.folder, settings)
    except ValueError as err:
        result.error = str(err)
        return False


def _prediction_command(workspace: Workspace, result: Result, arguments: Sequence[str]) -> Command:
    # heareval writes logs/<path given> below the working folder; absolute paths would escape it.
    cwd = workspace.scratch(result.folder)
    link = cwd / result.folder.parent.name
    link.symlink_to(result.folder.parent)
    return Command(
        f"predicting {result.task} from {link.name}",
        [*_LAUNCHER, "predictions", f"{link.name}/{result.task}", *arguments],
        workspace.log(result.folder, "predictions"),
        cwd,
        # More threads make heareval's small matrices slower.
        workspace.environment(OMP_NUM_THREADS="1"),
    )
