"""Ranks, means and normalised scores by hand, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from hear_fusion.report.leaderboard.board import COLUMNS, Entry
from hear_fusion.report.leaderboard.ranking import join, normalise, rank, stand

NAN = float("nan")


def test_only_published_folder_names_join() -> None:
    scores = {
        "esc50-v2.0.0-full": 0.9,
        "esc50-v2.0.0-5h": 0.1,
        "ESC50-v2.0.0-full": 0.1,
        "gtzan-v1-full": 0.1,
        "crema_d": 0.1,
        "speech_commands": 0.1,
        "nsynth_family-v1-full": 0.1,
        "nsynth_pitch-v2.2.3-50h": 0.4,
        "nsynth_pitch-v2.2.3-5h": 0.3,
    }
    assert join(scores) == {"ESC-50": 0.9, "NSynth Pitch 50h": 0.4, "NSynth Pitch 5h": 0.3}


def test_beehive_is_the_mean_of_both_folds_or_nothing() -> None:
    folds = {"beehive_states_fold0-v2-full": 0.776, "beehive_states_fold1-v2-full": 0.980}
    assert join(folds) == {"Beehive": pytest.approx(0.878)}
    for name in folds:
        assert join({name: folds[name]}) == {}


def test_ties_share_a_rank_up_to_the_precision_of_the_leaderboard() -> None:
    # 379 of 400 clips: as heareval computes it, and as the leaderboard shows it.
    values = np.array([0.9475, np.float64(np.float32(0.9475)), 0.947499991, 0.94749, 0.95, NAN])
    np.testing.assert_array_equal(rank(values), [2, 2, 2, 5, 1, NAN])


def test_normalised_by_hand() -> None:
    # Task one: mean 0.4, deviation 0.2 (of 0.2 and 0.6). Task two: all alike. Task three: nobody.
    scores = np.array([[0.2, 0.5, NAN], [0.6, 0.5, NAN], [0.45, 0.7, 0.3], [0.9, NAN, NAN]])
    expected = [[-1, 0, NAN], [1, 0, NAN], [0.25, 0, 0], [1, NAN, NAN]]
    np.testing.assert_allclose(normalise(scores, 2), expected, atol=1e-12)


def test_normalised_as_scikit_learn_does_and_whatever_else_is_ours() -> None:
    scores = np.random.default_rng(0).random((12, 19))
    expected = StandardScaler().fit(scores[:9]).transform(scores).clip(-1, 1)
    np.testing.assert_allclose(normalise(scores, 9), expected, atol=1e-12)
    np.testing.assert_allclose(normalise(scores[:10], 9), expected[:10], atol=1e-12)


def test_standing_by_hand() -> None:
    submitted = [
        Entry("all", {"ESC-50": 0.8, "Gunshot": 0.6, "CREMA-D": 0.1}),
        Entry("some", {"ESC-50": 0.9, "CREMA-D": 0.3}),
        Entry("other", {"CREMA-D": 0.5}),
        Entry("low", {"ESC-50": 0.7, "Gunshot": 0.2}),
    ]
    ours = [
        Entry("fused", {"ESC-50": 0.9, "Gunshot": 0.5, "Libricount": 0.4}, is_ours=True),
        Entry("single", {"ESC-50": 0.5, "Gunshot": 0.5}, is_ours=True),
    ]
    found = stand(submitted, ours)
    assert found.compared == ("ESC-50", "Gunshot", "Libricount")
    assert found.shared == ("ESC-50", "Gunshot")
    esc, shots, counts = (COLUMNS.index(name) for name in found.compared)
    np.testing.assert_array_equal(found.ranks[:, esc], [3, 1, NAN, 4, 1, 5])
    np.testing.assert_array_equal(found.ranks[:, shots], [1, NAN, NAN, 4, 2, 2])
    np.testing.assert_array_equal(found.ranks[:, counts], [NAN, NAN, NAN, NAN, 1, NAN])
    np.testing.assert_allclose(found.mean, [0.7, NAN, NAN, 0.45, 0.7, 0.5], atol=1e-12)
    np.testing.assert_array_equal(found.mean_rank, [1, NAN, NAN, 4, 1, 3])
    assert found.n_left_out == 2
    # ESC-50: mean 0.8, deviation sqrt(0.02 / 3), so 0 1 . -1 1 -1; Gunshot: mean 0.4, deviation
    # 0.2, so 1 . . -1 0.5 0.5; Libricount has no submissions to differ, so 0.
    np.testing.assert_allclose(found.overall, [0.5, 1, NAN, -1, 0.5, -0.25], atol=1e-12)
    np.testing.assert_array_equal(found.overall_rank, [2, 1, NAN, 5, 2, 4])
    np.testing.assert_array_equal(found.n_compared, [2, 1, 0, 2, 3, 2])


@pytest.mark.filterwarnings("error")
def test_without_a_shared_task_there_is_no_mean() -> None:
    ours = [Entry("a", {"ESC-50": 0.5}, is_ours=True), Entry("b", {"Gunshot": 0.5}, is_ours=True)]
    found = stand([Entry("c", {"ESC-50": 0.4, "Gunshot": 0.4})], ours)
    assert found.shared == ()
    assert np.isnan(found.mean).all()
    assert np.isnan(found.mean_rank).all()
    assert found.ranks[:, COLUMNS.index("ESC-50")][1] == 1
