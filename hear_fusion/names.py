"""Names of modules and the choices they stand for: "cnn14_3_6_40ms" <-> Choice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hear_fusion.backbones import REGISTRY

_LOOKS_LIKE_A_CHOICE = re.compile(r"[a-z][a-z0-9]*(_[0-9]+)+(_[0-9]+ms)?|[a-z][a-z0-9]*_[0-9]+ms")


@dataclass(frozen=True)
class Choice:
    """A network, some of its layers, and the hop of its timestamps.

    Attributes:
        backbone: A key of `hear_fusion.backbones.REGISTRY`.
        layers: Layer numbers, ascending; empty: the network's own last-layer embedding.
        hop_ms: Hop of the timestamps in ms; None: the network's own frames.
    """

    backbone: str
    layers: tuple[int, ...] = ()
    hop_ms: int | None = None

    def __str__(self) -> str:
        hop = () if self.hop_ms is None else (f"{self.hop_ms}ms",)
        return "_".join([self.backbone, *map(str, self.layers), *hop])

    @property
    def import_name(self) -> str:
        """Name that the HEAR tools import the module by.

        >>> Choice("cnn14", (3, 6)).import_name
        'hear_fusion.cnn14_3_6'
        """
        return f"hear_fusion.{self}"


def is_choice_like(name: str) -> bool:
    """Tell whether a name is meant as a choice, valid or not: by its shape or its network.

    >>> [is_choice_like(name) for name in ("cnn14_x", "resnet_1", "yamnet", "timeline")]
    [True, True, True, False]
    """
    network = name.partition("_")[0].lower()
    return network in REGISTRY or _LOOKS_LIKE_A_CHOICE.fullmatch(name) is not None


def parse(name: str) -> Choice:
    """Read a name.

    Args:
        name: ``<backbone>[_<layer>...][_<hop>ms]`` with layers ascending.

    Raises:
        ValueError: If the name is not valid; the message says what is.

    >>> parse("cnn14_3_6_40ms")
    Choice(backbone='cnn14', layers=(3, 6), hop_ms=40)
    >>> str(parse("yamnet"))
    'yamnet'
    """
    backbone, *parts = name.split("_")
    if backbone not in REGISTRY:
        raise ValueError(
            f"a module name must begin with a network ({', '.join(REGISTRY)}), got {name!r}"
        )
    hop_ms = None
    if parts and re.fullmatch(r"[0-9]+ms", parts[-1]):
        hop_ms = int(parts.pop().removesuffix("ms"))
    if not all(re.fullmatch(r"[0-9]+", part) for part in parts):
        raise ValueError(
            f"a module name must be {backbone}[_<layer>...][_<hop>ms] in digits, got {name!r}"
        )
    choice = Choice(backbone, tuple(map(int, parts)), hop_ms)
    check_layers(backbone, choice.layers)
    check_hop(backbone, hop_ms)
    if str(choice) != name:
        raise ValueError(f"a module name must be without leading zeros, {choice}, got {name!r}")
    return choice


def check_layers(backbone: str, layers: tuple[int, ...]) -> None:
    """Check layer numbers against the network's table.

    Raises:
        ValueError: If one is unknown, or they are not strictly ascending.
    """
    valid = REGISTRY[backbone].layer_numbers()
    unknown = [number for number in layers if number not in valid]
    if unknown:
        raise ValueError(
            f"layers of {backbone} must be among {_listed(valid)}, got {_listed(layers)}"
        )
    if list(layers) != sorted(set(layers)):
        raise ValueError(
            f"layers of {backbone} must ascend without repeats, got {_listed(layers)}; "
            f"write {Choice(backbone, tuple(sorted(set(layers))))}"
        )


def check_hop(backbone: str, hop_ms: int | None) -> None:
    """Check a hop against the network's legal ones.

    Raises:
        ValueError: If it is none of them.
    """
    valid = REGISTRY[backbone].timeline.hops_ms
    if hop_ms is not None and (type(hop_ms) is not int or hop_ms not in valid):
        raise ValueError(
            f"the hop of {backbone} must be one of {_listed(valid)} ms, got {hop_ms!r}"
        )


def _listed(numbers: tuple[int, ...]) -> str:
    return " ".join(map(str, numbers))


def parse_modules(names: Iterable[str], backbone: str) -> list[Choice]:
    """Read names of modules of one network, with or without the package's name before them.

    Raises:
        ValueError: If a name is not valid, or of another network.

    >>> parse_modules(["cnn14", "hear_fusion.cnn14_3_6"], "cnn14")[1].layers
    (3, 6)
    """
    choices = [parse(name.removeprefix("hear_fusion.")) for name in dict.fromkeys(names)]
    other = [str(choice) for choice in choices if choice.backbone != backbone]
    if other:
        raise ValueError(
            f"modules must be choices of {backbone}, got {', '.join(other)}; embed each network "
            "by a command of its own"
        )
    return choices
