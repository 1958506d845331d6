"""Choices as type checkers see them; what is asserted here, mypy checks."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import torch
from torch import Tensor

import hear_fusion
import hear_fusion.yamnet_5_13
from docs.make.stubs import PACKAGE, stubs
from hear_fusion import FusionModel, cnn14_3_6, cnn14_40ms
from hear_fusion.hear import HearModule


def test_published_choices_are_typed_in_both_forms_of_import(weight_files: dict[str, Path]) -> None:
    audio = torch.zeros(1, 16000)
    model = cnn14_3_6.load_model(str(weight_files["cnn14"]))
    assert_type(model, FusionModel)
    assert_type(cnn14_3_6.get_scene_embeddings(audio, model), Tensor)
    assert_type(cnn14_3_6.get_timestamp_embeddings(audio, model), tuple[Tensor, Tensor])
    other = hear_fusion.yamnet_5_13.load_model(str(weight_files["yamnet"]))
    assert_type(other, FusionModel)
    assert [type(each) for each in (model, other)] == [FusionModel, FusionModel]


def test_any_other_choice_has_the_protocol(weight_files: dict[str, Path]) -> None:
    assert_type(cnn14_40ms, HearModule)
    model = cnn14_40ms.load_model(str(weight_files["cnn14"]))
    assert_type(model, FusionModel)
    assert model.choice.hop_ms == 40


def test_the_stubs_are_those_of_the_registry() -> None:
    assert len(stubs()) == len(hear_fusion.list_models()) >= 8
    for path, text in stubs().items():
        assert path.read_text(encoding="utf-8") == text, "run python -m docs.make.stubs"
    assert set(PACKAGE.glob("*.pyi")) == set(stubs())
