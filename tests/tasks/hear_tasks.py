"""Tiny HEAR tasks and a tiny HEAR module, so that the official runners run for real."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

SAMPLE_RATE = 16000
PITCHES_HZ = {"high": 3000.0, "low": 300.0, "mid": 1000.0}
GRID = {"max_epochs": [40], "check_val_every_n_epoch": [4], "hidden_layers": [1], "lr": [1e-3]}

TINY_MODULE = '''
"""A HEAR module: the mean log spectrum of 40 ms frames, coarsened to 32 bands."""

import torch


class Model(torch.nn.Module):
    sample_rate = 16000
    scene_embedding_size = 32
    timestamp_embedding_size = 32

    def __init__(self, gain=1.0):
        super().__init__()
        self.gain = gain


def load_model(model_file_path="", gain=1.0):
    model = Model(gain)
    if model_file_path:
        model.gain = float(open(model_file_path).read())
    return model


def get_timestamp_embeddings(audio, model):
    frames = (model.gain * audio).unfold(1, 640, 640)
    spectrum = torch.fft.rfft(frames).abs()[..., :320]
    bands = torch.log(spectrum.unflatten(-1, (32, 10)).mean(-1) + 1e-3)
    timestamps = 20.0 + 40.0 * torch.arange(bands.shape[1])
    return bands, timestamps.expand(len(audio), -1)


def get_scene_embeddings(audio, model):
    return get_timestamp_embeddings(audio, model)[0].mean(1)
'''


def tone(
    label: str, n_samples: int, rng: np.random.Generator, sample_rate: int = SAMPLE_RATE
) -> NDArray[np.float64]:
    """A tone of the label's pitch: labels are learnable."""
    time = np.arange(n_samples) / sample_rate
    phase = rng.uniform(0, 2 * np.pi)
    return 0.3 * np.sin(2 * np.pi * PITCHES_HZ[label] * time + phase)


def write_task(
    folder: Path,
    splits: Mapping[str, Mapping[str, tuple[NDArray[np.float64], list[Any]]]],
    sample_rate: int = SAMPLE_RATE,
    **metadata: Any,
) -> Path:
    """Write a HEAR task folder of clips and their labels."""
    folder.mkdir(parents=True)
    for split, clips in splits.items():
        audio_dir = folder / str(sample_rate) / split
        audio_dir.mkdir(parents=True)
        for name, (audio, _) in clips.items():
            sf.write(audio_dir / name, audio, sample_rate, subtype="PCM_16")
        labels = {name: labels for name, (_, labels) in clips.items()}
        (folder / f"{split}.json").write_text(json.dumps(labels))
    vocabulary = "".join(f"{idx},{label}\n" for idx, label in enumerate(PITCHES_HZ))
    (folder / "labelvocabulary.csv").write_text("idx,label\n" + vocabulary)
    record: dict[str, Any] = {"task_name": folder.name, "version": "v1", "splits": list(splits)}
    record |= {"evaluation_params": {"task_specific_param_grid": GRID}, **metadata}
    (folder / "task_metadata.json").write_text(json.dumps(record))
    return folder


def write_scene_task(
    folder: Path,
    *,
    n_clips: int = 10,
    folds: int = 0,
    multilabel: bool = False,
    sample_rate: int = SAMPLE_RATE,
) -> Path:
    """Half-second tones, one label a clip or two."""
    rng = np.random.default_rng(0)
    names = [f"fold{i:02d}" for i in range(folds)] or ["train", "valid", "test"]
    n_samples, splits = sample_rate // 2, {}
    for split in names:
        clips = {}
        for i in range(n_clips):
            labels = [list(PITCHES_HZ)[i % 3]]
            if multilabel and i % 2:
                labels.append(list(PITCHES_HZ)[(i + 1) % 3])
            audio = 0.3 * rng.normal(size=n_samples)
            for label in labels:
                audio += tone(label, n_samples, rng, sample_rate)
            clips[f"{folder.name}_{split}_{i}.wav"] = (np.clip(audio, -1, 1), labels)
        splits[split] = clips
    return write_task(
        folder,
        splits,
        sample_rate,
        embedding_type="scene",
        prediction_type="multilabel" if multilabel else "multiclass",
        split_mode="presplit_kfold" if folds else "trainvaltest",
        sample_duration=0.5,
        evaluation=["mAP", "aucroc", "d_prime"] if multilabel else ["top1_acc", "chroma_acc"],
    )


def write_event_task(folder: Path, *, n_clips: int = 6) -> Path:
    """Three-second clips with two tones of 400 ms at known times."""
    rng = np.random.default_rng(1)
    splits = {}
    for split in ("train", "valid", "test"):
        clips = {}
        for i in range(n_clips):
            audio = 0.02 * rng.normal(size=48000)
            events = []
            for k in range(2):
                label = list(PITCHES_HZ)[(i + k) % 3]
                start_ms = 1500.0 * k + 40.0 * int(rng.integers(5, 20))
                start = int(start_ms * 16)
                audio[start : start + 6400] += tone(label, 6400, rng)
                events.append({"label": label, "start": start_ms, "end": start_ms + 400.0})
            clips[f"{folder.name}_{split}_{i}.wav"] = (audio, events)
        splits[split] = clips
    grid = GRID | {"max_epochs": [20], "check_val_every_n_epoch": [4], "lr": [3e-3]}
    return write_task(
        folder,
        splits,
        embedding_type="event",
        prediction_type="multilabel",
        split_mode="trainvaltest",
        sample_duration=3.0,
        evaluation=["event_onset_200ms_fms", "segment_1s_er"],
        evaluation_params={
            "task_specific_param_grid": grid,
            "event_postprocessing_grid": {"median_filter_ms": [120], "min_duration": [80, 160]},
        },
    )


def python(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run this Python with one thread, the way the orchestration does."""
    command: Sequence[str] = [sys.executable, *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | dict(env or {})
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
