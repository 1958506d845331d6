"""TensorFlow checkpoints of both versions, recognised by how they end."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import hear_fusion
from hear_fusion.checkpoints import WeightsError, read_tensors
from tests.checkpoints.containers.tensorflow_files import write_checkpoint
from tests.networks import yamnet_tensors

VARIABLES = {
    "net/conv1/weights": np.arange(18, dtype=np.float32).reshape(3, 3, 1, 2),
    "net/fc/biases": np.arange(5, dtype=np.float32),
    "global_step": np.array(7),
}


def assert_read(path: Path) -> None:
    tensors = read_tensors(path)
    assert tensors.keys() == VARIABLES.keys()
    for name, value in VARIABLES.items():
        torch.testing.assert_close(tensors[name], torch.from_numpy(value), rtol=0, atol=0)


def test_version_1_under_any_name(tmp_path: Path) -> None:
    write_checkpoint(VARIABLES, tmp_path / "weights.pth", version=1)
    assert_read(tmp_path / "weights.pth")


def test_version_2_by_its_index(tmp_path: Path) -> None:
    write_checkpoint(VARIABLES, tmp_path / "model", version=2)
    assert_read(tmp_path / "model.index")
    (tmp_path / "model.data-00000-of-00001").unlink()
    with pytest.raises(WeightsError, match=r"whole TensorFlow file.*model\.index.*data-00000"):
        read_tensors(tmp_path / "model.index")


def test_truncated_and_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    write_checkpoint(VARIABLES, tmp_path / "whole", version=1)
    data = (tmp_path / "whole").read_bytes()
    cut = tmp_path / "cut"
    for content in (data[:-1], data[: len(data) // 2], data[:8]):
        cut.write_bytes(content)
        with pytest.raises(WeightsError, match="cut"):
            read_tensors(cut)
    for content in (data[-100:], data[-8:], bytes(100) + data[-48:], data[:50] + data[70:]):
        cut.write_bytes(content)
        with pytest.raises(WeightsError, match="whole TensorFlow file, got a truncated or damaged"):
            read_tensors(cut)


def test_without_tensorflow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoint(VARIABLES, tmp_path / "w.ckpt", version=1)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(WeightsError, match="pip install tensorflow"):
        read_tensors(tmp_path / "w.ckpt")


def save_objects(variables: dict[str, np.ndarray[Any, Any]], folder: Path) -> None:
    """Save as programs of TensorFlow 2 do: by objects, and as a SavedModel."""
    import tensorflow as tf

    module = tf.Module()
    module.layers = [tf.Variable(value, name=name) for name, value in variables.items()]
    module.note = tf.Variable("a text")
    tf.train.Checkpoint(net=module).save(folder / "ckpt")
    tf.saved_model.save(module, str(folder / "saved"))


def test_object_checkpoints_are_read_by_the_names_of_their_variables(
    tmp_path: Path, weight_files: dict[str, Path]
) -> None:
    expected = hear_fusion.load("yamnet", weight_files["yamnet"]).weights_sha256
    arrays = {name: tensor.numpy() for name, tensor in yamnet_tensors().items()}
    save_objects(arrays, tmp_path)
    save_objects({f"yamnet/{name}": array for name, array in arrays.items()}, tmp_path / "scoped")
    for path in ("ckpt-1.index", "saved/variables/variables.index", "scoped/ckpt-1.index"):
        assert hear_fusion.load("yamnet", tmp_path / path).weights_sha256 == expected


def test_torch_goes_on_in_a_process_that_has_read_one(tmp_path: Path) -> None:
    write_checkpoint(VARIABLES, tmp_path / "w.ckpt", version=1)
    script = (
        "import sys; from hear_fusion.checkpoints import read_tensors; read_tensors(sys.argv[1]); "
        "import torch; torch.optim.Adam([torch.nn.Parameter(torch.ones(1))])"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path / "w.ckpt")], check=False)
    assert run.returncode == 0


def test_variables_of_one_name_go_by_their_place(tmp_path: Path) -> None:
    import tensorflow as tf

    same = {"a": tf.Variable([1.0], name="w"), "b": tf.Variable([2.0], name="w")}
    tf.train.Checkpoint(**same).write(str(tmp_path / "ckpt"))
    assert {
        name: float(value) for name, value in read_tensors(tmp_path / "ckpt.index").items()
    } == {
        "w": 1.0,
        "b/.ATTRIBUTES/VARIABLE_VALUE": 2.0,
    }


def test_what_an_optimiser_keeps_is_left_out(tmp_path: Path) -> None:
    import tensorflow as tf

    variable = tf.Variable([1.0], name="w")
    optimizer = tf.compat.v1.train.AdamOptimizer()
    optimizer.apply_gradients([(tf.constant([1.0]), variable)])
    tf.train.Checkpoint(v=variable, optimizer=optimizer).write(str(tmp_path / "ckpt"))
    names = read_tensors(tmp_path / "ckpt.index").keys()
    assert "w" in names
    assert not [name for name in names if "SLOT" in name or "Adam" in name]


@pytest.mark.parametrize("part", ["ckpt-1", "ckpt-1.data-00000-of-00001", "ckpt-1.meta"])
def test_parts_of_a_checkpoint_are_told_the_index(tmp_path: Path, part: str) -> None:
    save_objects(VARIABLES, tmp_path)
    (tmp_path / "ckpt-1.meta").write_bytes(b"\x0a\xff")
    with pytest.raises(WeightsError, match=r"a part of a TensorFlow .*; give \S+ckpt-1\.index$"):
        read_tensors(tmp_path / part)


def test_saved_models_are_told_the_index(tmp_path: Path) -> None:
    save_objects(VARIABLES, tmp_path)
    step = tmp_path / "saved" / "variables" / "variables.index"
    with pytest.raises(WeightsError, match=rf"a TensorFlow SavedModel; give {step}$"):
        read_tensors(tmp_path / "saved")
    with pytest.raises(
        WeightsError, match=r"SavedModel without its.*give variables/variables.index"
    ):
        read_tensors(tmp_path / "saved" / "saved_model.pb")
    with pytest.raises(WeightsError, match=r"give a file in it: \S+variables\.index$"):
        read_tensors(tmp_path / "saved" / "variables")


def test_a_zipped_checkpoint_is_to_be_unpacked(tmp_path: Path) -> None:
    write_checkpoint(VARIABLES, tmp_path / "w.ckpt", version=1)
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as archive:
        archive.write(tmp_path / "w.ckpt", "w.ckpt")
    with pytest.raises(WeightsError, match=r"w\.zip!w\.ckpt; take it out of the archive"):
        read_tensors(tmp_path / "w.zip")
