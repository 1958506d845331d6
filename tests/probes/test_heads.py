"""Heads trained together, against torch's own parts and scikit-learn, one by one."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch.nn.functional import cross_entropy

from hear_fusion.probes import head_stack
from hear_fusion.probes.features import Features
from hear_fusion.probes.head_stack import HeadStack, initial_weights, logits
from hear_fusion.probes.heads import Clips, Trained, train_heads
from hear_fusion.probes.protocol import Protocol
from hear_fusion.probes.published_learning_rates import published_learning_rates

N_TRAIN, N_VALID, DIM, N_CLASSES = 230, 60, 20, 4
PROTOCOL = Protocol(learning_rates=(1e-5, 1e-3, 1e-2), seeds=(42,), max_epochs=60, patience=5)
Array = np.ndarray[tuple[int, int], np.dtype[np.float32]]


def raw_clips() -> tuple[Array, torch.Tensor]:
    rng = np.random.default_rng(0)
    classes = rng.integers(N_CLASSES, size=N_TRAIN + 2 * N_VALID)
    features = rng.normal(size=(len(classes), DIM)) + 1.5 * np.eye(N_CLASSES, DIM)[classes]
    return (features * rng.uniform(0.1, 10, DIM)).astype(np.float32), torch.from_numpy(classes)


def make_clips(features: Features, classes: torch.Tensor, n_seeds: int = 1) -> Clips:
    parts = torch.arange(len(classes)).split([N_TRAIN, N_VALID, N_VALID])
    train, valid = (part.repeat(n_seeds, 1) for part in parts[:2])
    return Clips(features, classes, N_CLASSES, train, valid, parts[2])


@pytest.fixture(scope="module")
def clips() -> Clips:
    raw, classes = raw_clips()
    return make_clips(Features([[[raw]]], n_fit=N_TRAIN), classes)


def all_rows(features: Features, index: torch.Tensor | None = None) -> torch.Tensor:
    index = torch.arange(features.n_clips) if index is None else index
    return features.rows(torch.tensor([0]), index[None])[0]


def plain_head(
    learning_rate: float, seed: int, weight_decay: float = 1e-8
) -> tuple[list[float], float, int, float]:
    """Losses, best validation accuracy, its epoch and test accuracy of a head of torch's parts."""
    raw, classes = raw_clips()
    matrix = torch.from_numpy(StandardScaler().fit(raw[:N_TRAIN]).transform(raw))
    train, valid, test = torch.arange(len(classes)).split([N_TRAIN, N_VALID, N_VALID])
    generator = torch.Generator().manual_seed(seed)
    start = initial_weights(N_CLASSES, DIM, DIM + 12, generator)
    head = torch.nn.Linear(DIM, N_CLASSES)
    with torch.no_grad():
        head.weight.copy_(start[:, :DIM])
        head.bias.copy_(start[:, DIM])
    adam = torch.optim.Adam(
        head.parameters(), lr=learning_rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=weight_decay
    )
    losses, best, best_epoch, test_accuracy = [], -1.0, 0, 0.0
    for epoch in range(1, PROTOCOL.max_epochs + 1):
        total = 0.0
        for batch in train[torch.randperm(N_TRAIN, generator=generator)].split(200):
            adam.zero_grad()
            loss = cross_entropy(head(matrix[batch]), classes[batch]) / N_CLASSES
            loss.backward()
            adam.step()
            total += len(batch) * loss.item()
        losses.append(total / N_TRAIN)
        right = head(matrix).argmax(1) == classes
        accuracy = right[valid].double().mean().item()
        if accuracy >= best:
            best, best_epoch = accuracy, epoch
            test_accuracy = right[test].double().mean().item()
        if epoch - best_epoch >= PROTOCOL.patience:
            break
    return losses, best, best_epoch, test_accuracy


# the paper's weight decay would not show if it were left out; a large one does
@pytest.mark.parametrize(("seed", "weight_decay"), [(42, 1e-8), (43, 1e-8), (42, 0.1)])
def test_as_torchs_own_linear_adam_and_cross_entropy(
    clips: Clips, seed: int, weight_decay: float
) -> None:
    protocol = replace(PROTOCOL, seeds=(seed,), weight_decay=weight_decay)
    ((together,),) = train_heads(clips, protocol)
    lengths = set()
    for place, learning_rate in enumerate(PROTOCOL.learning_rates):
        losses, valid, epoch, test = plain_head(learning_rate, seed, weight_decay)
        ours = together.losses[:, place]
        ours = ours[~np.isnan(ours)]
        np.testing.assert_allclose(ours, losses, rtol=0, atol=1e-5)
        assert together.valid_accuracy[place] == valid
        assert together.best_epoch[place] == epoch
        assert together.correct[place].mean() == test
        lengths.add(len(losses))
    assert len(lengths) > 1, "no head left before the others"


