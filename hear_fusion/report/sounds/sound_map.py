"""Sounds on a plane: their points, names, labels and neighbours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from hear_fusion.errors import InvalidError
from hear_fusion.report.sounds.palette import Group, groups
from hear_fusion.report.sounds.projection import Method, Plane, neighbours, project, standardised

_N_NEAREST = 5


@dataclass(frozen=True)
class SoundMap:
    """A map.

    Attributes:
        title: One line.
        paths: Files of the sounds.
        starts, stops: The parts of these files, in s; NaN: the whole.
        labels: Of each sound; empty for one without.
        plane: Points.
        nearest, distances: The nearest sounds of each by cosine of standardised features.
    """

    title: str
    paths: Sequence[str]
    starts: NDArray[np.float64]
    stops: NDArray[np.float64]
    labels: Sequence[str]
    plane: Plane
    nearest: NDArray[np.intp]
    distances: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        title: str,
        paths: Sequence[str],
        starts: NDArray[np.float64],
        stops: NDArray[np.float64],
        labels: Sequence[str],
        vectors: NDArray[np.float32],
        method: Method = "pca",
    ) -> SoundMap:
        """Make a map of vectors.

        Args:
            title: One line.
            paths: Files of the sounds.
            starts: Where they begin in these, in s; NaN: with the file.
            stops: Where they end, in s.
            labels: One each, empty for none.
            vectors: Shape (n_sounds, dim).
            method: How to find the plane.

        Raises:
            ValueError: If there is no sound, or a vector is not finite.
        """
        if not len(vectors):
            raise InvalidError("a map must have at least 1 sound, got none; choose another table")
        scaled = standardised(vectors)
        plane = project(scaled, method)
        return cls(title, paths, starts, stops, labels, plane, *neighbours(scaled, _N_NEAREST))

    @property
    def subtitle(self) -> str:
        """How many sounds, and how the plane was found."""
        n = len(self.paths)
        return f"{n} sound{'s' if n != 1 else ''}, {self.plane.words}"

    @cached_property
    def groups(self) -> list[Group]:
        """Sounds by label."""
        return groups(self.labels)

    def shown_names(self) -> tuple[list[str], list[str]]:
        """Take paths apart: folders below the one that all share, and names of files."""
        folders = [os.path.dirname(path) for path in self.paths]
        try:
            shared = os.path.commonpath(folders)
        except ValueError:  # absolute beside relative paths, or several drives
            shared = ""
        below = [
            PurePath(os.path.relpath(folder or os.curdir, shared) if shared else folder)
            for folder in folders
        ]
        names = [os.path.basename(path) for path in self.paths]
        return ["" if folder == PurePath() else folder.as_posix() for folder in below], names

    def shown_times(self) -> list[str]:
        """Write the part of its file that a sound is, empty for the whole of it."""
        return [
            ""
            if np.isnan(start)
            else f"{start:.2f} s to {'its end' if np.isnan(stop) else f'{stop:.2f} s'}"
            for start, stop in zip(self.starts, self.stops, strict=True)
        ]
