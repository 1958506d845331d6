"""An AST is fed as it was trained: the file that Hugging Face keeps beside the weights is obeyed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

import hear_fusion
from hear_fusion.backbones.ast_training import PREPROCESSOR, note_assumption
from hear_fusion.backbones.ast_vit import Ast
from hear_fusion.checkpoints import WeightsError
from tests.networks import ast_tensors

ESC50 = {"mean": -6.6268077, "std": 5.358466}


def trained_on(n_mel: int) -> dict[str, Tensor]:
    """A network for windows of ``n_mel`` frames."""
    state = ast_tensors()
    n_columns = (n_mel - 16) // 10 + 1
    state["v.pos_embed"] = state["v.pos_embed"][:, : 2 + 12 * n_columns].clone()
    return state


def saved(folder: Path, config: object = None, n_mel: int = 1024) -> Path:
    folder.mkdir(exist_ok=True)
    torch.save(trained_on(n_mel), folder / "ast.pth")
    if config is not None:
        text = config if isinstance(config, str) else json.dumps(config)
        (folder / PREPROCESSOR).write_text(text)
    return folder / "ast.pth"


def write_as_hugging_face(folder: Path, **values: float) -> None:
    extractor: Any = transformers
    extractor.ASTFeatureExtractor(**values).save_pretrained(folder)


def test_mean_and_std_are_obeyed(tmp_path: Path, noise: Callable[..., Tensor]) -> None:
    """As the options would, whose place it takes."""
    audio = noise(1, 16000)
    write_as_hugging_face(tmp_path / "a", **ESC50)
    model = hear_fusion.load("ast", saved(tmp_path / "a"))
    options: dict[str, Any] = {"input_mean": ESC50["mean"], "input_std": ESC50["std"]}
    wanted = hear_fusion.load("ast", saved(tmp_path / "b"), **options)
    assert torch.equal(model.scenes(audio), wanted.scenes(audio))
    plain = hear_fusion.load("ast", saved(tmp_path / "b"))
    assert (model.scenes(audio) - plain.scenes(audio)).abs().max() > 1e-2
    assert (
        model.weights_sha256 != plain.weights_sha256
    )  # finished work of the one is not the other's


def test_options_go_before_the_file(tmp_path: Path, noise: Callable[..., Tensor]) -> None:
    path = saved(tmp_path, ESC50)
    model = hear_fusion.load("ast", path, input_mean=-4.2677393)
    assert isinstance(model.backbone, Ast)
    assert (model.backbone.input_mean, model.backbone.input_std) == (-4.2677393, ESC50["std"])


def test_audiosets_file_changes_nothing(tmp_path: Path) -> None:
    write_as_hugging_face(tmp_path / "a")
    with_it = hear_fusion.load("ast", saved(tmp_path / "a"))
    without = hear_fusion.load("ast", saved(tmp_path / "b"))
    assert with_it.weights_sha256 == without.weights_sha256


def test_without_normalisation_the_log_mel_goes_in_as_it_is(tmp_path: Path) -> None:
    backbone = hear_fusion.load("ast", saved(tmp_path, {"do_normalize": False})).backbone
    assert isinstance(backbone, Ast)
    assert (backbone.input_mean, 2 * backbone.input_std) == (0.0, 1.0)


@pytest.mark.parametrize("n_mel", [128, 512, 1024])
def test_long_sounds_are_cut_into_the_windows_of_the_training(n_mel: int, tmp_path: Path) -> None:
    path = saved(tmp_path, {"max_length": n_mel}, n_mel)
    model = hear_fusion.load("ast", path)
    chunks = list(model.backbone.timeline.chunks(4000, "scenes", 3000))
    assert {chunk.window for chunk in chunks[:-1]} == {n_mel}


def test_another_windows_file_does_not_belong_to_the_weights(tmp_path: Path) -> None:
    path = saved(tmp_path, {"max_length": 512})
    with pytest.raises(WeightsError, match="columns of 512 mel frames, the max_length of the prep"):
        hear_fusion.load("ast", path)


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        ({"sampling_rate": 44100}, "sampling_rate 16000, got 44100"),
        ({"num_mel_bins": 64}, "num_mel_bins 128, got 64"),
        ({"feature_extractor_type": "ClapFeatureExtractor"}, "feature_extractor_type 'ASTFeat"),
        ({"mean": None}, "a finite number as mean, got None"),
        ({"std": "4"}, "a finite number as std, got '4'"),
        ({"mean": True}, "a finite number as mean, got True"),
        ({"std": 0}, "a std above 0, got 0"),
        ({"std": float("nan")}, "a finite number as std, got nan"),
        ({"max_length": 8}, "a whole max_length of 16 mel frames or more, got 8"),
        ({"max_length": 99.5}, "a whole max_length of 16 mel frames or more, got 99.5"),
        ([], "a JSON object, got a list"),
        ('{"mean": -4.', "JSON that can be read, got "),
        ("", "JSON that can be read, got "),
    ],
)
def test_a_file_that_cannot_be_obeyed_is_named(tmp_path: Path, config: Any, rule: str) -> None:
    path = saved(tmp_path, config)
    with pytest.raises(WeightsError, match=rf"{PREPROCESSOR}, .*must hold {rule}.*; fetch it from"):
        hear_fusion.load("ast", path)


def test_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = saved(tmp_path, "\ufeff" + json.dumps(ESC50))
    backbone = hear_fusion.load("ast", path).backbone
    assert isinstance(backbone, Ast)
    assert backbone.input_mean == ESC50["mean"]


def test_what_is_assumed_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path)
    note_assumption.cache_clear()
    with caplog.at_level(logging.WARNING):
        hear_fusion.load("ast", path, input_mean=0.0, input_std=1.0)  # nothing is assumed
        assert not caplog.records
        for _ in range(2):
            hear_fusion.load("ast", path)
        (record,) = caplog.records
    assert f"no {PREPROCESSOR} beside it: AudioSet's mean -4.26774 and std 4.569" in record.message


def test_of_an_official_file_nothing_is_assumed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path)
    size = path.stat().st_size
    official = type(Ast.records[0])("ast.pth", None, "MIT", "a test", size_bytes=size)
    monkeypatch.setattr(Ast, "records", (official,))
    with caplog.at_level(logging.WARNING):
        hear_fusion.load("ast", path)
    assert not caplog.records
