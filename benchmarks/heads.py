"""Linear heads trained together beside one head after another, in one run.

Both train heads of all learning rates, seeds and layers for the same number of epochs on the same
standardised features, held in memory, with validation and a copy of improved weights each epoch.
The peer is a plain loop around `torch.nn.Linear`, cross-entropy and Adam, with batches as people
usually make them, by a `DataLoader`, and as tight as it goes, gathered from the matrix by index.

    python benchmarks/heads.py --dims 2048 6144 --classes 12 --epochs 10
"""

from __future__ import annotations

import argparse
import copy
import platform
import time
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from hear_fusion.probes.features import Features
from hear_fusion.probes.heads import Clips, train_heads
from hear_fusion.probes.protocol import Protocol

LEARNING_RATES = (1e-5, 3e-5, 1e-4, 2e-4, 3e-4, 1e-3, 2e-3, 3e-3, 1e-2)


def tight_batches(clips: Clips, matrix: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of one epoch, gathered by index."""
    train = clips.train[0]
    for batch in train[torch.randperm(len(train))].split(size):
        yield matrix[batch], clips.classes[batch]


def loader_batches(clips: Clips, matrix: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of one epoch, by a loader."""
    rows_and_classes = TensorDataset(
        matrix[: len(clips.train[0])], clips.classes[: len(clips.train[0])]
    )
    yield from DataLoader(rows_and_classes, batch_size=size, shuffle=True)


def one_head(
    clips: Clips,
    matrix: Tensor,
    learning_rate: float,
    seed: int,
    protocol: Protocol,
    batches: Callable[[Clips, Tensor, int], Iterator[tuple[Tensor, Tensor]]],
) -> float:
    """Train a single head with torch's own parts; give its best validation accuracy."""
    torch.manual_seed(seed)
    head = torch.nn.Linear(matrix.shape[1], clips.n_classes)
    adam = torch.optim.Adam(head.parameters(), lr=learning_rate, weight_decay=protocol.weight_decay)
    valid, valid_classes = matrix[clips.valid[0]], clips.classes[clips.valid[0]]
    best = -1.0
    for _ in range(protocol.max_epochs):
        for rows, classes in batches(clips, matrix, protocol.batch_size):
            adam.zero_grad()
            loss = cross_entropy(head(rows), classes) / clips.n_classes
            loss.backward()
            adam.step()
        with torch.no_grad():
            accuracy = float((head(valid).argmax(1) == valid_classes).float().mean())
        if accuracy >= best:
            best, _weights = accuracy, copy.deepcopy(head.state_dict())
    return best


def products(dim: int, n_classes: int, protocol: Protocol) -> float:
    """Seconds a step of all heads spends in its two matrix products: what no sharing can save."""
    n_rows = protocol.batch_size
    weights = torch.randn(len(protocol.learning_rates) * n_classes, dim)
    rows, error = torch.randn(n_rows, dim), torch.randn(len(weights), n_rows)
    times = []
    for _ in range(12):
        begin = time.perf_counter()
        torch.mm(error, rows)
        torch.mm(weights, rows.T)
        times.append(time.perf_counter() - begin)
    return min(times) * len(protocol.seeds)


def compare(args: argparse.Namespace, dim: int, n_classes: int, protocol: Protocol) -> None:
    """Time both in turn and print the best times."""
    rng = np.random.default_rng(0)
    n_clips = args.clips + args.clips // 8
    train, valid = torch.arange(n_clips).split([args.clips, n_clips - args.clips])
    classes = torch.from_numpy(rng.integers(n_classes, size=n_clips))
    raw = rng.normal(size=(args.layers, n_clips, dim)).astype(np.float32)
    features = Features([[[layer]] for layer in raw], n_fit=args.clips)
    n_seeds = len(protocol.seeds)
    clips = Clips(
        features, classes, n_classes, train.repeat(n_seeds, 1), valid.repeat(n_seeds, 1), valid
    )
    every = torch.arange(n_clips).expand(args.layers, -1)
    matrices = features.rows(torch.arange(args.layers), every)[..., :dim].contiguous()
    ours: list[float] = []
    theirs: dict[str, list[float]] = {"tight": [], "loader": []}
    for _ in range(args.runs):
        begin = time.perf_counter()
        train_heads(clips, protocol)
        ours.append(time.perf_counter() - begin)
        for name, batches in (("tight", tight_batches), ("loader", loader_batches)):
            begin = time.perf_counter()
            for matrix, seed, learning_rate in product(
                matrices, protocol.seeds, protocol.learning_rates
            ):
                one_head(clips, matrix, learning_rate, seed, protocol, batches)
            theirs[name].append(time.perf_counter() - begin)
    n_steps = protocol.max_epochs * -(-args.clips // protocol.batch_size)
    floor = products(dim, n_classes, protocol) * args.layers * n_steps
    together, tight, loader = min(ours), min(theirs["tight"]), min(theirs["loader"])
    print(f"{dim:>5} dims, {n_classes:>3} classes: together {together:6.2f} s; one by one by a "
          f"loader {loader:6.2f} s, {loader / together:4.1f} x; gathered {tight:6.2f} s, "
          f"{tight / together:4.1f} x (products alone: {tight / floor:.1f} x)")  # fmt: skip


def main() -> None:
    """Time all sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clips", type=int, default=1200, help="training clips")
    parser.add_argument("--dims", type=int, nargs="+", default=[2048, 6144])
    parser.add_argument("--classes", type=int, nargs="+", default=[12, 50])
    parser.add_argument("--layers", type=int, default=4, help="representations of each size")
    parser.add_argument("--epochs", type=int, default=10, help="of both; none stops early")
    parser.add_argument("--runs", type=int, default=3, help="of both in turn; the best counts")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    protocol = Protocol(
        learning_rates=LEARNING_RATES, max_epochs=args.epochs, patience=args.epochs + 1
    )
    print(f"{platform.machine()}, {args.threads} threads, torch {torch.__version__}, "
          f"{args.clips} clips, {len(LEARNING_RATES)} learning rates x "
          f"{len(protocol.seeds)} seeds x {args.layers} layers, {args.epochs} epochs")  # fmt: skip
    for dim in args.dims:
        for n_classes in args.classes:
            compare(args, dim, n_classes, protocol)


if __name__ == "__main__":
    main()
