"""What a table shows of sounds that are not what they seem: equal, constant, upsampled."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from hear_fusion.embeddings.tables.table import Table


def hints(table: Table, old_hz: Mapping[str, int]) -> list[str]:
    """Say what a user should look at before the vectors are used.

    Args:
        table: The vectors.
        old_hz: By path the rate that a sound had before it was upsampled; 0 if it was not.
    """
    said = []
    if table.record.options.get("rows", {}).get("kind") != "frame":
        said += _equal(table)
    upsampled = [path for path, rate in old_hz.items() if rate]
    if upsampled:
        said.append(
            f"{len(upsampled)} of {len(old_hz)} sounds were upsampled before, such as "
            f"{upsampled[0]}: nothing is above {old_hz[upsampled[0]] // 2} Hz, so they differ from "
            "others by that alone"
        )
    return said


def _equal(table: Table) -> list[str]:
    seen: dict[bytes, int] = {}
    twins, constant = list[tuple[int, int]](), list[int]()
    for rows in table.blocks():
        block = np.ascontiguousarray(table.vectors[rows])
        for i, vector in enumerate(block, rows.start):
            first = seen.setdefault(_digest(vector), i)
            if first != i:
                twins.append((first, i))
        flat = (block == block[:, :1]).all(axis=1).nonzero()[0] + rows.start
        constant += flat.tolist() if block.shape[1] > 1 else []
    said = []
    if twins:
        one, other = (table.where(i) for i in twins[0])
        said.append(
            f"{len(twins)} of {len(table)} vectors are equal to an earlier one, such as those of "
            f"{one} and {other}: the same sound, or silence"
        )
    if constant:
        said.append(
            f"{len(constant)} of {len(table)} vectors hold one number only, such as that of "
            f"{table.where(constant[0])}: they tell nothing"
        )
    return said


def _digest(vector: NDArray[np.float32]) -> bytes:
    return blake2b(vector.data, digest_size=16).digest()
