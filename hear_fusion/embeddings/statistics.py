"""Statistics of a task's log-mel, which the paper normalises AST's input with."""

from __future__ import annotations

from pathlib import Path

import torch

from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.runtimes.precision import arithmetic
from hear_fusion.tasks.clips import BATCH_SECONDS, decoded_batches, list_clips
from hear_fusion.tasks.folders import require_audio
from hear_fusion.tasks.schema import TaskMetadata


@torch.no_grad()
def task_statistics(
    loaded: LoadedBackbone, task: Path, max_clips: int = 5000
) -> tuple[float, float]:
    """Measure mean and standard deviation of the log-mel of a task's training clips.

    What the paper's evaluation normalises AST's input with. In k-fold tasks every fold counts.

    Args:
        loaded: The network whose front end is measured.
        task: HEAR task folder with sound at the network's rate.
        max_clips: Clips to measure at the most: shorter ones first, then in heareval's order.

    Returns:
        Mean and standard deviation over all values of all clips.
    """
    is_kfold = TaskMetadata.read(task).is_kfold
    require_audio(task, loaded.sample_rate)
    timeline, count = loaded.model.backbone.timeline, 0
    total = square = 0.0
    left = max_clips
    for clips in list_clips(task, loaded.sample_rate):
        if not is_kfold and clips.split != "train":
            continue
        for indices, audio in decoded_batches(clips, int(BATCH_SECONDS * loaded.sample_rate)):
            audio = audio[:left].to(loaded.device)
            left -= len(indices)
            n_mel = timeline.n_mel(audio.shape[1], "frames")
            with arithmetic("fp32", audio.device):
                log_mel = loaded.model.backbone.log_mel(audio, 0, n_mel).double()
            total += float(log_mel.sum())
            square += float(log_mel.square().sum())
            count += log_mel.numel()
            if left <= 0:
                break
    mean = total / count
    return mean, (square / count - mean**2) ** 0.5
