"""A file of another kind is called what it is, and the next step is one that works."""

from __future__ import annotations

import io
import pickle
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import hear_fusion
from hear_fusion.checkpoints import WeightsError, read_state_dicts, read_tensors
from hear_fusion.checkpoints.containers.foreign import foreign_kind
from tests.networks import cnn14_tensors

UNSAFE = re.compile(r"weights_only|allow_pickle|safe_mode|trust", re.IGNORECASE)
CONVERTED = "give the file that it was converted from.*'hear-fusion list'"


def a_pickle(value: object) -> bytes:
    return pickle.dumps(value, protocol=4)


def an_array() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.ones(3))
    return stream.getvalue()


def packed(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return stream.getvalue()


def frozen_graph(op: bytes) -> bytes:
    node = b"\n\x01x\x12" + bytes([len(op)]) + op + b"*\r\n\x05dtype\x12\x02"
    return b"\n" + bytes([len(node)]) + node


# Content, what it is called, and the next step.
FILES: dict[str, tuple[bytes, str, str]] = {
    "TFLite": (b"\x1c\0\0\0TFL3\x14\0 \0", "a TFLite model", CONVERTED),
    "ExecuTorch": (b"\x1c\0\0\0ET12\0\0", "an ExecuTorch program", CONVERTED),
    "ort": (b"\x18\0\0\0ORTM\0\0", r"a model of ONNX Runtime \(\.ort\)", "give the .onnx"),
    "GGUF": (b"GGUF\3\0\0\0", "a GGUF model", CONVERTED),
    "GGML": (b"lmgg\1\0\0\0", "a GGUF model", CONVERTED),
    "Core ML": (b"\x08\x05\x12\x80\x02\n\x10\n\x05", "a Core ML model", CONVERTED),
    "frozen": (frozen_graph(b"Placeholder"), "a frozen TensorFlow graph", "give the checkpoint"),
    "frozen weights": (frozen_graph(b"Const"), "a frozen TensorFlow graph", "give the checkpoint"),
    "meta graph": (b"\n\xa5\x01\x12\x7f\n8\n\x05Const", "a TensorFlow graph without", "give .*index"),
    "latest": (b'model_checkpoint_path: "a"', "TensorFlow's note", "give the .index"),
    "npy": (an_array(), "a NumPy array", "save tensors by name: torch.save"),
    "tar": (b"a" * 257 + b"ustar\0", "a tar archive", "unpack it"),
    "gzip": (b"\x1f\x8b\x08\0", "a gzip archive", "unpack it"),
    "bzip2": (b"BZh91AY", "a bzip2 archive", "unpack it"),
    "xz": (b"\xfd7zXZ\0\0", "an xz archive", "unpack it"),
    "zstd": (b"\x28\xb5\x2f\xfd\0", "a Zstandard archive", "unpack it"),
    "7z": (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it"),
    "rar": (b"Rar!\x1a\x07\x01", "a RAR archive", "unpack it"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid ", "a git-LFS pointer", "git lfs pull"),
    "annex": (b"/annex/objects/SHA256E-s1--ab.pth\n", "a git-annex pointer", "git annex get"),
    "msgpack": (b"\x81\xa6params\x82", "a msgpack file", CONVERTED),
    "OpenVINO": (b'<?xml version="1.0"?>\n<net name="a">', "an OpenVINO model", CONVERTED),
    "page": (b"\n <!DOCTYPE html><html>", "an HTML or XML page", "fetch it again"),
    "denied": (b"<?xml version='1.0'?><Error><Code>AccessDenied", "an HTML or XML", "fetch it again"),
    "config": (b'{\n  "architectures": []}', "a JSON text", "give the weight file"),
    "sentence": (b"Entry not found", "a text that begins 'Entry not found'", "fetch it again"),
    "zeros": (bytes(4096), "a file of zeros", "fetch it again"),
    "empty": (b"", "an empty file", "fetch it again"),
    "pickle": (a_pickle({"a": np.ones(2)}), "a Python pickle that torch.save did not", "state dict"),
    "npz": (packed("a.npy", "b.npy"), r"NumPy's \.npz", r"torch\.save\(\{.*numpy\.load"),
    "zipped SavedModel": (packed("m/saved_model.pb", "m/variables/variables.index"), "a packed Te", "unpack"),
    "zipped Core ML": (packed("a.mlpackage/Manifest.json"), "a Core ML package", CONVERTED),
    # As torch.export.save packs it, which TensorFlow's presence in a process kills.
    "pt2": (packed("a/archive_format", "a/models/model.json"), "an exported torch program", "state_dict"),
    "torch.package": (packed("a/.data/extern_modules", "a/data.pkl"), "a torch package", "state_dict"),
    "noise": (b"\xf0\x9f\0\1", "an unknown kind that starts with", "give a torch, safetensors"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "what", "step"), FILES.values(), ids=FILES)
def test_files_of_other_kinds(tmp_path: Path, content: bytes, what: str, step: str) -> None:
    path = tmp_path / "weights.pth"  # the name tells nothing
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"got {what}.*weights\.pth; .*{step}") as caught:
        read_state_dicts(path)
    assert not UNSAFE.search(str(caught.value))
    assert "damaged" not in str(caught.value)


def torch_script(path: Path) -> None:
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)


def whole_module(path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), path)


