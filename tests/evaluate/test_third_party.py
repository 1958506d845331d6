"""A HEAR module of other people, at another sample rate, with a weights file."""

import json
from pathlib import Path

import torch
from panns_hear.models import Cnn14

from hear_fusion.evaluate.run import run
from hear_fusion.files.hashing import sha256_of_path
from tests.tasks.hear_tasks import write_scene_task


def test_panns_hear_is_evaluated(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Cnn14(
        sample_rate=32000,
        window_size=1024,
        hop_size=320,
        mel_bins=64,
        fmin=50,
        fmax=14000,
        classes_num=527,
    )
    checkpoint = tmp_path / "cnn14.pth"
    torch.save({"model": network.state_dict()}, checkpoint)
    write_scene_task(tmp_path / "tasks" / "scene-v1", n_clips=6, sample_rate=32000)
    try:
        (result,) = run(
            ["panns_hear"],
            tmp_path / "tasks",
            tmp_path / "embeddings",
            model=checkpoint,
            grid_points=1,
        )
        assert result.error is None
        assert result.score is not None
        assert result.score.n == 6
        record = json.loads((result.folder / "weights.json").read_text())
        assert record["sha256"] == sha256_of_path(checkpoint)
        assert json.loads((result.folder / "test.embedding-dimensions.json").read_text()) == [
            6,
            2048,
        ]
    finally:
        # A third of a gigabyte; pytest would keep three of them.
        checkpoint.unlink()
