"""What lies beside the weights does no harm, or is refused; nothing of it is ever built."""

from __future__ import annotations

import argparse
import collections
import datetime
import decimal
import fractions
import os
import pathlib
import pickle
import shutil
import signal
import threading
import types
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hear_fusion.checkpoints import WeightsError, read_state_dicts
from hear_fusion.checkpoints.containers.beside import CONSTRUCTORS, Beside, only_constructors

VALUES: dict[str, Any] = {
    "int": 3, "float": 0.5, "complex": 1j, "text": "a", "bytes": b"a", "bytearray": bytearray(b"a"),
    "none": None, "bool": True, "list": [1, ["a"]], "set": {1}, "frozenset": frozenset([1]),
    "range": range(3), "slice": slice(3),
    "decimal": decimal.Decimal("0.1"), "fraction": fractions.Fraction(1, 3),
    "uuid": uuid.UUID(int=3), "torch version": torch.__version__,
    "date": datetime.date(2020, 1, 1), "datetime": datetime.datetime(2020, 1, 1, 12),
    "datetime in a zone": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    "time": datetime.time(12), "timedelta": datetime.timedelta(1),
    "path": Path("a/b"), "pure path": pathlib.PurePosixPath("a"),
    "Windows path": pathlib.PureWindowsPath("c:/a"),
    "namespace": argparse.Namespace(lr=0.1, out=Path("a")), "simple": types.SimpleNamespace(a=1),
    "array": np.ones(3, np.float32), "int array": np.arange(3), "texts": np.array(["a", "b"]),
    "objects": np.array([None, "a"], object), "records": np.zeros(2, [("a", "i4")]),
    "dates": np.array(["2020-01-01"], "M8[D]"), "scalar": np.float64(0.5), "bool_": np.bool_(True),
    "dtype": np.dtype("f4"), "type": np.float32, "generator": np.random.default_rng(0).bit_generator.state,
    "defaultdict": collections.defaultdict(list, a=[1]), "deque": collections.deque([1], maxlen=2),
    "counter": collections.Counter("aab"), "ordered": collections.OrderedDict(a=1),
    "torch dtype": torch.float32, "size": torch.Size([1]), "device": torch.device("cuda"),
    "random state": torch.get_rng_state(),
}  # fmt: skip
WEIGHTS = {"fc.weight": torch.ones(2, 3)}


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_values_without_effect_do_no_harm(tmp_path: Path, value: object, as_zip: bool) -> None:
    path = tmp_path / "weights.pth"
    for content in ({"net": WEIGHTS, "a": value}, {"net": {**WEIGHTS, "a": value}}):
        if isinstance(value, torch.Tensor) and "a" in content["net"]:  # type: ignore[operator]
            continue
        torch.save(content, path, _use_new_zipfile_serialization=as_zip)
        state = read_state_dicts(path)["net"]
        assert list(state) == ["fc.weight"]
        assert torch.equal(state["fc.weight"], WEIGHTS["fc.weight"])


class Stranger:
    """A class of somebody's program."""


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Stranger(), r"tests\.checkpoints\.containers\.test_beside\.Stranger"),
        (Stranger, r"Stranger"),
        (print, "'print'"),
        (eval, "'eval'"),
        (os.system, r"posix\.system"),
        (shutil.rmtree, r"shutil\.rmtree"),
        (collections.ChainMap(), r"collections\.ChainMap"),
        (np.random.default_rng(0), r"numpy\.random"),
    ],
)
def test_everything_else_is_named_and_refused(
    tmp_path: Path, value: object, name: str, as_zip: bool
) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"net": WEIGHTS, "a": value}, path, _use_new_zipfile_serialization=as_zip)
    with pytest.raises(WeightsError, match=rf"got .*{name}.* inside .*save model.state_dict") as it:
        read_state_dicts(path)
    shown = f"{it.value} {it.value.__cause__} {it.value.__suppress_context__}"
    assert "weights_only" not in shown  # torch's advice begins so
    assert it.value.__suppress_context__


def test_weights_inside_a_container_are_found(tmp_path: Path) -> None:
    content = collections.defaultdict(dict, net=WEIGHTS)
    torch.save(content, tmp_path / "weights.pth")
    assert list(read_state_dicts(tmp_path / "weights.pth")) == ["net"]


def test_nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every constructor of the table is a stand-in."""
    for name, stand_in in CONSTRUCTORS.items():
        module, _, attribute = name.rpartition(".")
        assert stand_in.__module__.endswith("containers.beside"), name
        assert attribute
        assert module not in ("os", "posix", "nt", "sys", "subprocess")
    made = Beside(1, 2, a=3)
    made.__setstate__({"a": 1})
    assert not vars(made)


class Touch:
    """Creates a file when unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


def test_what_the_program_has_allowed_torch_is_not_run_and_is_kept(tmp_path: Path) -> None:
    path, touched = tmp_path / "weights.pth", tmp_path / "touched"
    torch.save({"net": WEIGHTS, "a": Touch(touched)}, path)
    allowed: list[Any] = [
        (Path.touch, "pathlib.Path.touch"),
        (Path.touch, "builtins.getattr"),
        np.ndarray,
    ]
    with torch.serialization.safe_globals(allowed):
        before = set(torch.serialization.get_safe_globals())
        with pytest.raises(WeightsError, match="could run code"):
            read_state_dicts(path)
        assert set(torch.serialization.get_safe_globals()) == before
    assert not touched.exists()


def test_threads_wait_for_each_other(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"net": WEIGHTS, "a": np.ones(3)}, path)
    before = set(torch.serialization.get_safe_globals())
    failed: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(50):
                read_state_dicts(path)
        except BaseException as err:
            failed.append(err)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert set(torch.serialization.get_safe_globals()) == before


def test_a_child_of_a_reading_process_can_read(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"net": WEIGHTS}, path)
    with only_constructors():  # as another thread would, at the moment of the fork
        child = os.fork()
        if not child:
            signal.alarm(20)
            try:
                places = list(read_state_dicts(path))
                os._exit(0 if places == ["net"] else 1)
            finally:
                os._exit(2)
    assert os.waitpid(child, 0)[1] == 0


def test_the_payload_itself_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Touch(tmp_path / "touched")))
    assert (tmp_path / "touched").exists()
