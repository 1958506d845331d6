"""A table of tones by a slim random network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from hear_fusion.cli import main

RATE = 16000


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, weight_files: dict[str, Path]) -> Path:
    """Sixty tones in noise, the last of which is the first once more with a little more."""
    folder = tmp_path_factory.mktemp("tones")
    (folder / "in").mkdir()
    rng = np.random.default_rng(0)
    tones = 0.2 * np.sin(np.outer(np.linspace(0.05, 2.5, 60), np.arange(RATE)))
    tones += rng.normal(0, 0.02, tones.shape)
    tones[-1] = tones[0] + rng.normal(0, 1e-4, RATE)
    for i, tone in enumerate(tones):
        soundfile.write(folder / f"in/{i:02d}.wav", tone, RATE)
    words = ["features", str(folder / "in"), "--model", "yamnet_5_13"]
    words += ["--weights", str(weight_files["yamnet"]), "--out", str(folder / "a.npz")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of the table, beside which an index may be made; its paths are the sounds'."""
    (tmp_path / "a.npz").write_bytes((made / "a.npz").read_bytes())
    return tmp_path
