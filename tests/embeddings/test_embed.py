"""One pass for all modules gives the very folders that heareval's runner writes for each."""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
import torch
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.embeddings.embed import embed_task
from hear_fusion.embeddings.pace import SCENES, Pace
from hear_fusion.embeddings.statistics import task_statistics
from hear_fusion.embeddings.store import RECORD_FILE, StoredTask
from hear_fusion.evaluate.embeddings import export_module, labels_at
from hear_fusion.evaluate.predictions import read_official_score
from hear_fusion.files.records import NewerFormatError
from hear_fusion.files.space import UnwritableError
from hear_fusion.model import FusionModel
from hear_fusion.names import parse_modules
from hear_fusion.tasks.clips import list_clips
from hear_fusion.tasks.folders import find_tasks
from tests.files.damaged import NEWER_WORDS, changed, newer
from tests.tasks.hear_tasks import python, tone, write_event_task, write_scene_task, write_task
from tests.tasks.strays import STRAYS, add_strays

MODULES = {
    "yamnet": ("yamnet", "yamnet_9", "yamnet_5_13", "yamnet_40ms", "yamnet_2_13_40ms"),
    "cnn14": ("cnn14", "cnn14_3_6", "cnn14_3_6_80ms"),
}
RUN_ALL = """
import sys
from heareval.embeddings.runner import runner
for pair in sys.argv[3:]:
    module, model = pair.split("=")
    runner(["hear_fusion." + module, "--model", model, "--tasks-dir", sys.argv[1],
            "--embeddings-dir", sys.argv[2]], standalone_mode=False)
"""
RNG = np.random.default_rng(3)


def uneven_clips(n: int) -> dict[str, tuple[NDArray[np.float64], list[Any]]]:
    """Tones of three lengths."""
    labels = ("low", "mid", "high")
    return {
        f"clip {i} of {n}.wav": (tone(labels[i % 3], 8000 + 3000 * (i % 3), RNG), [labels[i % 3]])
        for i in range(n)
    }


@pytest.fixture(scope="module")
def tasks_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    write_scene_task(folder / "scene", n_clips=5)
    write_scene_task(folder / "kfold", n_clips=4, folds=3)
    write_event_task(folder / "event", n_clips=2)
    write_task(
        folder / "uneven",
        {"train": uneven_clips(7), "valid": uneven_clips(4), "test": uneven_clips(5)},
        embedding_type="scene",
        prediction_type="multiclass",
        split_mode="trainvaltest",
        sample_duration=None,
        evaluation=["top1_acc"],
    )
    return folder


@pytest.fixture(scope="module")
def networks(weight_files: dict[str, Path]) -> dict[str, LoadedBackbone]:
    return {name: LoadedBackbone.load(name, weight_files[name]) for name in MODULES}


