"""``hear-fusion show``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from hear_fusion.cli import main


def show(folder: Path, weight_files: dict[str, Path], *options: str) -> Result:
    path = folder / "a.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).normal(size=32000), 16000)
    network = "cnn14" if "cnn14" in options else "yamnet"
    weights = ["--weights", str(weight_files[network])]
    return CliRunner().invoke(main, ["show", str(path), *weights, *options])


@pytest.mark.parametrize(
    "options", [[], ["--model", "yamnet_2_3"], ["--backbone", "cnn14", "--hop-ms", "40"]]
)
def test_a_picture_is_written(
    tmp_path: Path, weight_files: dict[str, Path], options: list[str]
) -> None:
    out = tmp_path / "a.png"
    run = show(tmp_path, weight_files, "--out", str(out), *options)
    assert run.output == f"wrote {out}\n"
    assert out.read_bytes().startswith(b"\x89PNG")


def test_svg_says_in_words_what_it_shows(tmp_path: Path, weight_files: dict[str, Path]) -> None:
    out = tmp_path / "a.svg"
    run = show(tmp_path, weight_files, "--out", str(out), "--start", "0.5", "--stop", "1.5")
    assert run.exit_code == 0
    assert all(word in out.read_text() for word in ("Layer 5", "Layer 13", "1.00 s of a file"))


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--out", "a.txt"], 2, "--out must end in .png or .svg, got 'a.txt'"),
        (["--out", "a.png", "--model", "yamnet", "--backbone", "yamnet"], 2, "not both"),
        (["--out", "a.png", "--start", "2", "--stop", "1"], 2, "--stop must be above --start"),
        (["--out", "a.png", "--start", "7"], 1, "a.wav must reach to the end of its segment"),
        (["--out", "a.png", "--model", "yamnet_99"], 1, "layers of yamnet must be among"),
        (["--out", "a.png", "--backbone", "yamnet_2"], 1, "layers must be either in the name or"),
    ],
)
def test_what_is_wrong_is_told(
    tmp_path: Path,
    weight_files: dict[str, Path],
    options: list[str],
    status: int,
    message: str,
) -> None:
    run = show(tmp_path, weight_files, *options)
    assert run.exit_code == status
    assert message in run.output
    assert not Path("a.png").exists()
