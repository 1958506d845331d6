"""The tiny HEAR module of these tests."""

from pathlib import Path

import pytest

from tests.tasks.hear_tasks import TINY_MODULE


@pytest.fixture(scope="session")
def module_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module ``tiny_spectrum``, importable from there only."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "tiny_spectrum.py").write_text(TINY_MODULE)
    return folder
