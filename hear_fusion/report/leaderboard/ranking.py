"""Where models stand: scores side by side, ranks, means, and the leaderboard's normalisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hear_fusion.report.leaderboard.board import COLUMNS, OFFICIAL_TASKS, Entry

Array = NDArray[np.float64]
# heareval computes in float32, and the leaderboard shows nine decimals of that.
_DECIMALS = 6


@dataclass(frozen=True)
class Standing:
    """All models on all tasks of the leaderboard; NaN where there is no score or no rank.

    Attributes:
        entries: The models, in the order of every first axis below.
        compared: Columns that at least one of our entries has.
        shared: Columns that all of our entries have.
        scores: Scores, (model, column), over all columns.
        ranks: Rank by column, (model, column), 1 is best.
        normalised: Normalised scores, (model, column).
        mean: Mean over the shared columns, of models that have them all, (model).
        mean_rank: Rank by it, (model).
        overall: Mean normalised score over the compared columns that a model has, (model).
        overall_rank: Rank by it, (model).
    """

    entries: tuple[Entry, ...]
    compared: tuple[str, ...]
    shared: tuple[str, ...]
    scores: Array
    ranks: Array
    normalised: Array
    mean: Array
    mean_rank: Array
    overall: Array
    overall_rank: Array

    @property
    def n_compared(self) -> NDArray[np.int64]:
        """How many of the compared tasks each model has, (model)."""
        columns = [COLUMNS.index(name) for name in self.compared]
        return (~np.isnan(self.scores[:, columns])).sum(axis=1)  # type: ignore[no-any-return]

    @property
    def n_left_out(self) -> int:
        """Submissions that lack a shared task, and so have no mean; ours have all of them."""
        return int(np.isnan(self.mean).sum())


def join(scores: Mapping[str, float]) -> dict[str, float]:
    """Turn scores by task folder into scores by column of the leaderboard.

    Names must be those of the published folders to the letter. A column of two folders (Beehive)
    is their mean, and needs both.

    >>> join({"esc50-v2.0.0-full": 0.9, "esc50": 0.1, "beehive_states_fold0-v2-full": 0.5})
    {'ESC-50': 0.9}
    """
    joined = {}
    for column in COLUMNS:
        parts = [scores.get(task.folder) for task in OFFICIAL_TASKS if task.column == column]
        known = [part for part in parts if part is not None]
        if len(known) == len(parts):
            joined[column] = float(np.mean(known))
    return joined


def stand(submitted: Sequence[Entry], ours: Sequence[Entry]) -> Standing:
    """Rank our entries among those of the leaderboard.

    Args:
        submitted: Rows of the leaderboard.
        ours: What was measured here.
    """
    entries = (*submitted, *ours)
    scores = np.array([[entry.scores.get(name, np.nan) for name in COLUMNS] for entry in entries])
    has = ~np.isnan(scores[len(submitted) :])
    compared, shared = has.any(axis=0), has.all(axis=0)
    normalised = normalise(scores, len(submitted))
    # Without a shared task there is no mean, rather than that of nothing.
    mean = scores[:, shared].mean(axis=1) if shared.any() else np.full(len(entries), np.nan)
    overall = mean_of_known(normalised[:, compared])
    return Standing(
        entries,
        tuple(np.array(COLUMNS)[compared].tolist()),
        tuple(np.array(COLUMNS)[shared].tolist()),
        scores,
        np.stack([rank(column) for column in scores.T], axis=1),
        normalised,
        mean,
        rank(mean),
        overall,
        rank(overall),
    )


def rank(values: Array) -> Array:
    """Rank values, the largest first; equal ones share the better rank, NaN has none.

    >>> rank(np.array([0.5, 0.9, np.nan, 0.9, 0.1])).tolist()
    [3.0, 1.0, nan, 1.0, 4.0]
    """
    rounded = values.round(_DECIMALS)
    ranks = 1.0 + (rounded > rounded[:, None]).sum(axis=1)
    return np.where(np.isnan(values), np.nan, ranks)


def normalise(scores: Array, n_reference: int) -> Array:
    """Standardise each task over the submissions, and clip to [-1, 1], as the leaderboard does.

    Mean and deviation are the submissions' alone, so that a model's value does not depend on what
    else was measured here. Blanks stay blank; the leaderboard's own script first estimates them
    from the other tasks.

    Args:
        scores: Scores, (model, task); NaN where there is none.
        n_reference: How many of the first models are submissions.

    Returns:
        Values in [-1, 1], (model, task); 0 where the submissions do not differ.

    >>> normalise(np.array([[0.2], [0.4], [np.nan], [0.35]]), 3).round(3).ravel().tolist()
    [-1.0, 1.0, nan, 0.5]
    """
    known = np.ma.masked_invalid(scores[:n_reference])
    centre, deviation = known.mean(axis=0).filled(0.0), known.std(axis=0).filled(0.0)
    differs = deviation > 10.0**-_DECIMALS
    values = (scores - centre) / np.where(differs, deviation, 1.0)
    return np.where(np.isnan(scores), np.nan, np.where(differs, values.clip(-1, 1), 0.0))


def mean_of_known(values: Array) -> Array:
    """Average each row over what is known of it; NaN where nothing is.

    >>> mean_of_known(np.array([[1.0, np.nan], [np.nan, np.nan]])).tolist()
    [1.0, nan]
    """
    return np.ma.masked_invalid(values).mean(axis=1).filled(np.nan)  # type: ignore[no-any-return]
