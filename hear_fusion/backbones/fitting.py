"""From the state dicts of a file to a network: what programs put around its names is undone."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from hear_fusion.backbones.base import Backbone
from hear_fusion.checkpoints import USUAL_PLACES, StateDicts, WeightsError

# What torch's wrappers of modules call the module in them, at any depth of a name.
WRAPPERS = frozenset(
    ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module")
)
_FRONT = re.compile(r"[^./]+[./]")
_logger = logging.getLogger(__name__)


def readings(tensors: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """Give a state dict as it is, then with ever more taken off the front of its names.

    First go the names of torch's wrappers, wherever they stand, then whatever all names begin
    with, one part at a time. Counters that a wrapper keeps beside the network, which are single
    numbers, go with it.

    >>> state = {"n_averaged": torch.tensor(3), "module.net.fc.bias": torch.ones(2)}
    >>> [list(reading) for reading in readings(state)][-1]
    ['bias']
    """
    yield dict(tensors)
    reading = _without_numbers(tensors)
    unwrapped = {_unwrapped(key): tensor for key, tensor in reading.items()}
    reading = unwrapped if len(unwrapped) == len(reading) else reading
    if reading.keys() != tensors.keys():
        yield reading
    while front := _common_front(reading):
        reading = _without_numbers({key.removeprefix(front): reading[key] for key in reading})
        yield reading


def _common_front(keys: Collection[str]) -> str:
    """Give the part, with its dot or slash, that all names begin with; "" if there is none."""
    first = _FRONT.match(next(iter(keys), ""))
    return first[0] if first and all(key.startswith(first[0]) for key in keys) else ""


def _without_numbers(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in tensors.items() if tensor.ndim or _FRONT.match(key)}


def _unwrapped(key: str) -> str:
    return ".".join(part for part in key.split(".") if part not in WRAPPERS)


class AmbiguousError(WeightsError):
    """A file holds a network more than once."""


def build(network: type[Backbone], state_dicts: StateDicts, **options: Any) -> Backbone:
    """Build a network from the one state dict of a file that fits it.

    Args:
        network: Which.
        state_dicts: As `hear_fusion.checkpoints.read_state_dicts` returns them. One of
            `USUAL_PLACES` goes before the rest; of the rest only one may fit.
        options: For the network's `from_tensors`.

    Raises:
        AmbiguousError: If several fit, and differ.
        WeightsError: If none fits; says what is missing, superfluous or wrong.
    """
    fitting: dict[str, Backbone] = {}
    errors: list[str] = []
    for place, tensors in state_dicts.items():
        built = _first_fitting(network, tensors, options, errors)
        if built is not None and place in USUAL_PLACES:
            _note_twins(place, state_dicts)
            return built
        if built is not None:
            fitting[place] = built
    if not fitting:
        raise WeightsError(_most_telling(network, errors))
    first, *others = fitting.values()
    if not all(_are_equal(first, other) for other in others):
        places = [*fitting]
        raise AmbiguousError(
            f"it holds them under {' and '.join(map(repr, places))}; save those that you mean "
            f"alone, such as torch.save(checkpoint{_subscript(places[0])}, 'FILE.pth')"
        )
    return first


def part_that_fits(network: type[Backbone], state_dicts: StateDicts) -> str | None:
    """Find what the names of a network begin with in a file that holds more than the network."""
    for tensors in state_dicts.values():
        fronts = {key[: cut.end()] for key in tensors for cut in re.finditer(r"[./]", key)}
        for front in sorted(fronts, key=lambda front: (len(front), front)):
            part = {
                key.removeprefix(front): tensor
                for key, tensor in tensors.items()
                if key.startswith(front)
            }
            if len(part) > 1 and _first_fitting(network, part, {}, []) is not None:
                return front
    return None


def _first_fitting(
    network: type[Backbone],
    tensors: Mapping[str, Tensor],
    options: Mapping[str, Any],
    errors: list[str],
) -> Backbone | None:
    """Build from the reading that takes off least; collect why others do not fit."""
    for reading in readings(tensors):
        try:
            return network.from_tensors(reading, **options)
        except WeightsError as err:
            errors.append(str(err))
    return None


def _most_telling(network: type[Backbone], errors: list[str]) -> str:
    """Choose the error of a reading that has any of the network's tensors, if there is one."""
    try:
        network.from_tensors({})
    except WeightsError as err:
        return next((error for error in errors if error != str(err)), str(err))
    return errors[0]


def _note_twins(place: str, state_dicts: StateDicts) -> None:
    """Say that weights were chosen, where averaged ones lie beside them."""
    names = {at: [*readings(tensors)][-1].keys() for at, tensors in state_dicts.items()}
    twins = [at for at in names if at != place and names[at] == names[place]]
    if twins:
        _logger.warning(
            "the weights under %r are read; the file also holds others under %s: to use those, "
            "save them alone",
            place,
            ", ".join(map(repr, twins)),
        )


def _are_equal(one: Backbone, other: Backbone) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return all(torch.equal(mine[key], theirs[key]) for key in mine)


def _subscript(place: str) -> str:
    return "".join(f"[{part!r}]" for part in place.split("."))
