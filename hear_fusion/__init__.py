"""General-purpose audio embeddings from the layers of networks that already exist.

Every choice of a network and its layers is a module with the HEAR API::

    from hear_fusion import cnn14_3_6

    model = cnn14_3_6.load_model()
    embeddings = cnn14_3_6.get_scene_embeddings(audio, model)  # (n_sounds, 6144)

Names are ``<network>[_<layer>...][_<hop>ms]``; without layers the network's own embedding.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hear_fusion.finder import install

if TYPE_CHECKING:
    from hear_fusion.model import FusionModel

__version__ = "0.1.0"
__all__ = ["__version__", "load"]

install()


def load(name: str, model_file_path: str = "", **options: Any) -> FusionModel:
    """Load the model of a choice by its name; see `hear_fusion.model.FusionModel.load`.

    Args:
        name: Such as ``cnn14_3_6`` or ``yamnet_5_13_40ms``.
        model_file_path: A weight file; empty: the official one, fetched when absent.
        options: ``hop_ms``, ``precision``, ``chunk_seconds`` and those of the network.

    Raises:
        ValueError: If the name is not valid.
    """
    from hear_fusion.model import FusionModel
    from hear_fusion.names import parse

    return FusionModel.load(parse(name), model_file_path, **options)


def __getattr__(name: str) -> Any:
    """Import a choice's module on first use, so that ``hear_fusion.cnn14_3_6`` works as it is."""
    from hear_fusion.names import is_choice_like

    if is_choice_like(name):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
