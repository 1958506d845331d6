"""Torch files forged to the letter of the published ones, and forged to do harm."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hear_fusion.checkpoints import WeightsError, read_tensors
from tests.fuzz.harness import memory_limit

Weights = dict[str, Tensor]


@pytest.fixture
def weights() -> Weights:
    generator = torch.Generator().manual_seed(1)
    return {
        "bn0.weight": torch.rand(4, generator=generator),
        "bn0.num_batches_tracked": torch.tensor(7),
        "conv_block1.conv1.weight": torch.rand(2, 1, 3, 3, generator=generator),
    }


def assert_same(actual: Weights, expected: Weights) -> None:
    assert actual.keys() == expected.keys()
    for key, value in expected.items():
        torch.testing.assert_close(actual[key], value, rtol=0, atol=0)
        assert actual[key].device.type == "cpu"


def balanced_sampler() -> dict[str, Any]:
    """What PANNs' balanced sampler leaves in its 16 kHz checkpoint."""
    return {
        "indexes_per_class": [np.where(np.arange(9) % 3 == k)[0] for k in range(3)],
        "queue": [2, 0, 1],
        "pointers_of_classes": [0, 1, 2],
    }


def save_as_numpy_1(content: object, path: Path, *, as_zip: bool) -> None:
    """Save with NumPy 1's module path in the pickle, as the published file has it."""
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=as_zip)
    ours, theirs = b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"
    if not as_zip:
        assert ours in stream.getvalue()
        path.write_bytes(stream.getvalue().replace(ours, theirs))
        return
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("/data.pkl"):
                assert ours in data
                data = data.replace(ours, theirs)
            new.writestr(name, data)


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
def test_panns_file_with_a_numpy_1_sampler(tmp_path: Path, weights: Weights, as_zip: bool) -> None:
    content = {"iteration": 600000, "model": weights, "sampler": balanced_sampler()}
    path = tmp_path / "Cnn14_16k.pth"
    save_as_numpy_1(content, path, as_zip=as_zip)
    assert_same(read_tensors(path), weights)


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
def test_file_saved_under_numpy_2(tmp_path: Path, weights: Weights, as_zip: bool) -> None:
    path = tmp_path / "new.pth"
    torch.save(
        {"model": weights, "sampler": balanced_sampler()},
        path,
        _use_new_zipfile_serialization=as_zip,
    )
    assert_same(read_tensors(path), weights)


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
def test_storages_tagged_with_a_gpu_come_to_the_cpu(
    tmp_path: Path, weights: Weights, as_zip: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "from_gpu.pth"
    with monkeypatch.context() as patch:
        patch.setattr(torch.serialization, "location_tag", lambda _: "cuda:0")
        torch.save({"model": weights}, path, _use_new_zipfile_serialization=as_zip)
    if as_zip:
        with zipfile.ZipFile(path) as archive:
            pickled = b"".join(
                archive.read(n) for n in archive.namelist() if n.endswith("/data.pkl")
            )
    else:
        pickled = path.read_bytes()
    assert b"cuda:0" in pickled
    assert_same(read_tensors(path), weights)


@pytest.mark.parametrize("wrapper", [None, "model", "state_dict"])
@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
def test_wrappers_and_module_prefix(
    tmp_path: Path, weights: Weights, wrapper: str | None, as_zip: bool
) -> None:
    prefixed: Any = {f"module.{key}": value for key, value in weights.items()}
    content = {wrapper: prefixed, "epoch": 3} if wrapper else prefixed
    path = tmp_path / "weights"
    torch.save(content, path, _use_new_zipfile_serialization=as_zip)
    assert_same(read_tensors(path), weights)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol 4")
def test_pickle_protocol_that_torch_cannot_restrict(tmp_path: Path, weights: Weights) -> None:
    path = tmp_path / "weights"
    torch.save(weights, path, pickle_protocol=4, _use_new_zipfile_serialization=False)
    with pytest.raises(WeightsError, match=r"'Unsupported operand.*with pickle protocol 2"):
        read_tensors(path)


def test_module_prefix_stays_unless_every_key_has_it(tmp_path: Path) -> None:
    path = tmp_path / "mixed.pth"
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, path)
    assert set(read_tensors(path)) == {"module.a", "b"}


class Harm:
    """Creates a file when unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


@pytest.mark.parametrize("container", ["zip", "legacy", "pickle"])
def test_harmful_pickle_is_refused_and_not_run(tmp_path: Path, container: str) -> None:
    harmed = tmp_path / "harmed"
    path = tmp_path / "harm.pth"
    content = {"model": {"w": torch.ones(1)}, "extra": Harm(harmed)}
    if container == "pickle":
        path.write_bytes(pickle.dumps({"extra": Harm(harmed)}))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=container == "zip")
    with pytest.raises(WeightsError, match=r"harm\.pth.*could run code"):
        read_tensors(path)
    assert not harmed.exists()
    if container == "pickle":  # the payload itself works
        pickle.loads(path.read_bytes())
        assert harmed.exists()


def test_whole_module_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "module.pth"
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(WeightsError, match=r"Linear.*save model\.state_dict\(\)"):
        read_tensors(path)


@pytest.mark.parametrize(
    ("content", "got"),
    [
        ({}, "an empty dict"),
        ([torch.ones(1)], "a list"),
        ({"model": {"a": 1}}, "a int under 'a'"),
        ({"epoch": 3}, "a int under 'epoch'"),
        ({1: torch.ones(1)}, "under 1"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content: object, got: str) -> None:
    path = tmp_path / "no.pth"
    torch.save(content, path)
    with pytest.raises(WeightsError, match=f"must hold a state dict.*{got}"):
        read_tensors(path)


def test_a_length_beyond_all_memory_is_damage(tmp_path: Path, weights: Weights) -> None:
    path = tmp_path / "long.pth"
    torch.save(weights, path, _use_new_zipfile_serialization=False)
    name = b"bn0.weight"
    length_of = b"X" + len(name).to_bytes(4, "little")
    assert length_of + name in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(length_of + name, b"X\xff\xff\xff\xff" + name))
    with memory_limit(1 << 30), pytest.raises(WeightsError, match=r"damaged one: .*long\.pth"):
        read_tensors(path)


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
def test_every_truncation_is_refused(tmp_path: Path, weights: Weights, as_zip: bool) -> None:
    whole = tmp_path / "whole.pth"
    content = {"model": weights, "sampler": balanced_sampler()}
    save_as_numpy_1(content, whole, as_zip=as_zip)
    data = whole.read_bytes()
    path = tmp_path / "cut.pth"
    for length in range(1, len(data) - 1, 1 if not as_zip else 23):
        path.write_bytes(data[:length])
        with pytest.raises(WeightsError, match=r"cut\.pth"):
            read_tensors(path)
