"""Speed of our CNN14 beside the authors' packaged one, in one run.

Both get the same random weights and the same sound on the same threads; the peer gives the 2048-d
embedding, and so does ``hear_fusion.cnn14``; ``cnn14_3_6`` is shown beside it. Times are medians
over alternating runs, each after one warm-up.

    python benchmarks/speed.py --seconds 10 --batch 4 --runs 5
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import torch
from panns_hear.models import Cnn14 as Peer
from torch import Tensor

from hear_fusion.backbones.cnn14 import Cnn14
from hear_fusion.model import FusionModel
from hear_fusion.names import parse


def randomise(network: torch.nn.Module) -> None:
    """Give the batch norms statistics that a trained network could have."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr]


def contenders(sample_rate: int = 16000) -> dict[str, Callable[[Tensor], Tensor]]:
    """The peer and ours, under the same weights."""
    torch.manual_seed(0)
    peer = Peer(sample_rate, 512, 160, 64, 50, 8000, 527).eval()
    randomise(peer)
    ours = Cnn14.from_tensors(peer.state_dict())

    def embed(audio: Tensor) -> Tensor:
        with torch.no_grad():
            embedding: Tensor = peer(audio)["embedding"]
        return embedding

    return {
        "panns_hear Cnn14, embedding": embed,
        "hear_fusion.cnn14": FusionModel(ours, parse("cnn14")).scenes,
        "hear_fusion.cnn14_3_6": FusionModel(ours, parse("cnn14_3_6")).scenes,
    }


def main() -> None:
    """Time all contenders in turn."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each clip")
    parser.add_argument("--batch", type=int, default=4, help="clips at once")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    audio = 0.1 * torch.randn(args.batch, round(args.seconds * 16000))
    models = contenders()
    outputs = {name: model(audio) for name, model in models.items()}  # warm-up, and a check
    theirs, ours = list(outputs.values())[:2]
    times: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(args.runs):
        for name, model in models.items():
            begin = time.perf_counter()
            model(audio)
            times[name].append(time.perf_counter() - begin)

    print(f"{platform.machine()}, {args.threads} threads, torch {torch.__version__}, "
          f"{args.batch} clips of {args.seconds:g} s, {args.runs} runs")  # fmt: skip
    print(f"relative difference of the two embeddings {(ours - theirs).norm() / theirs.norm():.1e}")
    sound = args.batch * args.seconds
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{name:<30} {median:6.2f} s  [{min(seconds):.2f}, {max(seconds):.2f}]"
              f"  {sound / median:6.1f} x real time")  # fmt: skip


if __name__ == "__main__":
    main()