def assert_alike(together: Trained, place: int, alone: Trained) -> None:
    n_epochs = len(alone.losses)
    np.testing.assert_allclose(
        together.losses[:n_epochs, place], alone.losses[:, 0], rtol=0, atol=1e-6
    )
    assert np.isnan(together.losses[n_epochs:, place]).all()
    assert together.valid_accuracy[place] == alone.valid_accuracy[0]
    assert together.best_epoch[place] == alone.best_epoch[0]
    np.testing.assert_array_equal(together.correct[place], alone.correct[0])


def mixed_clips() -> tuple[list[Array], Clips]:
    """Two representations, and two seeds that hold out other clips."""
    raw, classes = raw_clips()
    other = raw.copy()
    other[:, :3] = np.random.default_rng(1).normal(size=(len(raw), 3))
    clips = make_clips(Features([[[raw]], [[other]]], n_fit=N_TRAIN), classes, n_seeds=2)
    clips.train[1, :N_VALID], clips.valid[1] = clips.valid[0], clips.train[0, :N_VALID]
    return [raw, other], clips


@pytest.fixture(params=[1, 2])
def n_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """A product of an odd number of runs is shared by threads in another way."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("n_threads")
@pytest.mark.parametrize("heads_bytes", [1 << 28, 40_000, 1])
def test_together_is_one_by_one(heads_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Learning rates, seeds and representations: each head ends at another time, as it would alone."""
    monkeypatch.setattr("hear_fusion.probes.heads._CPU_BYTES", heads_bytes)
    raws, clips = mixed_clips()
    ended: list[int] = []
    seeds = (42, 43)
    together = train_heads(clips, replace(PROTOCOL, seeds=seeds), on_done=lambda: ended.append(1))
    lengths = set()
    for raw, by_seed in zip(raws, together, strict=True):
        features = Features([[[raw]]], n_fit=N_TRAIN)
        for number, (seed, trained) in enumerate(zip(seeds, by_seed, strict=True)):
            train, valid = clips.train[[number]], clips.valid[[number]]
            of_run = replace(clips, features=features, train=train, valid=valid)
            for place, learning_rate in enumerate(PROTOCOL.learning_rates):
                protocol = replace(PROTOCOL, learning_rates=(learning_rate,), seeds=(seed,))
                ((alone,),) = train_heads(of_run, protocol)
                assert_alike(trained, place, alone)
                lengths.add(len(alone.losses))
    assert len(ended) == 4
    assert len(lengths) > 5, "heads left together"


def test_finished_heads_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """No product is of more runs, or of more heads a run, than are needed."""
    shapes = []

    def watched(scaled: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(scaled.shape[:2]))
        return logits(scaled, *args)

    monkeypatch.setattr("hear_fusion.probes.head_stack.logits", watched)
    _, clips = mixed_clips()
    protocol = replace(PROTOCOL, learning_rates=(1e-3, 3e-3, 1e-2), seeds=(42, 43))
    trained = train_heads(clips, protocol)
    # Shape (run, epoch, learning_rate).
    left = ~np.isnan([run.losses for by_seed in trained for run in by_seed])
    needed = [(int(at.any(1).sum()), int(at.sum(1).max())) for at in left.transpose(1, 0, 2)]
    assert shapes == [shape for shape in needed for _ in range(2)], "two batches an epoch"
    assert len({n_runs for n_runs, _ in needed}) > 1
    assert len({n_heads for _, n_heads in needed}) > 1


