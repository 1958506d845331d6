"""Read what ``torch.save`` wrote, zip or legacy, without unpickling anything freely."""

import pickle
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from hear_fusion.checkpoints.containers.beside import Beside, only_constructors
from hear_fusion.checkpoints.containers.sources import Source, StateDicts
from hear_fusion.checkpoints.records import WeightsError

_FIRST_CLASS = rb"\x80\x02(?:\(X\x06\0\0\0module(?:q.)?)?c"  # torch before 1.6 tags modules
USUAL_PLACES = ("model", "state_dict")
"""Where programs keep weights as trained; averages of them lie beside, under other names."""


def read_torch(source: Source) -> StateDicts:
    """Read every state dict of a file, bare or below any names.

    A state dict is the tensors of one mapping; numbers, texts and the like among them are left
    out. All keys stay as they are.

    Args:
        source: A file written by ``torch.save``.

    Returns:
        By the names that lead to it, joined by dots, each state dict: those of `USUAL_PLACES`
        first, then the outer before the inner. Tensors are on the CPU, detached, dtypes and
        shapes as stored.

    Raises:
        WeightsError: If the file is damaged, holds anything but tensors and values of
            `hear_fusion.checkpoints.containers.beside.CONSTRUCTORS`, or no state dict.
    """
    with source.reading("torch"), only_constructors():
        try:
            content = torch.load(source.stream, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as err:
            # Not `from err`: torch's advice begins with switching the protection off.
            raise _forbidden(source, str(err)) from None
    return _state_dicts(content, source.label)


def _forbidden(source: Source, message: str) -> WeightsError:
    """Take from torch's message what it met, and nothing else."""
    patterns = (r"GLOBAL (\S+)", r"but got <class '([^']+)'>", r"(Unsupported .+)", r"load (DT\S+)")
    met = next(filter(None, (re.search(pattern, message) for pattern in patterns)), None)
    name = met[1] if met else "something else"
    source.stream.seek(0)
    # A pickle that begins with a class is one object of it, where a state dict begins as a dict.
    first = _FIRST_CLASS + re.escape("\n".join(name.rpartition(".")[::2]).encode()) + b"\n"
    what = "a whole module, of " if re.search(first, source.stream.read(4096), re.DOTALL) else ""
    return WeightsError(
        f"path must hold tensors only, got {what}{name!r} inside {source.label}; "
        "unpickling it could run code, so save model.state_dict() and nothing else, "
        "with pickle protocol 2"
    )


def _state_dicts(content: object, label: str) -> StateDicts:
    found: StateDicts = {}
    seen: set[int] = set()
    last: tuple[str, object] = ("", content)
    to_see: list[tuple[str, object]] = [last]
    for place, value in to_see:  # it grows as it is gone through; a pickle may run in circles
        if not isinstance(value, Mapping) or id(value) in seen:
            continue
        seen.add(id(value))
        last = (place, value)
        named: Any = value if all(isinstance(key, str) for key in value) else {}
        tensors = {key: held.detach() for key, held in _tensors(named)}
        if tensors:
            found[place] = tensors
        to_see += [(f"{place}.{key}".removeprefix("."), held) for key, held in named.items()]
    if not found:
        place, value = last
        raise WeightsError(
            f"path must hold a state dict of tensors by name, got {_describe(value)} in {label}; "
            "save model.state_dict()"
        )
    rank = {place: number for number, place in enumerate(USUAL_PLACES)}
    return dict(sorted(found.items(), key=lambda item: rank.get(item[0], len(rank))))


def _tensors(named: Mapping[str, object]) -> list[tuple[str, Tensor]]:
    """List the tensors of a mapping, with those at the head of a list or pair."""
    held = [
        (key, part)
        for key, value in named.items()
        for part in (value[:1] if isinstance(value, tuple | list) else (value,))
    ]
    return [(key, part) for key, part in held if isinstance(part, Tensor)]


def _describe(value: object) -> str:
    if value == {}:
        return "an empty dict"
    if not isinstance(value, Mapping):
        return f"a {type(value).__name__}"
    key, held = next(iter(value.items()))
    kind = "value that is no tensor" if isinstance(held, Beside) else type(held).__name__
    return f"a {kind} under {key!r}"
