"""The HEAR contract over every network and choice, and what happens to odd input."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

import hear_fusion
from hear_fusion.audio import resample
from hear_fusion.backbones import REGISTRY
from hear_fusion.checkpoints import WeightsError
from hear_fusion.evaluate.options import read_options
from hear_fusion.model import FusionModel
from hear_fusion.names import parse
from tests.networks import FINE_HOPS_MS, FUSIONS

SINGLE_LAYERS = [f"{n}_{k}" for n, network in REGISTRY.items() for k in network.layer_numbers()]
PUBLISHED = list(FUSIONS.values())
FINE = [  # hops that hear-validator does not complain of
    f"{module}_{hop}ms" for name, hop in FINE_HOPS_MS.items() for module in (FUSIONS[name], name)
]

LENGTHS = (1, 399, 4961, 17120, 31680, 64000, 100001)


def load(name: str, files: dict[str, Path], **options: Any) -> FusionModel:
    return hear_fusion.load(name, str(files[name.partition("_")[0]]), **options)


@pytest.mark.parametrize("name", [*SINGLE_LAYERS, *PUBLISHED, *REGISTRY, *FINE])
def test_every_module_keeps_the_rules_of_hear(
    name: str, weight_files: dict[str, Path], noise: Callable[..., Tensor]
) -> None:
    module = importlib.import_module(f"hear_fusion.{name}")
    model = module.load_model(str(weight_files[name.partition("_")[0]]))
    assert isinstance(model, torch.nn.Module)
    assert model.sample_rate in (16000, 22050, 32000, 44100, 48000)
    assert isinstance(model.scene_embedding_size, int)
    assert isinstance(model.timestamp_embedding_size, int)
    for n_samples in LENGTHS if name in SINGLE_LAYERS else (*LENGTHS, 981920):  # up to 61.37 s
        audio = noise(2, n_samples).clamp(-1, 1)
        scenes = module.get_scene_embeddings(audio, model)
        frames, times = module.get_timestamp_embeddings(audio, model)
        assert scenes.shape == (2, model.scene_embedding_size)
        assert frames.shape == (*times.shape, model.timestamp_embedding_size)
        assert {scenes.dtype, frames.dtype, times.dtype} == {torch.float32}
        assert torch.isfinite(scenes).all()
        assert torch.isfinite(frames).all()
        duration_ms = 1000 * n_samples / model.sample_rate
        assert times.shape[0] == 2
        assert times.shape[1] >= 1
        assert times.min() >= 0
        assert times.max() <= duration_ms + 1e-3  # float32 of a clamped timestamp
        gaps = times.diff(dim=1)
        assert gaps.numel() == 0 or (gaps == gaps[0, 0]).all()
        assert gaps.numel() == 0 or gaps[0, 0] > 0
        if name in FINE and n_samples > 1000:
            assert times[0, 0] <= 50
            assert duration_ms - times[0, -1] <= 50


def test_published_dimensions() -> None:
    dims = {
        name: {layer.number: layer.dim for layer in network.layer_table}
        for name, network in REGISTRY.items()
    }
    assert dims["cnn14"] == {1: 2048, 2: 2048, 3: 2048, 4: 2048, 5: 2048, 6: 4096}
    assert dims["yamnet"] == {1: 1024, **dict.fromkeys(range(2, 15), 2048)}
    assert dims["vggish"] == {
        **dict.fromkeys((2, 5, 8, 10, 13, 15, 18, 20), 4096),
        22: 128,
    }
    assert dims["ast"] == dict.fromkeys(range(1, 13), 768)
    assert REGISTRY["ast"].original.dim == 768
    assert REGISTRY["vggish"].original.dim == 128
    assert REGISTRY["cnn14"].original.dim == 2048
    assert REGISTRY["yamnet"].original.dim == 1024


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize(
    "audio",
    [
        torch.zeros(2, 16000),
        torch.full((2, 16000), 0.5),
        torch.sin(torch.arange(32000.0)).sign().reshape(2, -1),
        torch.full((2, 16000), 1e-30),
        10.0 * torch.sin(torch.arange(32000.0)).reshape(2, -1),
    ],
    ids=["silence", "dc", "clipping", "denormal", "above full scale"],
)
def test_odd_sounds_give_finite_embeddings(
    name: str, audio: Tensor, weight_files: dict[str, Path]
) -> None:
    model = load(name, weight_files)
    assert torch.isfinite(model.scenes(audio)).all()
    assert torch.isfinite(model.frames(audio)[0]).all()


@pytest.mark.parametrize("name", [*PUBLISHED, *REGISTRY])
def test_an_empty_batch_gives_empty_embeddings(name: str, weight_files: dict[str, Path]) -> None:
    model = load(name, weight_files)
    frames, times = model.frames(torch.zeros(0, 16000))
    assert model.scenes(torch.zeros(0, 16000)).shape == (0, model.scene_embedding_size)
    assert frames.shape == (0, times.shape[1], model.timestamp_embedding_size)
    assert times.shape[0] == 0


@pytest.mark.parametrize(
    ("audio", "error", "message"),
    [
        (torch.zeros(2, 0), ValueError, r"at least 1 sample, got \(2, 0\)"),
        (torch.zeros(16000), ValueError, r"got \(16000,\); one mono sound is audio\[None, :\]"),
        (torch.zeros(1, 2, 100), ValueError, r"got \(1, 2, 100\)"),
        (torch.zeros(1, 100, dtype=torch.int16), TypeError, "got torch.int16; divide .* 32768"),
        (torch.zeros(1, 100, dtype=torch.complex64), TypeError, "got torch.complex64"),
        (np.zeros((1, 100), np.float32), TypeError, "got ndarray; wrap it"),
        (torch.zeros(1, 100, device="meta"), ValueError, "device cpu, got meta; move it"),
    ],
)
def test_wrong_audio_says_what_came_and_what_to_do(
    audio: Any, error: type[Exception], message: str, weight_files: dict[str, Path]
) -> None:
    model = load("yamnet_5_13", weight_files)
    for call in (model.scenes, model.timestamp_embeddings):
        with pytest.raises(error, match=message):
            call(audio)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_broken_sample_is_an_error_that_names_the_sounds(
    value: float, weight_files: dict[str, Path]
) -> None:
    audio = torch.zeros(4, 5000)
    audio[1, 77] = audio[3, 0] = value
    with pytest.raises(ValueError, match=r"in sounds \[1, 3\] of 4"):
        load("cnn14_3_6", weight_files).scenes(audio)


@pytest.mark.parametrize(
    "audio",
    [torch.full((1, 5000), 32767.0), torch.full((1, 5000), 1e300, dtype=torch.float64)],
    ids=["integers in disguise", "beyond float32"],
)
def test_amplitudes_that_are_no_sound_are_refused(
    audio: Tensor, weight_files: dict[str, Path]
) -> None:
    with pytest.raises(ValueError, match=r"in sounds \[0\] of 1 .*32768 for 16 bits"):
        load("cnn14_3_6", weight_files).scenes(audio)


def test_a_model_in_half_precision_says_how_to_have_it(weight_files: dict[str, Path]) -> None:
    with pytest.raises(TypeError, match=r"got torch.float16; load it with precision='bf16'"):
        load("cnn14_3_6", weight_files).half().scenes(torch.zeros(1, 5000))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_floats_are_taken_as_float32(
    dtype: torch.dtype, weight_files: dict[str, Path], noise: Callable[..., Tensor]
) -> None:
    model, audio = load("yamnet_5_13", weight_files), noise(1, 9000).to(dtype)
    torch.testing.assert_close(model.scenes(audio), model.scenes(audio.float()), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"hops": 40},
            TypeError,
            r"options of cnn14_3_6 must be among .*'hop_ms'.* got \['hops'\]",
        ),
        ({"hop_ms": 40.0}, ValueError, r"must be one of 320 160 80 40 20 ms, got 40\.0"),
        ({"hop_ms": "40"}, ValueError, r"must be one of 320 160 80 40 20 ms, got '40'"),
        ({"chunk_seconds": float("inf")}, ValueError, "must be a number above 0, got inf"),
        ({"chunk_seconds": "30"}, ValueError, "must be a number above 0, got '30'"),
        ({"hop_ms": 30}, ValueError, "must be one of 320 160 80 40 20 ms, got 30"),
        ({"precision": "fp16"}, ValueError, r"one of \['fp32', 'tf32', 'bf16'\], got 'fp16'"),
        ({"layer_scale": "max"}, ValueError, r"one of \['none', 'rms', 'std'\], got 'max'"),
        ({"chunk_seconds": 0}, ValueError, "chunk_seconds must be a number above 0, got 0"),
        ({"sample_rate": 44100}, ValueError, r"one of \[16000, 32000\] Hz, got 44100"),
    ],
)
def test_wrong_options_are_errors(
    options: dict[str, Any], error: type[Exception], message: str, weight_files: dict[str, Path]
) -> None:
    with pytest.raises(error, match=message):
        load("cnn14_3_6", weight_files, **options)


def test_hop_is_an_option_too_but_not_against_the_name(
    weight_files: dict[str, Path], noise: Callable[..., Tensor]
) -> None:
    audio = noise(1, 20000)
    by_name, by_option = (
        load("cnn14_3_6_40ms", weight_files),
        load("cnn14_3_6", weight_files, hop_ms=40),
    )
    torch.testing.assert_close(by_name.frames(audio), by_option.frames(audio), rtol=0, atol=0)
    own_pace = load("cnn14_3_6", weight_files)
    torch.testing.assert_close(by_name.scenes(audio), own_pace.scenes(audio), rtol=0, atol=0)
    with pytest.raises(ValueError, match="hop_ms must be 40 as in cnn14_3_6_40ms, got 20"):
        load("cnn14_3_6_40ms", weight_files, hop_ms=20)


def test_the_model_is_frozen_and_stays_in_eval_mode(weight_files: dict[str, Path]) -> None:
    model = load("cnn14_3_6", weight_files)
    assert not any(module.training for module in model.modules())
    assert not any(parameter.requires_grad for parameter in model.parameters())
    model.train()
    assert not any(module.training for module in model.modules())
    audio = torch.ones(1, 5000, requires_grad=True)
    assert not model.scenes(audio).requires_grad


def test_embeddings_can_train_a_head(weight_files: dict[str, Path]) -> None:
    model = load("yamnet_5_13", weight_files)
    head = torch.nn.Linear(model.scene_embedding_size, 2)
    head(model.scenes(torch.ones(1, 5000))).sum().backward()
    assert head.weight.grad is not None


def test_layers_are_the_parts_of_the_scene(
    weight_files: dict[str, Path], noise: Callable[..., Tensor]
) -> None:
    model, audio = load("cnn14_2_3_6", weight_files), noise(2, 12345)
    parts = model.layers(audio)
    assert list(parts) == [2, 3, 6]
    alone = load("cnn14_3", weight_files).scenes(audio)
    torch.testing.assert_close(parts[3], alone, rtol=0, atol=0)
    assert list(load("cnn14", weight_files).layers(audio)) == [0]


def test_bf16_is_near_and_leaves_the_globals_alone(
    weight_files: dict[str, Path], noise: Callable[..., Tensor]
) -> None:
    audio = noise(2, 20000)
    before = torch.backends.mkldnn.conv.fp32_precision  # type: ignore[attr-defined]
    exact = load("cnn14_3_6", weight_files).scenes(audio)
    rough = load("cnn14_3_6", weight_files, precision="bf16", allow_slow=True).scenes(audio)
    assert rough.dtype == torch.float32
    error = (rough - exact).norm() / exact.norm()
    assert 1e-5 < error < 2e-2
    assert torch.backends.mkldnn.conv.fp32_precision == before  # type: ignore[attr-defined]


def test_a_cpu_that_would_imitate_bf16_refuses_when_sound_comes(
    weight_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    audio, multiplies_bf16 = (
        torch.zeros(1, 5000),
        "hear_fusion.runtimes.precision.cpu_multiplies_bf16",
    )
    monkeypatch.setattr(multiplies_bf16, lambda: False)
    model = load("cnn14_3_6", weight_files, precision="bf16")  # may be on its way to a GPU
    for call in (
        model.scenes,
        model.frames,
        model.layers,
        model.with_choice(parse("cnn14")).scenes,
    ):
        with pytest.raises(
            ValueError, match=r"'fp32' on a CPU without AVX512-BF16 or AMX .*allow_slow"
        ):
            call(audio)
    options = read_options('{"precision": "bf16", "allow_slow": true}')
    slow = load("cnn14_3_6", weight_files, **options)
    assert slow.scenes(audio).shape == (1, 96)
    assert slow.with_choice(parse("cnn14")).scenes(audio).shape == (1, 16)
    assert load("cnn14_3_6", weight_files).scenes(audio).shape == (1, 96)
    monkeypatch.setattr(multiplies_bf16, lambda: True)
    assert model.scenes(audio).shape == (1, 96)


def test_exact_float32_whatever_the_process_allows(
    weight_files: dict[str, Path], noise: Callable[..., Tensor]
) -> None:
    model, audio = load("cnn14", weight_files), noise(2, 20000)
    exact = model.scenes(audio)
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", torch.bfloat16):
            loose = model.scenes(audio)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")
    torch.testing.assert_close(loose, exact, rtol=0, atol=0)


def test_weights_digest_tells_weights_and_not_files_or_layers(
    weight_files: dict[str, Path], tmp_path: Path
) -> None:
    tensors = torch.load(weight_files["cnn14"], weights_only=True)
    copy = tmp_path / "copy.bin"
    torch.save({"model": tensors, "iteration": 3}, copy, _use_new_zipfile_serialization=False)
    digest = load("cnn14_3_6", weight_files).weights_sha256
    assert hear_fusion.load("cnn14_1", str(copy)).weights_sha256 == digest
    other_rate = load("cnn14_3_6", weight_files, sample_rate=32000)
    assert other_rate.weights_sha256 != digest, "the same tensors at another rate"
    tensors["fc1.bias"][0] += 1
    torch.save(tensors, copy)
    assert hear_fusion.load("cnn14_1", str(copy)).weights_sha256 != digest


def test_weights_of_another_network_are_refused_by_name(weight_files: dict[str, Path]) -> None:
    with pytest.raises(
        WeightsError, match=r"must hold the weights of YAMNet.*it holds PANNs CNN14"
    ):
        hear_fusion.load("yamnet_5", str(weight_files["cnn14"]))


def test_absent_default_weights_say_where_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", os.fspath(tmp_path))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match=r"Cnn14_16k.*e2ee543a.*zenodo"):
        hear_fusion.load("cnn14_3_6")


def files_of(sounds: list[Tensor], rate: int, folder: Path) -> list[Path]:
    paths = [folder / f"{i}.wav" for i in range(len(sounds))]
    for path, audio in zip(paths, sounds, strict=True):
        soundfile.write(path, audio.numpy(), rate, "FLOAT")
    return paths


@pytest.mark.parametrize("name", [*PUBLISHED, "yamnet_5_13_40ms", "yamnet"])
def test_sounds_of_any_kind_become_what_a_batch_becomes(
    name: str, weight_files: dict[str, Path], noise: Callable[..., Tensor], tmp_path: Path
) -> None:
    model = load(name, weight_files)
    sounds = [noise(1, n, seed=n)[0] for n in (20000, 9000, 20000, 33000)]
    paths = files_of(sounds, model.sample_rate, tmp_path)
    expected = torch.cat([model.scenes(audio[None]) for audio in sounds])
    for given in (sounds, [audio.numpy() for audio in sounds], paths):
        together = torch.as_tensor(model.embed(given))
        torch.testing.assert_close(together, expected, rtol=1e-5, atol=1e-5)
        parts = [torch.as_tensor(part) for part in model.layers(given).values()]
        assert torch.equal(torch.cat(parts, dim=1), together)
        pairs = model.frames(given)
        for audio, (z, times) in zip(sounds, pairs, strict=True):
            frames, centres = model.timestamp_embeddings(audio[None])
            torch.testing.assert_close(torch.as_tensor(z), frames[0], rtol=1e-5, atol=1e-5)
            assert np.array_equal(times, centres[0])
    assert model.embed(paths[0]).shape == (model.scene_embedding_size,)
    assert model.embed([]).shape == (0, model.scene_embedding_size)
    assert model.frames([]) == []
    assert {part.ndim for part in model.layers(str(paths[0])).values()} == {1}


def test_other_rates_and_channels_are_brought_to_the_networks(
    weight_files: dict[str, Path], tmp_path: Path
) -> None:
    model = load("yamnet_5_13", weight_files)
    time = np.arange(44100) / 44100
    chirp = 0.3 * np.sin(2 * np.pi * (200 + 2000 * time) * time)
    own = torch.as_tensor(resample(chirp, 44100, model.sample_rate)).float()
    expected = model.scenes(own[None])[0].numpy()
    stereo = np.stack([1.5 * chirp, 0.5 * chirp], axis=1)
    soundfile.write(tmp_path / "stereo.wav", stereo, 44100, "DOUBLE")
    for got in (
        model.embed(chirp, sample_rate=44100),
        model.embed((chirp, 44100)),
        model.embed([(stereo, 44100)])[0],
        model.embed(tmp_path / "stereo.wav"),
        model.embed((torch.from_numpy(chirp), 44100)).numpy(),
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_a_batch_of_tensors_is_checked_as_hear_demands(weight_files: dict[str, Path]) -> None:
    model = load("yamnet_5_13", weight_files)
    audio = torch.zeros(2, 5000)
    assert torch.equal(model.embed(audio), model.scenes(audio))
    with pytest.raises(ValueError, match="got meta; move it"):
        model.embed(audio.to("meta"))
    with pytest.raises(ValueError, match=r"gone\.wav: cannot be opened"):
        model.embed(["gone.wav"])
