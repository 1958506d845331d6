"""A sound to be looked for in a table: embedded by the network that the table is of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hear_fusion.checkpoints import WeightsError
from hear_fusion.embeddings.features.engine import Engine
from hear_fusion.embeddings.features.rows import Rows
from hear_fusion.embeddings.tables.segments import Segment
from hear_fusion.embeddings.tables.table import TableRecord
from hear_fusion.errors import InvalidError
from hear_fusion.model import FusionModel
from hear_fusion.names import parse
from hear_fusion.runtimes.devices import find_device


def model_of(record: TableRecord, weights: Path | None, device: str = "cpu") -> FusionModel:
    """Load the model that a table's vectors come from.

    Args:
        record: Where they come from.
        weights: The weight file; by default the one that the record names, or the network's
            default one. Whichever it is, its hash must be the record's.
        device: Where the model shall run.

    Raises:
        ValueError: If no weights with that hash are there.
        WeightsError: If ``weights`` cannot be read.
    """
    choice = parse(record.model)
    told = Path(record.weights) if record.weights else None
    files = [weights] if weights is not None else [told, None]
    for file in files:
        if file is not None and weights is None and not file.is_file():
            continue
        try:
            model = FusionModel.load(choice, file)
        except WeightsError:
            if weights is not None:
                raise
            continue
        if model.weights_sha256 == record.weights_sha256:
            return model.to(find_device(device))
    raise InvalidError(
        f"weights must be those of the table, {record.weights_sha256[:16]} of "
        f"{record.weights or f'the default file of {choice.backbone}'}, got "
        f"{'none with that hash' if weights is None else f'another hash in {weights}'}; give "
        "--weights"
    )


def embed_query(
    record: TableRecord, query: Segment, weights: Path | None, device: str = "cpu"
) -> NDArray[np.float32]:
    """Embed a sound as the rows of a table are, before any whitening.

    Args:
        record: Where the table's vectors come from.
        query: The sound, or a part of it.
        weights: As for `model_of`.
        device: Where to compute.

    Returns:
        The vector, shape (dim,).

    Raises:
        ValueError: If the sound cannot be read, the weights are others, or the rows are frames.
    """
    if record.options.get("rows", {}).get("kind") == "frame":
        raise InvalidError(
            "a table to be searched must be of sounds or windows, got one of frames; make one with "
            "--window"
        )
    model = model_of(record, weights, device)
    with torch.no_grad():
        *_, piece = (
            piece
            for piece in Engine(model, Rows()).pieces([query])
            if piece.error or len(piece.vectors)
        )
    if piece.error:
        raise InvalidError(f"{query.path}: {piece.error}")
    vector: NDArray[np.float32] = piece.vectors[0]
    return vector
