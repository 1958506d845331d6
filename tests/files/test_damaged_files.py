"""Our own files, damaged: made anew where that is safe, else named with what to do; no traceback."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from hear_fusion.cli import main
from tests.files.damaged import Damage, changed
from tests.files.done import GIVEN, KEPT, VERBS, do_all

BYTES: dict[str, Damage] = {
    "emptied": lambda path: path.write_bytes(b""),
    "cut to half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "cut by two bytes": lambda path: path.write_bytes(path.read_bytes()[:-2]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "not a text": lambda path: path.write_bytes(b"\xff\xfe{"),
}
JSON: dict[str, Damage] = BYTES | {
    "a list": lambda path: path.write_text("[]"),
    "nothing": lambda path: path.write_text("null"),
    "an empty object": lambda path: path.write_text("{}"),
    "deep": lambda path: path.write_text("[" * 100_000),
}
GONE: dict[str, Damage] = {"gone": Path.unlink}


def without(damages: dict[str, Damage], *names: str) -> dict[str, Damage]:
    return {name: damage for name, damage in damages.items() if name not in names}


def saved(array: Any) -> Damage:
    def change(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, array, allow_pickle=True)

    return change


def like(change: Callable[[Any], Any]) -> Damage:
    return lambda path: saved(change(np.load(path)))(path)


def archived(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))


ARRAY: dict[str, Damage] = (
    BYTES
    | GONE
    | {
        "another dtype": like(lambda array: array.astype(np.float64)),
        "a row less": like(lambda array: array[:-1]),
        "a column less": like(lambda array: array[:, :-1]),
        "transposed": like(lambda array: array.T),
        "flat": like(lambda array: array.ravel()),
        "objects": saved(np.array([{}, None], dtype=object)),
        "an archive": archived,
        "a header in two halves": lambda path: path.write_bytes(
            path.read_bytes().replace(b"{'descr': '<f4', ", b"")
        ),
    }
)


def every_entry(*values: Any) -> dict[str, Damage]:
    """Other values at eight places of a JSON file, evenly spread over its objects and lists."""
    return {f"entry {i} is {value!r}": _nth(i, value) for i in range(8) for value in values}


def _nth(i: int, value: Any) -> Damage:
    def change(path: Path) -> None:
        content = json.loads(path.read_text())
        places = list(_places(content))
        holder, key = places[i * len(places) // 8]
        holder[key] = value
        path.write_text(json.dumps(content))

    return change


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    entries = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in list(entries):
        yield content, key
        if isinstance(value, dict | list):
            yield from _places(value)


def a_clip_less(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text())[:-1]))


STORE = "store/cnn14"
EMBEDDINGS = "embeddings/hear_fusion.cnn14_3_6/scene"
SUBMITTED = "submitted/esc50-v2.0.0-full"
# What a verb does of itself: computed anew, and the result is that of a clean run.
ANEW: list[tuple[str, str, dict[str, Damage]]] = [
    ("embed", f"{STORE}/scene/store.json", JSON | GONE | every_entry(None, "7", {})),
    ("embed", f"{STORE}/scene/train/scenes/layer_03.npy", ARRAY),
    ("embed", f"{STORE}/event/valid/80ms/layer_03.npy", ARRAY),
    ("embed", f"{STORE}/event/valid/80ms/timestamps.json",
     JSON | GONE | {"a clip less": a_clip_less} | every_entry(None, "7")),
    ("embed", f"{STORE}/scene/task_metadata.json", JSON | GONE),
    ("embed", f"{STORE}/scene/valid.json", BYTES | GONE),
    ("embed", f"{STORE}/scene/labelvocabulary.csv", {"not a text": BYTES["not a text"]} | GONE),
    ("embed", f"{EMBEDDINGS}/sounds.json", JSON | GONE | every_entry(None, "7")),
    ("embed", f"{EMBEDDINGS}/train.embeddings.npy", without(BYTES, "zeros")),
    ("embed", f"{EMBEDDINGS}/train.embedding-dimensions.json",
     JSON | GONE | every_entry(None, "7")),
    ("study", f"{STORE}/scene/store.json", JSON | every_entry(None)),
    ("study", f"{STORE}/scene/test/scenes/layer_05.npy", ARRAY),
    ("study", "results/cnn14/heads/scene/cnn14_2.npz", BYTES | GONE),
    ("study", "results/cnn14/study.json", JSON | GONE | every_entry(None)),
]  # fmt: skip
# What somebody has to decide: the file is named, and the next step.
NAMED: list[tuple[str, str, str, dict[str, Damage]]] = [
    ("embed", f"{EMBEDDINGS}/weights.json", "delete the folder",
     JSON | GONE | {"whose": changed(sha256=None)}),
    ("embed", f"{EMBEDDINGS}/valid.json", "delete the folder", JSON | GONE),
    ("embed", f"{EMBEDDINGS}/task_metadata.json", "delete the folder", JSON | GONE),
    ("embed", f"{EMBEDDINGS}/labelvocabulary.csv", "delete the folder", BYTES | GONE),
    ("report", "results/cnn14/study.json", "run it again", JSON),
    ("report", "results/sections/extra.json", "delete it or make it again", {
        **without(JSON, "an empty object"),
        "no title": changed(title=None),
        "tables as a text": changed(tables="7"),
        "a row too short": lambda path: path.write_text(path.read_text().replace('"x",', "")),
    }),
]  # fmt: skip
# What is either of no account or named.
EITHER: list[tuple[str, str, dict[str, Damage]]] = [
    ("report", "results/cnn14/study.json", every_entry(None, {}, "7", -1, 1e999)),
    ("report", "results/sections/extra.json", every_entry(None, {}, "7", -1)),
]
# One run of several: it is listed with the reason, and the other is compared.
LISTED: list[tuple[str, str, dict[str, Damage]]] = [
    ("compare", f"{SUBMITTED}/test.predicted-scores.json", JSON | GONE | {
        "a text for a score": changed(test={"test_top1_acc": "0.5"}),
        "no scores": changed(test=None),
        "a list of scores": changed(test=[1]),
        "folds as a list": changed(aggregated_scores=[1]),
    }),
    ("compare", f"{SUBMITTED}/prediction-done.json", without(JSON, "an empty object") | GONE),
    ("compare", f"{SUBMITTED}/prediction-settings.json", JSON),
    ("compare", f"{SUBMITTED}/task_metadata.json", JSON),
]  # fmt: skip


def cases(table: list[Any]) -> list[Any]:
    return [
        pytest.param(*row[:-1], damage, id=f"{row[0]}-{row[1].replace('/', '.')}-{name}")
        for row in table
        for name, damage in row[-1].items()
    ]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, weight_files: dict[str, Path]) -> Path:
    folder = tmp_path_factory.mktemp("done")
    do_all(folder, weight_files["cnn14"])
    return folder


@pytest.fixture
def folder(done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder that may be damaged, as the working folder."""
    for name in KEPT:
        shutil.copytree(done / name, tmp_path / name)
    for name in GIVEN:
        (tmp_path / name).symlink_to(done / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def nothing_is_drawn(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawings take seconds, and files are read before they are made."""
    monkeypatch.setattr("hear_fusion.report.page.study_drawings", lambda *_: ())


def run(verb: str) -> tuple[int, str]:
    shown = CliRunner().invoke(main, VERBS[verb])
    if shown.exception is not None and not isinstance(shown.exception, SystemExit):
        raise shown.exception
    assert "Traceback" not in shown.output
    assert "Aborted" not in shown.output
    return shown.exit_code, shown.output


def content_of(path: Path) -> Any:
    if path.suffix == ".npz":
        with np.load(io.BytesIO(path.read_bytes())) as arrays:
            return {name: a.tolist() for name, a in arrays.items() if name != "wall_s"}
    if path.name in ("store.json", "study.json"):
        # A clip whose sound is not recorded is compared by the time of the record.
        timed = ("wall_s", "peak_bytes", "sounds")
        content = json.loads(path.read_text())
        return {name: value for name, value in content.items() if name not in timed}
    return path.read_bytes()


@pytest.mark.parametrize(("verb", "path", "damage"), cases(ANEW))
def test_it_is_made_anew(verb: str, path: str, damage: Damage, folder: Path, done: Path) -> None:
    damage(folder / path)
    code, said = run(verb)
    assert code == 0, said
    assert content_of(folder / path) == content_of(done / path)


@pytest.mark.parametrize(("verb", "path", "step", "damage"), cases(NAMED))
def test_it_is_named_with_the_next_step(
    verb: str, path: str, step: str, damage: Damage, folder: Path
) -> None:
    damage(folder / path)
    code, said = run(verb)
    assert code == 1, said
    error = said[said.index("Error: ") :]
    assert Path(path).name in error
    assert str(Path(path).parent) in error
    assert step in error


@pytest.mark.parametrize(("verb", "path", "damage"), cases(EITHER))
def test_it_is_of_no_account_or_named(verb: str, path: str, damage: Damage, folder: Path) -> None:
    damage(folder / path)
    code, said = run(verb)
    assert code == 0 or f"Error: {path} must be" in said


@pytest.mark.parametrize(("verb", "path", "damage"), cases(LISTED))
def test_it_is_listed_and_the_others_are_compared(
    verb: str, path: str, damage: Damage, folder: Path
) -> None:
    damage(folder / path)
    code, said = run(verb)
    assert code == 0, said
    (line,) = [line for line in said.splitlines() if Path(path).parent.name in line]
    assert Path(path).name.split(".")[0] in line or "scores" in line
    assert "GTZAN Genre" in said