@pytest.mark.parametrize(("n_bytes", "most"), [(1 << 28, [4]), (130_000, [2, 2]), (1, [1] * 4)])
def test_as_many_train_at_once_as_memory_allows(
    n_bytes: int, most: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is of 3 x 4 weights of 32, held five times, and of 200 rows with 12 logits, twice."""
    n_runs = []

    def watched(scaled: torch.Tensor, *args: Any) -> HeadStack:
        n_runs.append(len(scaled))
        return HeadStack(scaled, *args)

    monkeypatch.setattr("hear_fusion.probes.heads._CPU_BYTES", n_bytes)
    monkeypatch.setattr("hear_fusion.probes.heads.HeadStack", watched)
    _, clips = mixed_clips()
    train_heads(clips, replace(PROTOCOL, seeds=(42, 43), max_epochs=1))
    assert n_runs == most


@pytest.mark.parametrize("chunk_bytes", [1, 4 * 4 * (32 + 12) * 10])
def test_clips_are_scored_in_chunks(chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of 32 columns and 12 logits of each of four runs: ten clips fit, or one at least."""
    sizes = []

    def watched(scaled: torch.Tensor, each: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        sizes.append(rows.shape[1])
        return logits(scaled, each, rows)

    monkeypatch.setattr("hear_fusion.probes.heads.CHUNK_BYTES", chunk_bytes)
    monkeypatch.setattr("hear_fusion.probes.heads.logits", watched)
    _, clips = mixed_clips()
    train_heads(clips, replace(PROTOCOL, seeds=(42, 43), max_epochs=1))
    n = 10 if chunk_bytes > 1 else 1
    assert sizes == [n] * (2 * N_VALID // n)


def test_a_step_where_gradients_are_as_small_as_adams_epsilon() -> None:
    """Heads sure of a clip, with 1e-9 to 1e-7 for the other class, move as torch's do."""
    rows = torch.eye(3)[[0, 1, 2]] * torch.tensor([20.5, 18.0, 16.0])[:, None]
    weights = torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    classes = torch.zeros(3, dtype=torch.int64)
    peer = torch.nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        peer.weight.copy_(weights)
    adam = torch.optim.Adam(peer.parameters(), lr=1e-3)
    cross_entropy(peer(rows) / 1, classes).div(2).backward()
    adam.step()
    stack = HeadStack((weights / 1e-3)[None, None], torch.tensor([[1e-3]]), 0.0)
    stack.step(rows[None], classes[None])
    ours, theirs = stack.scaled[0, 0] * 1e-3 - weights, peer.weight.detach() - weights
    assert (theirs[1].abs() > 1e-4).any()
    assert (theirs[1].abs() < 9e-4).any()
    torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-6)


def test_adam_is_taken_from_its_public_place(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = ModuleType("torch.optim.functional")
    newer.adam = object()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, newer.__name__, newer)
    assert runpy.run_path(head_stack.__file__)["adam"] is newer.adam


def test_initial_weights_are_uniform_as_torchs() -> None:
    weights = initial_weights(2000, 9, 16, torch.Generator().manual_seed(0))
    assert (weights[:, 10:] == 0).all()
    for column in weights[:, :10].T:
        assert column.abs().max() <= 1 / 3
        assert column.std() == pytest.approx(2 / 3 / 12**0.5, rel=0.05)


def test_a_tie_moves_the_best_to_the_later_epoch(clips: Clips) -> None:
    """A learning rate too small to change any decision: every epoch ties, so none is the last."""
    still = Protocol(learning_rates=(1e-12,), seeds=(42,), max_epochs=9, patience=2)
    ((trained,),) = train_heads(clips, still)
    assert trained.best_epoch.tolist() == [9]
    assert len(trained.losses) == 9


def test_beside_logistic_regression(clips: Clips) -> None:
    rows = all_rows(clips.features).numpy()[:, :DIM]
    peer = LogisticRegression(C=1.0).fit(rows[:N_TRAIN], clips.classes[:N_TRAIN])
    expected = peer.score(rows[-N_VALID:], clips.classes[-N_VALID:])
    # The paper's patience; stopped early, a head may differ in a few of 60 clips.
    ((trained,),) = train_heads(clips, Protocol(learning_rates=(1e-2,), seeds=(42,)))
    assert trained.correct[0].mean() > expected - 0.08


def test_published_learning_rates() -> None:
    assert published_learning_rates("vggish", (), "esc50-v2.0.0-full") == (3e-3,)
    assert published_learning_rates("vggish", (10, 15), "surge") == (1e-4,)
    assert published_learning_rates("vggish", (10,), "surge") == (3e-4,)
    assert published_learning_rates("cnn14", (3, 6), "nsynth") == (1e-5,)
    assert published_learning_rates("cnn14", (3,), "nsynth_pitch-v2.2.3-5h") == (3e-4,)


@pytest.mark.parametrize(
    "settings", [{"learning_rates": (0.0,)}, {"seeds": ()}, {"patience": 0}, {"held_out": 1.0}]
)
def test_settings_are_checked(settings: dict[str, object]) -> None:
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name} must be"):
        Protocol(**settings)  # type: ignore[arg-type]
