"""The type stubs of the networks and their published choices, whose modules are made on import.

Run as ``python -m docs.make.stubs``; type checkers find a module by its file alone.
"""

from __future__ import annotations

from pathlib import Path

from hear_fusion.names import list_models

PACKAGE = Path(__file__).parents[2] / "hear_fusion"
STUB = '''"""Types of the module `hear_fusion.{name}`, which is made on import."""

from typing import Any

from hear_fusion.hear import get_scene_embeddings as get_scene_embeddings
from hear_fusion.hear import get_timestamp_embeddings as get_timestamp_embeddings
from hear_fusion.model import FusionModel

def load_model(model_file_path: str = "", **options: Any) -> FusionModel: ...
'''


def stubs() -> dict[Path, str]:
    """Write what each stub holds, by its file.

    >>> sorted(path.name for path in stubs())[:3]
    ['ast.pyi', 'ast_5_12.pyi', 'cnn14.pyi']
    """
    return {PACKAGE / f"{name}.pyi": STUB.format(name=name) for name in list_models()}


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text, encoding="utf-8")