@pytest.fixture(scope="module")
def ours(
    tasks_dir: Path, networks: dict[str, LoadedBackbone], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Embeddings of all modules by our pass, and the store, in one folder."""
    root = tmp_path_factory.mktemp("ours")
    for name, network in networks.items():
        choices = parse_modules(MODULES[name], name)
        for task in find_tasks(tasks_dir):
            # small batches, so that there are several
            stored = embed_task(network, task, root / "store", choices, batch_seconds=2)
            assert stored is not None
            for choice in choices:
                export_module(stored, task, choice, network, root / "embeddings")
    return root


def test_every_file_is_the_official_one(
    tasks_dir: Path, weight_files: dict[str, Path], ours: Path, tmp_path: Path
) -> None:
    pairs = [
        f"{module}={weight_files[name]}" for name, modules in MODULES.items() for module in modules
    ]
    official = tmp_path / "embeddings"
    done = python("-c", RUN_ALL, tasks_dir, official, *pairs, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = {p.relative_to(official) for p in official.rglob("*") if p.is_file()}
    found = {p.relative_to(ours / "embeddings") for p in (ours / "embeddings").rglob("*")}
    found = {p for p in found if (ours / "embeddings" / p).is_file()}
    own = ("weights.json", "sounds.json", ".lock")
    assert {p for p in found if p.name not in own} == expected
    # 4 tasks by 8 modules, each with its own weights.json and sounds.json; and the lock
    assert len(found) - len(expected) == 65
    n_arrays = 0
    for path in sorted(expected):
        n_arrays += _compare(official / path, ours / "embeddings" / path, official, ours)
    assert n_arrays > 300


def _compare(expected: Path, found: Path, official: Path, ours: Path) -> bool:
    """Compare two files; tell whether they hold embeddings."""
    if expected.name.endswith(".embedding.npy"):
        first, second = np.load(expected), np.load(found)
        assert second.dtype == np.float32
        np.testing.assert_allclose(second, first, rtol=1e-5, atol=1e-5)
    elif expected.name.endswith(".embeddings.npy"):
        first, second = np.fromfile(expected, np.float32), np.fromfile(found, np.float32)
        np.testing.assert_allclose(second, first, rtol=1e-5, atol=1e-5)
    elif expected.name.endswith(".pkl"):
        with expected.open("rb") as one, found.open("rb") as other:
            assert _sorted(pickle.load(other)) == _sorted(pickle.load(one))
        return False
    elif expected.name == "profile.embeddings.json":
        assert json.loads(found.read_text()).keys() == json.loads(expected.read_text()).keys()
        return False
    elif expected.name.endswith("target-labels.json"):
        assert _sorted(json.loads(found.read_text())) == _sorted(json.loads(expected.read_text()))
        return False
    else:
        text = expected.read_text().replace(str(official), str(ours / "embeddings"))
        assert found.read_text() == text, expected
        return False
    return True


def _sorted(labels: Any) -> Any:
    """Labels of a moment come out of a set in heareval: in any order."""
    return [sorted(item) if isinstance(item, list) else item for item in labels]


def test_the_predictions_runner_goes_on_from_there(ours: Path, tmp_path: Path) -> None:
    folders = [
        ours / "embeddings" / module / task
        for module, task in (("hear_fusion.yamnet_5_13", "kfold"), ("hear_fusion.cnn14", "scene"))
    ]
    command: list[str | Path] = ["-m", "hear_fusion.evaluate.official", "predictions", *folders]
    done = python(*command, "--grid-points", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    for folder in folders:
        assert 0 <= read_official_score(folder, "top1_acc") <= 1


def test_the_store_holds_every_layer_as_the_model_gives_it(
    networks: dict[str, LoadedBackbone], tasks_dir: Path, ours: Path
) -> None:
    for name, network in networks.items():
        stored = StoredTask.read(ours / "store" / name / "uneven")
        assert stored is not None
        assert stored.paces == {SCENES: [0, *network.model.backbone.layer_numbers()]}
        clips = list_clips(tasks_dir / "uneven", 16000)
        for split in clips:
            assert stored.filenames[split.split] == split.filenames
            for i in range(len(split.filenames)):
                wide = network.with_layers(network.layer_numbers(), SCENES)
                for number, scene in wide.layers(split.decode([i])).items():
                    found = stored.features(split.split, number)
                    assert isinstance(found, np.memmap)
                    torch.testing.assert_close(
                        torch.from_numpy(found[i].copy()), scene[0], rtol=1e-5, atol=1e-5
                    )


def test_labels_are_those_of_the_clips(tasks_dir: Path, ours: Path) -> None:
    stored = StoredTask.read(ours / "store" / "cnn14" / "uneven")
    assert stored is not None
    entries = json.loads((tasks_dir / "uneven" / "train.json").read_text())
    assert stored.labels("train") == [entries[name] for name in stored.filenames["train"]]
    assert stored.filenames["train"] != list(entries)  # they are shuffled


def test_what_is_done_is_not_done_again(
    networks: dict[str, LoadedBackbone],
    tasks_dir: Path,
    ours: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise AssertionError

    monkeypatch.setattr("hear_fusion.embeddings.embed.list_clips", fail)
    network = networks["yamnet"]
    choices = parse_modules(["yamnet_2_13_40ms"], "yamnet")
    for task in find_tasks(tasks_dir):
        assert embed_task(network, task, ours / "store", choices) is not None
    with pytest.raises(AssertionError):  # another hop is another pass
        embed_task(
            network, tasks_dir / "event", ours / "store", parse_modules(["yamnet_2_20ms"], "yamnet")
        )


def test_a_new_layer_of_frames_is_added_to_the_others(
    networks: dict[str, LoadedBackbone], tasks_dir: Path, tmp_path: Path
) -> None:
    network, task = networks["cnn14"], tasks_dir / "event"
    first = embed_task(network, task, tmp_path, parse_modules(["cnn14_3_80ms"], "cnn14"))
    both = embed_task(network, task, tmp_path, parse_modules(["cnn14_6_80ms"], "cnn14"))
    assert first is not None
    assert both is not None
    pace = Pace("hop", 80)
    assert (first.paces, both.paces) == ({pace: [3]}, {pace: [3, 6]})
    assert both.features("test", 3, pace).shape[0] == both.features("test", 6, pace).shape[0]


def test_a_broken_pass_begins_again(
    networks: dict[str, LoadedBackbone],
    tasks_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, task = networks["cnn14"], tasks_dir / "scene"
    with monkeypatch.context() as patch:
        calls = []

        def scenes(_self: object, _audio: object) -> None:
            calls.append(1)
            raise KeyboardInterrupt

        patch.setattr("hear_fusion.model.FusionModel.scenes", scenes)
        with pytest.raises(KeyboardInterrupt):
            embed_task(network, task, tmp_path)
        assert calls
    assert StoredTask.read(tmp_path / "cnn14" / "scene") is None
    stored = embed_task(network, task, tmp_path)
    assert stored == StoredTask.read(tmp_path / "cnn14" / "scene")


def test_other_weights_options_and_tasks_are_refused(
    networks: dict[str, LoadedBackbone], tasks_dir: Path, tmp_path: Path
) -> None:
    from hear_fusion.backbones import REGISTRY
    from hear_fusion.names import Choice
    from tests.networks import cnn14_tensors

    task = shutil.copytree(tasks_dir / "scene", tmp_path / "scene")
    embed_task(networks["cnn14"], task, tmp_path / "store")
    other = FusionModel(REGISTRY["cnn14"].from_tensors(cnn14_tensors(seed=9)), Choice("cnn14"))
    for network in (
        LoadedBackbone(other),
        LoadedBackbone(networks["cnn14"].model, {"chunk_seconds": 3.0}),
    ):
        with pytest.raises(ValueError, match="choose another --store or delete"):
            embed_task(network, task, tmp_path / "store")
    add_strays(task)
    (task / "test.json").write_text((task / "test.json").read_text().replace("high", "low"))
    with pytest.raises(ValueError, match=r"another test.json .* another --store"):
        embed_task(networks["cnn14"], task, tmp_path / "store")


def test_features_from_before_are_made_anew_and_newer_ones_refused(
    networks: dict[str, LoadedBackbone], tasks_dir: Path, tmp_path: Path
) -> None:
    network, task = networks["cnn14"], tasks_dir / "scene"
    first = embed_task(network, task, tmp_path)
    assert first is not None
    array = first.folder / "test" / "scenes" / "layer_03.npy"
    array.write_bytes(b"")
    changed(format=...)(first.folder / RECORD_FILE)
    again = embed_task(network, task, tmp_path)
    assert again is not None
    assert replace(again, wall_s=first.wall_s) == first
    assert array.stat().st_size > 0
    newer(first.folder / RECORD_FILE)
    with pytest.raises(NewerFormatError, match=NEWER_WORDS):
        embed_task(network, task, tmp_path)


def test_an_event_task_without_modules_is_left_out(
    networks: dict[str, LoadedBackbone], tasks_dir: Path, tmp_path: Path
) -> None:
    assert embed_task(networks["cnn14"], tasks_dir / "event", tmp_path) is None
    assert not (tmp_path / "cnn14").exists()


def test_modules_of_another_network_and_hops_as_options_are_refused() -> None:
    with pytest.raises(ValueError, match="must be choices of cnn14, got yamnet_5"):
        parse_modules(["cnn14", "hear_fusion.yamnet_5"], "cnn14")
    with pytest.raises(ValueError, match=r"write cnn14_\.\.\._40ms"):
        LoadedBackbone.load("cnn14", options={"hop_ms": 40})


def test_sound_that_does_not_fit_is_named(tasks_dir: Path, tmp_path: Path) -> None:
    task = shutil.copytree(tasks_dir / "scene", tmp_path / "scene")
    clip = next((task / "16000" / "valid").iterdir())
    clip.write_bytes(b"")
    with pytest.raises(ValueError, match=f"{clip.name}: .* is empty"):
        list_clips(task, 16000)
    clip.unlink()
    with pytest.raises(ValueError, match=f"{clip.name}: .*No such file"):
        list_clips(task, 16000)


def test_statistics_are_those_of_the_training_clips(
    weight_files: dict[str, Path], tasks_dir: Path
) -> None:
    network = LoadedBackbone.load("ast", weight_files["ast"])
    train = list_clips(tasks_dir / "uneven", 16000)[0]
    log_mels = []
    for i in range(len(train.filenames)):
        audio = train.decode([i])
        n_mel = network.model.backbone.timeline.n_mel(audio.shape[1], "frames")
        log_mels.append(network.model.backbone.log_mel(audio, 0, n_mel).flatten())
    values = torch.cat(log_mels).double()
    mean, std = task_statistics(network, tasks_dir / "uneven")
    assert (mean, std) == pytest.approx((values.mean().item(), values.std().item()), rel=1e-3)
    shortest = train.n_samples.index(min(train.n_samples))
    audio = train.decode([shortest])
    n_mel = network.model.backbone.timeline.n_mel(audio.shape[1], "frames")
    alone = network.model.backbone.log_mel(audio, 0, n_mel).double()
    few = task_statistics(network, tasks_dir / "uneven", max_clips=1)
    assert few[0] == pytest.approx(alone.mean().item(), rel=1e-6)
    # and they are what the front end is told
    told = LoadedBackbone.load("ast", weight_files["ast"], {"input_mean": mean, "input_std": std})
    assert told.model.backbone.input_mean == mean


def test_an_event_sounds_from_its_start_to_its_end() -> None:
    events = [
        {"label": "a", "start": 100.0, "end": 200.0},
        {"label": "b", "start": 150, "end": 300},
    ]
    found = [labels_at(events, time) for time in (99.9, 100.0, 200.0, 200.1)]
    assert found == [[], ["a"], ["a", "b"], ["b"]]


def test_what_else_lies_in_a_task_changes_nothing(
    networks: dict[str, LoadedBackbone],
    tasks_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, task = networks["yamnet"], shutil.copytree(tasks_dir / "scene", tmp_path / "scene")
    (choice,) = parse_modules(["yamnet_5_13"], "yamnet")

    def run() -> set[tuple[str, int]]:
        stored = embed_task(network, task, tmp_path / "store")
        assert stored is not None
        export_module(stored, task, choice, network, tmp_path / "embeddings")
        files = [*(tmp_path / "store").rglob("*"), *(tmp_path / "embeddings").rglob("*")]
        return {(str(path), path.stat().st_mtime_ns) for path in files if path.is_file()}

    add_strays(task)
    first = run()
    assert not [name for name, _ in first if "faults" in name or "._" in name]
    monkeypatch.setattr("hear_fusion.embeddings.embed.list_clips", None)
    assert run() == first
    for name in STRAYS:
        (task / name).write_bytes(b"other words")
    assert run() == first
    for name in STRAYS:
        (task / name).unlink()
    assert run() == first


def replace_sound(path: Path) -> None:
    """Write another sound of the same length, as late as another day."""
    rate_hz, n_samples = 16000, sf.info(path).frames
    sf.write(path, 0.1 * tone("high", n_samples, RNG), rate_hz, subtype="PCM_16")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 86400 * 10**9))


@pytest.mark.parametrize("recorded", [True, False])
def test_a_replaced_sound_is_noticed_and_that_task_computed_anew(
    networks: dict[str, LoadedBackbone],
    tasks_dir: Path,
    tmp_path: Path,
    recorded: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    network, task = networks["cnn14"], shutil.copytree(tasks_dir / "scene", tmp_path / "scene")
    (choice,) = parse_modules(["cnn14_3_6"], "cnn14")
    record = tmp_path / "store" / "cnn14" / "scene" / RECORD_FILE

    def run(store: str = "store") -> StoredTask:
        stored = embed_task(network, task, tmp_path / store)
        assert stored is not None
        export_module(stored, task, choice, network, tmp_path / f"{store} embeddings")
        return stored

    first = run()
    if not recorded:
        changed(sounds=...)(record)
        assert run().sounds == first.sounds, "they are compared once, then recorded"
        assert StoredTask.read(first.folder) == first
        changed(sounds=...)(record)
    before = first.features("valid", 3).copy()
    replace_sound(task / "16000" / "valid" / first.filenames["valid"][2])
    assert caplog.messages == []
    second = run()
    reason = f"since valid/{first.filenames['valid'][2]} was replaced"
    folder = tmp_path / "store embeddings" / choice.import_name / "scene"
    assert caplog.messages == [
        f"scene: computing its features anew, {reason}",
        f"{folder}: writing its embeddings anew, {reason}",
    ]
    after = second.features("valid", 3)
    assert [i for i in range(5) if not np.array_equal(before[i], after[i])] == [2]
    clean = run("clean")
    for split in clean.splits:
        for number in network.layer_numbers():
            assert_array_equal(second.features(split, number), clean.features(split, number))
        name = f"{split}.embeddings.npy"
        other = tmp_path / "clean embeddings" / choice.import_name / "scene"
        assert (folder / name).read_bytes() == (other / name).read_bytes()
    assert run() == second
    assert len(caplog.messages) == 2


def test_sounds_that_are_gone_or_were_copied_were_not_replaced(
    networks: dict[str, LoadedBackbone], tasks_dir: Path, tmp_path: Path
) -> None:
    network, task = networks["cnn14"], shutil.copytree(tasks_dir / "scene", tmp_path / "scene")
    first = embed_task(network, task, tmp_path)
    elsewhere = shutil.copytree(task, tmp_path / "elsewhere" / "scene")  # keeps times
    shutil.rmtree(task / "16000")
    assert embed_task(network, task, tmp_path) == first
    assert embed_task(network, elsewhere, tmp_path) == first


def test_statistics_of_replaced_sounds_are_other_options(
    weight_files: dict[str, Path], tasks_dir: Path, tmp_path: Path
) -> None:
    task = shutil.copytree(tasks_dir / "scene", tmp_path / "scene")

    def told(mean: float) -> LoadedBackbone:
        return LoadedBackbone.load("ast", weight_files["ast"], {"input_mean": mean})

    embed_task(told(-4.0), task, tmp_path)
    with pytest.raises(ValueError, match="weights and options in use"):
        embed_task(told(-5.0), task, tmp_path)
    replace_sound(next((task / "16000" / "train").iterdir()))
    stored = embed_task(told(-5.0), task, tmp_path)
    assert stored is not None
    assert stored.options == {"input_mean": -5.0}


def test_a_folder_that_goes_meanwhile_is_told_and_the_next_pass_completes(
    networks: dict[str, LoadedBackbone],
    tasks_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, task = networks["cnn14"], tasks_dir / "scene"
    official = FusionModel.scenes

    def scenes(self: FusionModel, audio: torch.Tensor) -> torch.Tensor:
        shutil.rmtree(tmp_path / "store", ignore_errors=True)
        return official(self, audio)

    with monkeypatch.context() as patch:
        patch.setattr(FusionModel, "scenes", scenes)
        with pytest.raises(UnwritableError, match=r"layer_00\.npy must be writable, got No such"):
            embed_task(network, task, tmp_path / "store")
    assert embed_task(network, task, tmp_path / "store") is not None


def test_a_broken_pass_for_more_frames_leaves_the_others_as_they_were(
    networks: dict[str, LoadedBackbone],
    tasks_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, task, pace = networks["cnn14"], tasks_dir / "event", Pace("hop", 80)
    first = embed_task(network, task, tmp_path, parse_modules(["cnn14_3_80ms"], "cnn14"))
    assert first is not None
    mapped = first.features("test", 3, pace)
    before = mapped.copy()
    with monkeypatch.context() as patch:

        def timestamp_embeddings(_self: object, _audio: object) -> None:
            assert list(tmp_path.rglob(".layer_06.npy.*")), "nothing was begun"
            raise KeyboardInterrupt

        patch.setattr(FusionModel, "timestamp_embeddings", timestamp_embeddings)
        with pytest.raises(KeyboardInterrupt):
            embed_task(network, task, tmp_path, parse_modules(["cnn14_6_80ms"], "cnn14"))
    assert StoredTask.read(first.folder) == first
    assert_array_equal(first.features("test", 3, pace), before)
    assert_array_equal(mapped, before)
    assert not list(tmp_path.rglob(".*.npy.*"))


def test_room_is_taken_before_anything_is_mapped(
    networks: dict[str, LoadedBackbone],
    tasks_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, task = networks["cnn14"], tasks_dir / "scene"
    (choice,) = parse_modules(["cnn14_3_6"], "cnn14")

    def fallocate(_file: int, _offset: int, _size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", fallocate)
        with pytest.raises(UnwritableError, match=r"train/scenes/layer_00\.npy must have room"):
            embed_task(network, task, tmp_path)
    stored = embed_task(network, task, tmp_path)
    assert stored is not None
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", fallocate)
        with pytest.raises(UnwritableError, match=r"train\.embeddings\.npy must have room"):
            export_module(stored, task, choice, network, tmp_path / "embeddings")
    export_module(stored, task, choice, network, tmp_path / "embeddings")
