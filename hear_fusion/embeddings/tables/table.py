"""The feature table: one vector a row, each of a sound or a part of one.

Its columns are path, start, stop and id of a `Segment`, then the features. Where they come from
stands in the file itself: in the metadata of a Parquet file, as a member of an NPZ, in the first
line of a CSV, as record.json in a folder of .npy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hear_fusion.embeddings.tables.columns import Columns
from hear_fusion.embeddings.tables.files import read_columns, write_columns
from hear_fusion.errors import InvalidError, shown
from hear_fusion.files.hashing import recipe_of
from hear_fusion.files.records import FORMAT, NewerFormatError, is_current, to_record


@dataclass(frozen=True)
class TableRecord:
    """Where the features of a table come from.

    Attributes:
        model: Name of the choice, such as ``yamnet_5_13``.
        layers: Its layers, in the order of the features; 0 is the network's own embedding.
        dims: Features of each of them.
        weights: The weight file, as it was given; empty for the default one.
        weights_sha256: Hash of the network's tensors.
        version: Version of this package.
        sample_rate: Rate that the network took the sound at, in Hz.
        options: What else decided the features: pace, windows, options of the model.
        whitening_sha256: Hash of the whitening that the features went through; empty for none.
    """

    model: str
    layers: tuple[int, ...]
    dims: tuple[int, ...]
    weights: str
    weights_sha256: str
    version: str
    sample_rate: int
    options: Mapping[str, Any] = field(default_factory=dict)
    whitening_sha256: str = ""

    @property
    def feature_names(self) -> list[str]:
        """Names of the features: their layer, and their place in it.

        >>> TableRecord("yamnet_5_13", (5, 13), (2, 1), "", "", "", 16000).feature_names
        ['layer5_0000', 'layer5_0001', 'layer13_0000']
        """
        pairs = zip(self.layers, self.dims, strict=True)
        return [f"layer{layer}_{i:04d}" for layer, dim in pairs for i in range(dim)]

    @property
    def recipe(self) -> str:
        """Hash of what was asked for; a whitening comes of that and of the sounds."""
        return recipe_of(
            self.model, self.layers, self.weights_sha256, self.sample_rate, self.options
        )

    def to_json(self) -> str:
        """Write it in one line."""
        return json.dumps({"format": FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str, path: Path) -> Self:
        """Read what a table tells of itself.

        Raises:
            NewerFormatError: If the table is a newer version's.
            ValueError: If that is no record.
        """
        try:
            content = json.loads(text)
            if isinstance(content, dict) and is_current(content.get("format"), path):
                return to_record(cls, content)
            why = f"a record of {shown(content)}"
        except json.JSONDecodeError as err:
            why = f"a record that is no JSON ({err})"
        except NewerFormatError:
            raise
        except InvalidError as err:
            why = str(err)
        raise InvalidError(
            f"{path} must be a feature table as 'hear-fusion features' writes it, got {why}; make "
            "it anew"
        )


@dataclass(frozen=True)
class Table(Columns):
    """Features of sounds, and where they come from.

    Attributes:
        record: What they were computed with.
    """

    record: TableRecord

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a table, whatever file it is; the vectors in a folder are mapped into memory.

        Raises:
            ValueError: If it is none, damaged, or of a newer version.
            ModuleNotFoundError: If it is a Parquet file, and pyarrow is not installed.
            OSError: If it is not there.
        """
        columns, text = read_columns(path)
        record = TableRecord.from_json(text, path)
        n_dims = columns.vectors.shape[1]
        if n_dims != sum(record.dims):
            raise InvalidError(
                f"{path} must have {sum(record.dims)} features, as its record tells, got {n_dims}; "
                "make it anew"
            )
        return cls(**vars(columns), record=record)

    def write(self, path: Path) -> Path:
        """Write the table, whole or not at all.

        Args:
            path: Ends in .parquet, .npz or .csv; without a suffix, a folder of .npy.

        Raises:
            ValueError: If the suffix is another one.
            ModuleNotFoundError: If it ends in .parquet, and pyarrow is not installed.
            UnwritableError: If the disk does not take it.

        >>> import tempfile
        >>> record = TableRecord("yamnet_5", (5,), (2,), "", "", "0.1.0", 16000)
        >>> times, vectors = np.array([np.nan]), np.array([[1, 2]], np.float32)
        >>> table = Table(["a.wav"], times, times, [""], vectors, record)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Table.read(table.write(Path(folder) / "features.npz")).vectors
        array([[1., 2.]], dtype=float32)
        """
        return write_columns(path, self, self.record.feature_names, self.record.to_json())

    def layer_parts(self) -> list[NDArray[np.float32]]:
        """Split the features by layer, views of shape (row, dim of the layer)."""
        ends = np.cumsum(self.record.dims)[:-1]
        return np.split(self.vectors, ends, axis=1)

    def where(self, row: int) -> str:
        """Name a row's sound, with its part in s.

        >>> record = TableRecord("yamnet_5", (5,), (0,), "", "", "", 16000)
        >>> vectors = np.empty((1, 0), np.float32)
        >>> Table(["a.wav"], np.array([1.5]), np.array([np.nan]), [""], vectors, record).where(0)
        'a.wav 1.50-'
        """
        start, stop = self.starts[row], self.stops[row]
        if np.isnan(start) and np.isnan(stop):
            return self.paths[row]
        return f"{self.paths[row]} {_seconds(start) or '0.00'}-{_seconds(stop)}"


def _seconds(time: float) -> str:
    return "" if np.isnan(time) else f"{time:.2f}"
