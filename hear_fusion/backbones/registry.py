"""Which networks there are: a new one is one file beside this one and one line here."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from hear_fusion.backbones.ast_vit import Ast
from hear_fusion.backbones.base import Backbone
from hear_fusion.backbones.cnn14 import Cnn14
from hear_fusion.backbones.fitting import AmbiguousError, build, part_that_fits
from hear_fusion.backbones.vggish import Vggish
from hear_fusion.backbones.yamnet import Yamnet
from hear_fusion.checkpoints import StateDicts, WeightsError, locate, read_state_dicts

REGISTRY: dict[str, type[Backbone]] = {
    backbone.name: backbone
    for backbone in (
        Cnn14,
        Yamnet,
        Vggish,
        Ast,
    )
}


def load_backbone(name: str, path: str | PathLike[str] | None = None, **options: Any) -> Backbone:
    """Build a network from a weight file.

    Args:
        name: A key of `REGISTRY`.
        path: Any official container of that network, recognised by content; None: the default
            file from the cache, fetched when absent.
        options: Those in the network's `weight_options`.

    Returns:
        The network, on the CPU.

    Raises:
        WeightsError: If the file cannot be had, or does not hold this network.
    """
    backbone = REGISTRY[name]
    file = Path(path) if path else locate(backbone.records)
    state_dicts = read_state_dicts(file)
    beside = backbone.options_beside(file, options) if path else {}  # published files: as published
    try:
        return build(backbone, state_dicts, **beside, **options)
    except AmbiguousError as err:
        raise WeightsError(
            f"{file} must hold the weights of {backbone.title} once, but {err}"
        ) from err
    except WeightsError as err:
        raise WeightsError(
            f"{file} must hold the weights of {backbone.title}, but {err}; "
            f"{_next_step(backbone, state_dicts)}"
        ) from err


def fitting_networks(state_dicts: StateDicts) -> tuple[str, ...]:
    """Tell which networks a file holds the weights of.

    Args:
        state_dicts: As `hear_fusion.checkpoints.read_state_dicts` returns them.

    Returns:
        Keys of `REGISTRY`; none if the tensors fit no network.
    """
    return tuple(name for name, backbone in REGISTRY.items() if _fits(backbone, state_dicts))


def _fits(backbone: type[Backbone], state_dicts: StateDicts) -> bool:
    try:
        build(backbone, state_dicts)
    except AmbiguousError:
        return True
    except WeightsError:
        return False
    return True


def _next_step(backbone: type[Backbone], state_dicts: StateDicts) -> str:
    """Say what to do with a file that does not hold a network alone."""
    fitting = [REGISTRY[other].title for other in fitting_networks(state_dicts)]
    if fitting:
        return f"it holds {' and '.join(fitting)}"
    front = part_that_fits(backbone, state_dicts)
    if front is not None:
        return (
            f"it holds more than the network, which is below {front!r}: save that part alone, "
            f"torch.save({{key.removeprefix({front!r}): value for key, value in "
            f"state_dict.items() if key.startswith({front!r})}}, 'FILE.pth')"
        )
    held = [tensor for tensors in state_dicts.values() for tensor in tensors.values()]
    quantised = next((tensor.dtype for tensor in held if tensor.is_quantized), None)
    if quantised is not None:
        return f"it is quantised ({quantised}): give the float weights that it was made from"
    names = [name for tensors in state_dicts.values() for name in tensors]
    some = ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")
    return f"run 'hear-fusion list' for the official files (this one holds {some})"
