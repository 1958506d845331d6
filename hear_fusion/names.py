"""Names of modules and the choices they stand for: "cnn14_3_6_40ms" <-> Choice."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Literal

from hear_fusion.backbones import REGISTRY
from hear_fusion.errors import InvalidError

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


def import_name(module: str) -> str:
    """Complete the short name of a choice; leave the name of any other HEAR module as it is.

    Raises:
        ValueError: If the name is that of a choice, but not a valid one.

    >>> [import_name(name) for name in ("cnn14_3_6", "hear_fusion.yamnet", "panns_hear")]
    ['hear_fusion.cnn14_3_6', 'hear_fusion.yamnet', 'panns_hear']
    """
    is_short = re.fullmatch(r"[a-z0-9]+(_[0-9]+)*(_[0-9]+ms)?", module) is not None
    if is_short and module.partition("_")[0] in REGISTRY:
        return parse(module).import_name
    return module


def parse(name: str) -> Choice:
    """Read a name.

    Args:
        name: ``<backbone>[_<layer>...][_<hop>ms]`` with layers ascending, with or without the
            package's name before it.

    Raises:
        ValueError: If the name is not valid; the message says what is.

    >>> parse("cnn14_3_6_40ms")
    Choice(backbone='cnn14', layers=(3, 6), hop_ms=40)
    >>> str(parse("yamnet"))
    'yamnet'
    """
    name = name.removeprefix("hear_fusion.")
    backbone, *parts = name.split("_")
    if backbone not in REGISTRY:
        raise InvalidError(
            f"a module name must begin with a network ({', '.join(REGISTRY)}), got {name!r}"
        )
    hop_ms = None
    if parts and re.fullmatch(r"[0-9]+ms", parts[-1]):
        hop_ms = int(parts.pop().removesuffix("ms"))
    if not all(re.fullmatch(r"[0-9]+", part) for part in parts):
        raise InvalidError(
            f"a module name must be {backbone}[_<layer>...][_<hop>ms] in digits, got {name!r}"
        )
    choice = Choice(backbone, tuple(map(int, parts)), hop_ms)
    check_layers(backbone, choice.layers)
    check_hop(backbone, hop_ms)
    if str(choice) != name:
        raise InvalidError(f"a module name must be without leading zeros, {choice}, got {name!r}")
    return choice


def with_layers(choice: Choice, layers: Iterable[int] | Literal["all"]) -> Choice:
    """Give a choice its layers, in whatever order they come.

    Args:
        choice: A network, perhaps with a hop, without layers.
        layers: Layer numbers of the network, or ``all``.

    Raises:
        ValueError: If the choice has layers already, or these are none, not whole numbers,
            repeated or unknown; the message lists the valid ones.

    >>> str(with_layers(parse("cnn14_40ms"), [6, 3]))
    'cnn14_3_6_40ms'
    """
    valid = REGISTRY[choice.backbone].layer_numbers()
    if choice.layers:
        raise InvalidError(
            f"layers must be either in the name or an argument, got {choice} and {layers!r}; "
            f"write {choice.backbone} with layers=..."
        )
    rule = f"layers of {choice.backbone} must be 'all' or a list of {_listed(valid)}"
    if isinstance(layers, str) and layers == "all":
        return replace(choice, layers=valid)
    if isinstance(layers, str) or not isinstance(layers, Iterable):
        raise InvalidError(f"{rule}, got {layers!r}")
    given = list(layers)
    if not given or not all(isinstance(n, Integral) and not isinstance(n, bool) for n in given):
        raise InvalidError(f"{rule}, got {given}; leave it out for the network's own embedding")
    ascending = tuple(sorted({int(number) for number in given}))
    if len(ascending) < len(given):
        raise InvalidError(f"{rule} without repeats, got {given}; write {list(ascending)}")
    check_layers(choice.backbone, ascending)
    return replace(choice, layers=ascending)


def list_models(pattern: str = "*") -> list[str]:
    """List the networks and their published choices of layers.

    Any other ascending choice of layers, and any legal hop, is a model as well:
    `hear_fusion.load` says what is valid.

    Args:
        pattern: What names must match, with ``*`` for any characters, in any case.

    Returns:
        Names that `hear_fusion.load` takes, each network before its published choice.

    >>> list_models("cnn14*")
    ['cnn14', 'cnn14_3_6']
    """
    names = (
        str(Choice(name, layers))
        for name, backbone in REGISTRY.items()
        for layers in ((), backbone.published_layers)
    )
    return fnmatch.filter(names, pattern.lower())


def check_layers(backbone: str, layers: tuple[int, ...]) -> None:
    """Check layer numbers against the network's table.

    Raises:
        ValueError: If one is unknown, or they are not strictly ascending.
    """
    valid = REGISTRY[backbone].layer_numbers()
    unknown = [number for number in layers if number not in valid]
    if unknown:
        raise InvalidError(
            f"layers of {backbone} must be among {_listed(valid)}, got {_listed(layers)}"
        )
    if list(layers) != sorted(set(layers)):
        raise InvalidError(
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
        raise InvalidError(
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
    choices = [parse(name) for name in dict.fromkeys(names)]
    other = [str(choice) for choice in choices if choice.backbone != backbone]
    if other:
        raise InvalidError(
            f"modules must be choices of {backbone}, got {', '.join(other)}; embed each network "
            "by a command of its own"
        )
    return choices
