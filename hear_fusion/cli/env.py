"""``hear-fusion env``: what a report of a fault needs to say of this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hear_fusion.backbones import Backbone

_VARIABLES = (
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "MKL_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "TORCH_HOME",
    "XDG_CACHE_HOME",
)


@click.command()
def env() -> None:
    """Show versions, hardware, threads and caches: what a report of a fault needs.

    \b
    Example:
      hear-fusion env
    """  # noqa: D301 (click wants a real backspace)
    import torch

    from hear_fusion.backbones import REGISTRY
    from hear_fusion.checkpoints import cache_dir
    from hear_fusion.parallel.machine import (
        available_bytes,
        describe_hardware,
        n_cores,
        package_versions,
    )

    def show(title: str, rows: dict[str, object]) -> None:
        click.echo(title)
        for name, value in rows.items():
            click.echo(f"  {name:21} {value}")

    show("versions", dict(package_versions()))
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    show(
        "hardware",
        {
            "machine": describe_hardware(),
            "instructions": torch.backends.cpu.get_cpu_capability(),
            "memory free": f"{available_bytes() / 1e9:.1f} GB",
            "GPUs": ", ".join(gpus) or "none that torch sees",
        },
    )
    threads = {"cores in use": n_cores(), "torch threads": torch.get_num_threads()}
    show("threads", threads | {name: os.environ.get(name, "not set") for name in _VARIABLES})
    show(f"weights in {cache_dir()}", {name: _files(REGISTRY[name]) for name in REGISTRY})


def _files(backbone: type[Backbone]) -> str:
    from hear_fusion.checkpoints import cached

    paths = [path for path in map(cached, backbone.records) if path is not None]
    return ", ".join(f"{path} ({path.stat().st_size / 1e6:.0f} MB)" for path in paths) or "none"
