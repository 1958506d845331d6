"""The drawing of the flow tells the truth of the layer tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs.make.flow import flow_svg
from hear_fusion.backbones import REGISTRY
from hear_fusion.names import Choice, parse

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    "name", ["cnn14_3_6", "yamnet_5_13", "yamnet_2_9_14", "cnn14_1", "ast_5_12"]
)
def test_shapes_are_those_of_the_table(name: str) -> None:
    choice = parse(name)
    drawing = ElementTree.fromstring(flow_svg(choice))  # well-formed
    texts = [element.text or "" for element in drawing.iter() if element.tag.endswith("text")]
    layers = [
        layer for layer in REGISTRY[choice.backbone].layer_table if layer.number in choice.layers
    ]
    assert len(layers) == len(choice.layers)
    assert f"[B, 1, T, {REGISTRY[choice.backbone].front_end.n_mels}]" in texts
    for layer in layers:
        assert f"[B, {layer.channels}, T/{layer.stride}, {layer.freq}]" in texts
        assert any(f"= {layer.dim}]" in text for text in texts)
    assert any(f"T_o, {sum(layer.dim for layer in layers)}]" in text for text in texts)


def test_the_drawing_of_the_readme_is_up_to_date() -> None:
    drawn = subprocess.run(
        [sys.executable, "-m", "docs.make.flow", "cnn14_3_6"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (ROOT / "docs" / "flow.svg").read_text(encoding="utf-8") == drawn.stdout


def test_a_choice_without_layers_has_no_drawing() -> None:
    with pytest.raises(ValueError, match="1 to 3 layers, got yamnet"):
        flow_svg(Choice("yamnet"))
