"""A map's page, picture and atlas: whole, harmless, and with the sounds where they ought to be."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from pyarrow import parquet

from hear_fusion.report.sounds.map_files import write_map
from hear_fusion.report.sounds.sound_map import SoundMap
from tests.report.sounds.maps import HOSTILE, HOSTILE_LABEL, sound_map, write_sounds


def data_of(page: Path, name: str) -> Any:
    found = re.search(
        rf'<script type="application/json" id="{name}">(.*?)</script>', page.read_text()
    )
    assert found is not None
    return json.loads(found[1])


def test_a_page_holds_all_that_it_needs(tmp_path: Path) -> None:
    paths = write_sounds(tmp_path / "in", ["a.wav", "b.wav", "c.wav"])
    sounds = sound_map(paths, ["x", "", "x"])
    written = write_map(sounds, tmp_path / "out" / "map.html")
    assert [path.name for path in written.files] == ["map.html", "map.png"]
    assert (written.n_embedded, written.n_linked, written.faults) == (3, 0, {})
    page = written.files[0].read_text()
    assert re.findall(r"https?://", page) == []
    assert "A map &amp; &lt;more&gt;" in page
    told = data_of(written.files[0], "map")
    assert told["names"] == ["a.wav", "b.wav", "c.wav"]
    assert [(group["label"], group["members"]) for group in told["groups"]] == [
        ("x", [0, 2]), ("(no label)", [1]),
    ]  # fmt: skip
    points = np.array([told["x"], told["y"]]).T
    assert np.abs(points).max() == 1
    spread = sounds.plane.points - sounds.plane.points[0]
    moved = points - points[0]
    np.testing.assert_allclose(moved * spread[1, 0] / moved[1, 0], spread, atol=1e-3)
    for player in data_of(written.files[0], "sounds"):
        assert base64.b64decode(player["mp3"]).startswith(b"\xff")


def test_the_page_runs_its_own_script_alone(tmp_path: Path) -> None:
    paths = write_sounds(tmp_path, HOSTILE)
    sounds, atlas = sound_map(paths, [HOSTILE_LABEL] * len(paths)), tmp_path / "atlas.parquet"
    write_map(sounds, tmp_path / "map.html", embed_bytes=0, atlas=atlas)
    assert parquet.read_table(atlas)["name"].to_pylist()[-1] == "caf\\udce9.wav"
    page = (tmp_path / "map.html").read_text()
    assert page.count("<script") == page.count("</script>") == 3
    assert "<!--" not in page
    assert data_of(tmp_path / "map.html", "map")["groups"][0]["label"] == HOSTILE_LABEL
    assert data_of(tmp_path / "map.html", "map")["names"] == list(HOSTILE)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; ")
    assert "unsafe" not in policy[1]
    for element in ("script", "style"):
        text = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text[0].encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy[1]
    assert "innerHTML" not in page


def test_what_has_no_room_inside_is_linked_from_where_the_page_is(tmp_path: Path) -> None:
    paths = write_sounds(tmp_path / "in", HOSTILE)
    page = tmp_path / "out" / "map.html"
    for embed_bytes, n_embedded in ((0, 0), (3000, 1), (10**7, len(HOSTILE))):
        written = write_map(sound_map(paths), page, embed_bytes=embed_bytes)
        assert written.n_embedded == n_embedded
        players = data_of(page, "sounds")
        assert ["mp3" in player for player in players] == [
            i < n_embedded for i in range(len(paths))
        ]
        for path, player in zip(paths[n_embedded:], players[n_embedded:], strict=True):
            assert player["link"].startswith("./../in/")
            assert set("#?<>\"' \n").isdisjoint(player["link"])
            linked = unquote(player["link"], errors="surrogateescape")
            assert os.path.samefile(page.parent / linked, path)


def test_a_link_to_a_part_says_which(tmp_path: Path) -> None:
    (path,) = write_sounds(tmp_path, ["a.wav"], seconds=3)
    starts, stops = np.array([np.nan, 0.5, 1]), np.array([np.nan, 1.25, np.nan])
    vectors = np.eye(3, dtype=np.float32)
    sounds = SoundMap.of("m", [path] * 3, starts, stops, [""] * 3, vectors)
    write_map(sounds, tmp_path / "map.html", embed_bytes=0)
    links = [player["link"] for player in data_of(tmp_path / "map.html", "sounds")]
    assert links == ["./a.wav", "./a.wav#t=0.500,1.250", "./a.wav#t=1.000"]


@pytest.mark.parametrize("embed_bytes", [0, 10**7])
def test_sounds_that_are_gone_are_told_and_the_others_are_there(
    tmp_path: Path, embed_bytes: int
) -> None:
    paths = write_sounds(tmp_path, ["a.wav", "b.wav", "c.wav"])
    Path(paths[1]).unlink()
    atlas = tmp_path / "atlas.parquet"
    written = write_map(
        sound_map(paths), tmp_path / "map.html", embed_bytes=embed_bytes, atlas=atlas
    )
    assert list(written.faults) == [paths[1]]
    assert written.faults[paths[1]].startswith(f"{paths[1]} ")
    assert written.n_embedded + written.n_linked == 2
    rows = parquet.read_table(atlas).to_pylist()
    assert [row["audio"] is not None for row in rows] == [True, False, True]


def test_the_atlas_has_sounds_points_neighbours_and_labels(tmp_path: Path) -> None:
    paths = write_sounds(tmp_path, [f"{i}.wav" for i in range(9)])
    sounds = sound_map(paths, ["even", "odd"] * 4 + [""])
    atlas = tmp_path / "deep" / "atlas.parquet"
    written = write_map(sounds, tmp_path / "map.html", embed_bytes=0, atlas=atlas)
    assert written.files[-1] == atlas
    assert written.n_linked == 9
    rows = parquet.read_table(atlas).to_pylist()
    assert [row["path"] for row in rows] == paths
    assert [row["label"] for row in rows] == list(sounds.labels)
    np.testing.assert_array_equal([[row["x"], row["y"]] for row in rows], sounds.plane.points)
    assert [row["neighbors"]["ids"] for row in rows] == sounds.nearest.tolist()
    assert rows[0]["neighbors"]["distances"] == pytest.approx(sounds.distances[0])
    assert all(row["audio"]["bytes"].startswith(b"\xff") for row in rows)
    assert rows[0]["start"] is None
    assert sorted(path.name for path in atlas.parent.iterdir()) == ["atlas.parquet"]


def test_an_atlas_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_sounds(tmp_path / "in", ["a.wav", "b.wav"])
    monkeypatch.setattr("hear_fusion.report.sounds.map_files.embedded", None)
    with pytest.raises(TypeError):
        write_map(sound_map(paths), tmp_path / "map.html", atlas=tmp_path / "atlas.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
