"""Weight files: damaged, booby-trapped, wrapped by any program; read whole, or refused."""

from __future__ import annotations

import argparse
import datetime
import io
import os
import pickle
import types
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from safetensors.torch import save
from torch import Tensor

from hear_fusion import load as load_model
from hear_fusion.checkpoints import read_state_dicts, tensors_sha256
from tests.checkpoints.containers.tensorflow_files import write_checkpoint
from tests.checkpoints.containers.test_onnx_file import WEIGHTS, forge
from tests.fuzz.harness import Fuzz, Outcome, outcome_of
from tests.fuzz.mutations import Draw, damaged, mutated

STATE = {
    "conv.weight": torch.linspace(-1, 1, 36).view(4, 1, 3, 3),
    "conv.bias": torch.linspace(-1, 1, 4),
    "bn.num_batches_tracked": torch.tensor(7),
}


def torch_file(content: object, *, legacy: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def hdf5() -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as content:
        for name, tensor in STATE.items():
            content.create_dataset(f"layer1/{name}/layer1/{name}:0", data=tensor.numpy())
    return file.getvalue()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A small weight file of each kind."""
    folder = tmp_path_factory.mktemp("files")
    write_checkpoint({"a/b": np.ones((2, 3), np.float32)}, folder / "v1", 1)
    write_checkpoint({"a/b": np.ones((2, 3), np.float32)}, folder / "v2", 2)
    module = torch.jit.script(torch.nn.Linear(2, 2))
    beside = {"epoch": 3, "args": argparse.Namespace(lr=0.1), "rates": np.ones(3)}
    state = torch_file({"model": STATE, **beside})
    return {
        "torch": torch_file(STATE),
        "torch with more": state,
        "torch legacy": torch_file({"state_dict": STATE, **beside}, legacy=True),
        "whole module": torch_file(torch.nn.Linear(2, 2)),
        "TorchScript": module.save_to_buffer(),
        "safetensors": save(STATE),
        "HDF5": hdf5(),
        "ONNX": forge(WEIGHTS).SerializeToString(),
        "zip": packed({"a/model.pth": state, "a/README.md": b"weights"}),
        "zip in zip": packed({"a.whl": packed({"model.safetensors": save(STATE)})}),
        "TensorFlow 1": (folder / "v1").read_bytes(),
        "TensorFlow 2": (folder / "v2.index").read_bytes(),
        "its data": (folder / "v2.data-00000-of-00001").read_bytes(),
    }


def check_read(path: Path) -> Outcome:
    """Read a file; whatever comes of it is tensors, and both ways of saying no name the file."""

    def read() -> None:
        found = read_state_dicts(path)
        assert found
        for tensors in found.values():
            assert all(isinstance(tensor, Tensor) for tensor in tensors.values())
            assert all(tensor.numel() < 1 << 24 for tensor in tensors.values())

    return outcome_of(read, names=path.name)


def test_damaged_files_are_read_or_refused(
    fuzz: Fuzz, files: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "weights.index"
    (tmp_path / "weights.data-00000-of-00001").write_bytes(files["its data"])

    def read(case: tuple[str, bytes]) -> Outcome:
        path.write_bytes(case[1])
        return check_read(path)

    fuzz.run(damaged(files), read, n=2500, few=60)


class Trap:
    """Unpickles by a call."""

    def __init__(self, call: tuple[Any, ...]) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def traps(canary: Path) -> st.SearchStrategy[Any]:
    """Objects that make a file when unpickled, by any of the usual ways."""
    touch, code = f"touch {canary}", f"open({str(canary)!r}, 'w')"
    calls = (
        (os.system, (touch,)), (eval, (code,)), (exec, (code,)), (open, (str(canary), "w")),
        (os.mkdir, (str(canary),)), (os.popen, (touch,)), (Path.touch, (canary,)),
        (getattr, (Path(canary), "touch")), (map, (exec, [code])), (torch.save, (0, str(canary))),
        (np.save, (str(canary), [0])),
        (types.SimpleNamespace, (), Trap((exec, (code,)))),
        (Trap, (Trap((eval, (code,))),)), (pickle.loads, (pickle.dumps(Trap((eval, (code,)))),)),
        (defaultdict, (Trap((eval, (code,))),)), (torch.load, (str(canary),)),
    )  # fmt: skip
    return st.sampled_from([Trap(call) for call in calls])


def values() -> st.SearchStrategy[Any]:
    """What programs save beside weights."""
    plain = (
        None, True, 3, 10**30, 1.5, float("nan"), "text", b"bytes", 1j, slice(1), range(3),
        datetime.datetime(2026, 1, 1), datetime.timedelta(1), Path("a/b"),
        argparse.Namespace(a=1, b=[Path("c")]), types.SimpleNamespace(a=1), np.ones(3),
        np.float64(2), np.bool_(True), np.arange(4).astype("datetime64[s]"), np.array(["a"]),
        np.random.default_rng(0).bit_generator.state, frozenset({1}), defaultdict(list, a=[1]),
        OrderedDict(a=1), torch.Size([1, 2]), torch.float32, torch.device("cpu"),
    )  # fmt: skip
    return st.recursive(
        st.sampled_from(plain),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=4,
    )


@st.composite
def trapped(draw: Draw, canary: Path) -> bytes:
    """A file of weights with other things beside, some of them traps, perhaps damaged."""
    content: dict[str, Any] = {"model": dict(STATE)}
    names = st.sampled_from(("epoch", "optimizer", "args", "a", "state_dict", "conv.weight"))
    for _ in range(draw(st.integers(0, 3))):
        holder = draw(st.sampled_from((content, content["model"])))
        holder[draw(names)] = draw(values() | traps(canary))
    content = draw(st.sampled_from((content, content["model"], [content], (content,))))
    kind = draw(st.integers(0, 3))
    try:
        data = pickle.dumps(content, draw(st.integers(0, 5))) if kind == 3 else b""
        data = data or torch_file(content, legacy=kind == 2)
    except (pickle.PicklingError, AttributeError, TypeError):  # not every trap has a name
        data = b""
    finally:
        canary.unlink(missing_ok=True)
    return bytes(draw(mutated(data, most=1)))


def test_nothing_in_a_file_is_obeyed(fuzz: Fuzz, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"

    def read(data: bytes) -> Outcome:
        path.write_bytes(data)
        return check_read(path)

    fuzz.run(trapped(fuzz.canary), read, n=1500, few=60)


PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.", "base.", "net.", "encoder.", "student.")
WRAPPERS = ("state_dict", "model_state_dict", "model", "ema", "weights", "params", "checkpoint")


@st.composite
def wrapped(draw: Draw) -> tuple[str, tuple[str, ...], list[str], dict[str, Any]]:
    """A network, prefixes of its names, wrappers around it, and what lies beside it."""
    name = draw(st.sampled_from(("yamnet", "cnn14", "vggish")))
    prefixes = draw(st.lists(st.sampled_from(PREFIXES), max_size=3))
    wrappers = draw(st.lists(st.sampled_from(WRAPPERS), max_size=3))
    beside = st.dictionaries(st.sampled_from(("epoch", "args", "date", "lr")), values(), max_size=3)
    return name, tuple(prefixes), wrappers, draw(beside)


def test_any_wrapping_is_undone(fuzz: Fuzz, weight_files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    plain = {name: torch.load(weight_files[name]) for name in ("yamnet", "cnn14", "vggish")}
    hashes = {
        name: tensors_sha256(load_model(name, weights=weight_files[name]).backbone.state_dict())
        for name in plain
    }

    def load(case: tuple[str, tuple[str, ...], list[str], dict[str, Any]]) -> None:
        name, prefixes, wrappers, beside = case
        content: dict[str, Any] = {"".join(prefixes) + key: t for key, t in plain[name].items()}
        for wrapper in wrappers:
            content = {wrapper: content, **beside}
        path.write_bytes(torch_file(content))
        loaded = load_model(name, weights=path).backbone.state_dict()
        assert tensors_sha256(loaded) == hashes[name]

    fuzz.run(wrapped(), load, n=300, few=12)
    assert fuzz.counts["refused"] == 0


def test_no_network_takes_a_damaged_file_for_its_own(
    fuzz: Fuzz, weight_files: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "weights.pth"
    seeds = {name: file.read_bytes() for name, file in weight_files.items() if name != "ast"}

    def load(case: tuple[str, bytes]) -> Outcome:
        name, data = case
        path.write_bytes(data)
        return outcome_of(lambda: load_model(name, weights=path), names=path.name)

    fuzz.run(damaged(seeds), load, n=400, few=10)
