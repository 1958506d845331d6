"""A registry of two tiny networks, ``alpha`` with published hashes and ``beta`` partly without."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor

from hear_fusion.backbones import REGISTRY
from hear_fusion.checkpoints import WeightsError, WeightsRecord


def weight_bytes(key: str, fill: float = 1.0) -> bytes:
    stream = io.BytesIO()
    torch.save({key: torch.full((3,), fill)}, stream)
    return stream.getvalue()


ALPHA = weight_bytes("alpha")
BETA = weight_bytes("beta")
GAMMA = weight_bytes("alpha", 3.0)  # of alpha as well, and not its default file
DELTA = weight_bytes("beta", 4.0)
ALPHA_SHA256, GAMMA_SHA256, DELTA_SHA256 = (
    hashlib.sha256(data).hexdigest() for data in (ALPHA, GAMMA, DELTA)
)

RECORDS = {
    "alpha": (
        WeightsRecord("alpha.pth", "http://127.0.0.1:9/a", "MIT", "a test", sha256=ALPHA_SHA256),
        WeightsRecord(
            "gamma-32k.pth", None, "MIT", "a test", sha256=GAMMA_SHA256, is_default=False
        ),
    ),
    "beta": (
        WeightsRecord("beta.h5", None, "MIT", "a test", how_to_get="pip download beta"),
        WeightsRecord("beta.zip", None, "MIT", "a test", sha256=DELTA_SHA256),
    ),
}


def _network(key: str) -> type:
    class Network(torch.nn.Module):
        name, title, records = key, key.capitalize(), RECORDS[key]

        @classmethod
        def from_tensors(cls, tensors: dict[str, Tensor]) -> torch.nn.Module:
            if set(tensors) != {key}:
                raise WeightsError(f"tensors must be {key!r}, got {sorted(tensors)}")
            return cls()

    return Network


@contextmanager
def installed() -> Iterator[None]:
    """Let these be all the networks there are; afterwards the others stand in their order again."""
    with patch.dict(REGISTRY, {name: _network(name) for name in RECORDS}, clear=True):
        yield


def put(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name
