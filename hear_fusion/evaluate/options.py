"""Options of ``load_model`` as the command line takes them."""

import json
from typing import Any

from hear_fusion.errors import InvalidError, shown


def read_options(model_options: str) -> dict[str, Any]:
    """Read the JSON object of ``--model-options``.

    Raises:
        ValueError: If it is none.
    """
    try:
        options = json.loads(model_options)
    except (ValueError, RecursionError) as err:
        raise InvalidError(
            f"model_options must be a JSON object, got {shown(model_options)} ({err}); for example "
            """'{"hop_ms": 40}'"""
        ) from err
    if not isinstance(options, dict):
        raise InvalidError(
            f"model_options must be a JSON object, got {shown(model_options)}; for example "
            """'{"hop_ms": 40}'"""
        )
    return options
