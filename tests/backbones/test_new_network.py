"""A network is one file and one line: a toy goes all the way, in each kind of timeline.

What a new network has to provide is `Toy`, in a file of its own, and:

- a line in ``hear_fusion/backbones/registry.py``;
- a line in ``tests/networks.py``, with random tensors under its file's names: by it the tests of
  the HEAR contract, of chunks, batches and hops, of the front end and of long sounds find it;
- the table of the README made anew by ``python -m docs.make.modules``;
- a test of its own, which holds its layers against the original network's.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Self

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn
from torch.nn import functional as F

import hear_fusion
from hear_fusion.backbones import ORIGINAL, REGISTRY, Backbone, Layer, LayerOutput
from hear_fusion.backbones.reading import StateReader
from hear_fusion.checkpoints import WeightsError, WeightsRecord
from hear_fusion.cli import main
from hear_fusion.frontends import FrontEnd
from hear_fusion.hear import describe
from hear_fusion.names import Choice
from hear_fusion.timeline import Patches, Stream, Timeline, Windows

FRONT_END = FrontEnd(
    sample_rate=16000, n_fft=512, window=400, hop=160, centred=False,
    n_mels=8, f_min=50.0, f_max=8000.0, mel_scale="htk", power=1, log="ln", floor=0.01,
)  # fmt: skip
COMMON = (16000, 160, 400, False, 4, (40, 20, 10))  # the front end's; a frame is 4 mel frames
TIMELINES = {
    "stream": Stream(*COMMON, halo=0),
    "patches": Patches(*COMMON, patch=16, scene_hop=8),
    "windows": Windows(*COMMON, column=4, longest=40, window=24),
}


class Toy(Backbone):
    """The log-mel times a weight a channel, then its average over four mel frames."""

    name = "toy"
    title = "Toy"
    licence = "MIT"
    published_layers = (1, 2)
    layer_table = (
        Layer(1, "scale", channels=3, freq=8, stride=1),
        Layer(2, "pool", channels=3, freq=1, stride=4),
    )
    original = Layer(ORIGINAL, "pool", channels=3, freq=1, stride=4)
    front_end = FRONT_END
    timeline: Timeline = TIMELINES["stream"]
    records = (WeightsRecord("toy.pth", "http://127.0.0.1:9/toy.pth", "MIT", "a test"),)

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(scale, requires_grad=False)
        widths = dict.fromkeys(self.layer_numbers(), scale.shape[0])
        self._set_widths(widths, original=scale.shape[0])

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        state = StateReader(tensors)
        scale = state.take("scale", -1)
        state.finish()
        return cls(scale)

    def forward_layers(self, log_mel: Tensor, layers: Collection[int]) -> dict[int, LayerOutput]:
        scaled = log_mel * self.scale[:, None, None]
        pooled = F.avg_pool2d(scaled, (4, 8))
        outputs = {1: scaled, 2: pooled, ORIGINAL: pooled}
        return {number: LayerOutput(outputs[number]) for number in layers}


@pytest.fixture(params=TIMELINES)
def _toy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The one line in the registry; afterwards no trace of the toy's modules."""
    monkeypatch.setattr(Toy, "timeline", TIMELINES[request.param])
    monkeypatch.setitem(REGISTRY, Toy.name, Toy)
    yield
    for name in [name for name in sys.modules if name.startswith("hear_fusion.toy")]:
        del sys.modules[name]
        delattr(hear_fusion, name.rpartition(".")[2])


@pytest.fixture
def weights(tmp_path: Path, _toy: None) -> str:
    path = tmp_path / "any_name.bin"
    torch.save({"scale": torch.tensor([1.0, -2.0, 0.5, 3.0])}, path)  # wider than published
    return str(path)


@pytest.mark.usefixtures("_toy")
def test_it_is_listed() -> None:
    shown = CliRunner().invoke(main, ["list", "toy"])
    assert shown.exit_code == 0, shown.output
    assert "Toy  (MIT)" in shown.output
    assert "hear_fusion.toy_1_2  27-d, a frame every 40 ms" in shown.output
    assert "hops 40 20 10 ms" in shown.output


@pytest.mark.parametrize("hop_ms", [None, 40, 20, 10])
def test_its_choices_are_hear_modules(
    hop_ms: int | None, weights: str, noise: Callable[..., Tensor]
) -> None:
    choice = Choice("toy", (1, 2), hop_ms)
    module = importlib.import_module(choice.import_name)
    assert module.__doc__ == describe(choice)
    model = module.load_model(weights)
    assert model.sample_rate == 16000
    assert model.scene_embedding_size == model.timestamp_embedding_size == 4 * 8 + 4
    for n_samples in (1, 5000, 40000):
        audio = noise(2, n_samples)
        scenes = module.get_scene_embeddings(audio, model)
        frames, times = module.get_timestamp_embeddings(audio, model)
        assert scenes.shape == (2, 36)
        assert frames.shape == (*times.shape, 36)
        if n_samples > 1:
            assert times.diff(dim=1).unique().tolist() == [hop_ms or 40]
        assert torch.equal(torch.cat(list(model.layers(audio).values()), dim=1), scenes)
        alone = model.scenes(audio[:1])
        torch.testing.assert_close(scenes[:1], alone, rtol=1e-5, atol=1e-5)


def test_its_numbers_are_the_equations(weights: str, noise: Callable[..., Tensor]) -> None:
    """On whole frames of 40 ms every kind of timeline agrees with the log-mel by hand."""
    audio = noise(1, 15 * 160 + 400)  # 16 mel frames: one patch, one window
    model = hear_fusion.load("toy_2", weights)
    log_mel = model.backbone.log_mel(audio, 0, 16)
    z = log_mel.unflatten(2, (4, 4)).mean(dim=(3, 4))[:, 0, :, None] * model.backbone.scale
    torch.testing.assert_close(model.frames(audio)[0][:, :4], z, rtol=1e-5, atol=1e-5)
    summary = z.mean(dim=1) + z.amax(dim=1)
    torch.testing.assert_close(model.scenes(audio), summary, rtol=1e-5, atol=1e-5)


def test_chunks_do_not_show(weights: str, noise: Callable[..., Tensor]) -> None:
    audio = noise(2, 50000)
    whole, pieces = (
        hear_fusion.load("toy_1_2_20ms", weights, chunk_seconds=seconds) for seconds in (100.0, 0.1)
    )
    torch.testing.assert_close(pieces.scenes(audio), whole.scenes(audio), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(
        pieces.frames(audio)[0], whole.frames(audio)[0], rtol=1e-5, atol=1e-5
    )


def test_its_weights_are_told_from_others(
    weights: str, weight_files: dict[str, Path], cache: Path
) -> None:
    with pytest.raises(WeightsError, match=r"weights of PANNs CNN14, but .*; it holds Toy$"):
        hear_fusion.load("cnn14", weights)
    with pytest.raises(WeightsError, match=r"weights of Toy, but .*; it holds YAMNet$"):
        hear_fusion.load("toy", str(weight_files["yamnet"]))
    shown = CliRunner().invoke(main, ["weights", "verify", "toy", weights])
    assert shown.stdout.startswith(f"absent\ttoy\t-\t-\t{cache / 'toy.pth'}\nfits\ttoy\t")
    for name in ("toy_3", "toy_1_30ms", "toy_2_1"):
        with pytest.raises(ModuleNotFoundError, match=r"must .*got"):
            importlib.import_module(f"hear_fusion.{name}")
