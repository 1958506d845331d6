"""Configurations that other programs wrote: read, or refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from hear_fusion.cli import main
from hear_fusion.errors import HearFusionError
from hear_fusion.study.config import StudyConfig

GOOD = "backbone: cnn14\nlayers: [3, 6]\ngroups:\n  late: [a]\n  middle: [b]\n"
READ: dict[str, bytes] = {
    "as it is": GOOD.encode(),
    "UTF-8 with mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-16 BE": b"\xfe\xff" + GOOD.encode("utf-16-be"),
    "CRLF": GOOD.replace("\n", "\r\n").encode(),
    "CR": GOOD.replace("\n", "\r").encode(),
    "JSON": b'{"backbone": "cnn14", "layers": [3, 6], "groups": {"late": ["a"], "middle": ["b"]}}',
}
REFUSED: dict[str, bytes] = {
    "empty": b"",
    "a blank": b" \n",
    "a mark alone": b"\xef\xbb\xbf",
    "a web page": b"<!DOCTYPE html><html>not found</html>",
    "Latin-1": "backbone: cnn14 # é".encode("latin-1"),
    "UTF-16 without mark": GOOD.encode("utf-16-le"),
    "zeros": bytes(50),
    "noise": bytes(range(256)),
    "deep lists": b"[" * 10_000 + b"]" * 10_000,
    "deep, unclosed": b"[" * 10_000,
    "deep but read": b"backbone: " + b"[" * 90 + b"]" * 90,
    "deep layers": b"backbone: cnn14\nlayers: " + b"[" * 60 + b"]" * 60,
    "deep rates": b"backbone: cnn14\nlearning_rates: " + b"[" * 60 + b"]" * 60,
    "itself": b"backbone: cnn14\nlayers: &a [*a, *a]",
    "itself as rates": b"backbone: cnn14\nlearning_rates: &a [*a]",
    "tabs": b"backbone:\tcnn14\n\tlayers: [3, 6]",
    "cut": GOOD.encode()[:27],
    "a list": b"- backbone: cnn14",
    "a word": b"hello",
    "no date": b"backbone: 2001-13-45",
    "no number": b"backbone: !!int x",
    "no time": b"backbone: !!timestamp x",
    "an object": b"!!python/object:os.system {}",
    "two documents": b"backbone: cnn14\n---\nbackbone: cnn14\n",
    "a key of another type": b"backbone: cnn14\n1: 2\n",
    "keys of many types": b"backbone: cnn14\n1: 2\nzz: 3\nnull: 4\n",
    "a list as key": b"[1, 2]: 3",
    "backbone list": b"backbone: [cnn14]",
    "backbone object": b"backbone: {a: 1}",
    "backbone null": b"backbone:",
    "layers text": b"backbone: cnn14\nlayers: some",
    "layers object": b"backbone: cnn14\nlayers: {a: 1}",
    "layers of lists": b"backbone: cnn14\nlayers: [[3], [6]]",
    "layers huge": b"backbone: cnn14\nlayers: [3, " + b"9" * 400 + b"]",
    "groups list": b"backbone: cnn14\ngroups: [a]",
    "groups of numbers": b"backbone: cnn14\ngroups: {1: [a]}",
    "groups null": b"backbone: cnn14\ngroups:",
    "names object": b"backbone: cnn14\ngroups: {late: {a: b}}",
    "rates text": b"backbone: cnn14\nlearning_rates: fast",
    "rates object": b"backbone: cnn14\nlearning_rates: {a: 1}",
    "rates of words": b"backbone: cnn14\nlearning_rates: [a, b]",
    "rates of lists": b"backbone: cnn14\nlearning_rates: [[1], [2]]",
    "rates of nothing": b"backbone: cnn14\nlearning_rates: [null]",
    "rates infinite": b"backbone: cnn14\nlearning_rates: [.inf]",
    "rates huge": b"backbone: cnn14\nlearning_rates: [1" + b"0" * 400 + b"]",
    "seeds text": b"backbone: cnn14\nseeds: a",
    "seeds number": b"backbone: cnn14\nseeds: 5",
    "seeds dates": b"backbone: cnn14\nseeds: [2001-01-01]",
    "epochs null": b"backbone: cnn14\nmax_epochs:",
    "epochs list": b"backbone: cnn14\nmax_epochs: [1]",
    "epochs text": b"backbone: cnn14\nmax_epochs: many",
    "decay object": b"backbone: cnn14\nweight_decay: {a: 1}",
    "held out true": b"backbone: cnn14\nheld_out: true",
}


@pytest.mark.parametrize("name", READ)
def test_texts_that_mean_the_same_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "c.YAML"
    path.write_bytes(READ[name])
    config = StudyConfig.read(path)
    assert (config.backbone, config.layers) == ("cnn14", (3, 6))
    assert config.groups == {"late": ("a",), "middle": ("b",)}


@pytest.mark.parametrize("name", REFUSED)
def test_others_are_refused_and_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(REFUSED[name])
    with pytest.raises(HearFusionError, match=r"c\.yaml") as caught:
        StudyConfig.read(path)
    assert len(str(caught.value)) < 2000
    (tmp_path / "tasks").mkdir()
    shown = CliRunner().invoke(main, ["study", str(path), "--tasks-dir", str(tmp_path / "tasks")])
    assert shown.exit_code == 1
    assert isinstance(shown.exception, SystemExit)