def whole_legacy_module(path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), path, _use_new_zipfile_serialization=False)


def small_keras() -> Any:
    import keras  # with TensorFlow, seconds that no collection of tests shall take

    layers = [keras.layers.Input((4,)), keras.layers.Dense(2, name="layer1")]
    return keras.Sequential(layers)


def keras_3(path: Path) -> None:
    small_keras().save(path.with_suffix(".keras"))
    path.with_suffix(".keras").rename(path)


def keras_3_weights(path: Path) -> None:
    small_keras().save_weights(path.with_suffix(".weights.h5"))
    path.with_suffix(".weights.h5").rename(path)


def tflite(path: Path) -> None:
    import tensorflow as tf

    small_keras().export(path.with_name("model"), verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(path.with_name("model")))
    path.write_bytes(converter.convert())


@pytest.mark.filterwarnings("ignore")  # of torch and TensorFlow, on how they are going to change
@pytest.mark.parametrize(
    ("write", "what", "step"),
    [
        (torch_script, "a TorchScript program", r"model\.state_dict\(\) of the model it was"),
        (whole_module, r"a whole module, of 'torch\.nn\..*Linear'", r"save model\.state_dict\(\)"),
        (whole_legacy_module, r"a whole module, of 'torch\.nn\..*Linear'", "save model.state"),
        (keras_3, "Keras 3's numbered ones", r"model\.save\('FILE\.h5'\)"),
        (keras_3_weights, "Keras 3's numbered ones", r"model\.save\('FILE\.h5'\)"),
        (tflite, "a TFLite model", CONVERTED),
    ],
)
def test_files_that_their_own_programs_wrote(
    tmp_path: Path, write: Callable[[Path], None], what: str, step: str
) -> None:
    write(tmp_path / "weights.pth")
    with pytest.raises(WeightsError, match=rf"got {what}.*weights\.pth.*; .*{step}") as caught:
        read_state_dicts(tmp_path / "weights.pth")
    assert not UNSAFE.search(f"{caught.value}")
    assert caught.value.__suppress_context__ or not UNSAFE.search(f"{caught.value.__cause__}")


def test_the_step_for_keras_3_works(tmp_path: Path) -> None:
    small_keras().save(tmp_path / "FILE.h5")
    assert "layer1/kernel" in {
        "/".join(name.split("/")[-2:]) for name in read_tensors(tmp_path / "FILE.h5")
    }


def test_the_step_for_npz_works(tmp_path: Path) -> None:
    np.savez(tmp_path / "FILE.npz", weight=np.ones(3))
    with pytest.raises(WeightsError) as caught:
        read_state_dicts(tmp_path / "FILE.npz")
    step = str(caught.value).rpartition("save tensors instead: ")[2]
    step = step.replace("FILE", str(tmp_path / "FILE"))
    eval(step, {"torch": torch, "numpy": np})
    assert torch.equal(read_tensors(tmp_path / "FILE.pth")["weight"], torch.ones(3).double())


def test_an_unpacked_torch_file_can_be_packed_again(
    tmp_path: Path, weight_files: dict[str, Path]
) -> None:
    torch.save(cnn14_tensors(), tmp_path / "weights.pth")
    with zipfile.ZipFile(tmp_path / "weights.pth") as archive:
        archive.extractall(tmp_path)
    with pytest.raises(WeightsError, match=r"folder .*weights, an unpacked torch file") as caught:
        read_state_dicts(tmp_path / "weights")
    command = str(caught.value).partition("pack it again: ")[2].strip("'")
    subprocess.run(command.replace("zip ", "zip -q "), shell=True, check=True)
    again = hear_fusion.load("cnn14", tmp_path / "FILE.pth")
    assert again.weights_sha256 == hear_fusion.load("cnn14", weight_files["cnn14"]).weights_sha256


def test_a_folder_is_told_which_of_its_files_to_give(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "model.bin")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "more").mkdir()
    with pytest.raises(WeightsError, match=r"got the folder .*; give a file in it: \S+model\.bin$"):
        read_state_dicts(tmp_path)


def test_weight_files_are_none_of_these() -> None:
    stream = io.BytesIO()
    torch.save({"a": torch.ones(1)}, stream, _use_new_zipfile_serialization=False)
    for head in (
        stream.getvalue()[:512],
        packed("a/data.pkl"),
        b"\x89HDF\r\n\x1a\n" + bytes(64),
        b"\x08\x0b\x12\x07pytorch\x1a\x05",  # ONNX: ir_version, then the producer's name
        b"\x40\0\0\0\0\0\0\0{" + b'"a":' * 16,
    ):
        assert foreign_kind(head) is None
