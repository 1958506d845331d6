"""The map in a browser: it is clicked, heard, walked through, and nothing in its names runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hear_fusion.report.sounds.map_files import write_map
from tests.report.sounds.maps import HOSTILE, HOSTILE_LABEL, sound_map, write_sounds

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless browser."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    path = next(filter(None, found), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    no_sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=no_sandbox)
        yield browser
        browser.close()


class Visit:
    """A page that is open, and all that happened on it."""

    def __init__(self, chromium: Any, path: Path) -> None:
        self.page = chromium.new_page(viewport={"width": 1200, "height": 750})
        self.happened: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.happened.append(message.text))
        self.page.on("pageerror", lambda err: self.happened.append(str(err)))
        self.page.on("dialog", self._dismiss)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.until("width > 0 && pending === 0")

    def _dismiss(self, dialog: Any) -> None:
        self.happened.append("a dialog")
        dialog.dismiss()

    def until(self, condition: str) -> None:
        """Wait for a condition; the page's own policy keeps playwright's way of waiting out."""
        for _ in range(200):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"not within 10 s: {condition}")

    def click(self, i: int) -> None:
        """Click a point."""
        x, y = self.page.evaluate(f"[screenX({i}), screenY({i})]")
        self.page.mouse.move(x, y)
        self.page.mouse.click(x, y)

    def text(self, selector: str) -> str:
        """What an element says."""
        return str(self.page.text_content(selector))

    def assert_plays(self) -> None:
        """The sound goes on."""
        self.until("!player.paused && player.currentTime > 0.1")

    def assert_quiet(self, folder: Path) -> None:
        """Nothing was said on the console, nothing asked for outside the folder."""
        assert self.happened == []
        outside = [
            url
            for url in self.requests
            if not url.startswith(("data:", "blob:", f"{folder.as_uri()}/"))
        ]
        assert outside == []
        self.page.close()


@pytest.mark.parametrize("embed_bytes", [10**7, 0], ids=["embedded", "linked"])
def test_every_sound_plays_and_no_name_runs(
    chromium: Any, tmp_path: Path, embed_bytes: int
) -> None:
    paths = write_sounds(tmp_path / "sounds & co", HOSTILE)
    labels = [HOSTILE_LABEL, "b", "", "<b>c</b>", "b", "d"]
    write_map(sound_map(paths, labels), tmp_path / "map.html", embed_bytes=embed_bytes)
    visit = Visit(chromium, tmp_path / "map.html")
    assert visit.page.title() == "A map & <more>"
    for i, name in enumerate(HOSTILE):
        visit.click(i)
        visit.assert_plays()
        if "\udce9" not in name:
            assert visit.text("#name") == name
        assert (labels[i] or "(no label)") in visit.text("#about")
    assert HOSTILE_LABEL in visit.text("#legend")
    assert (
        visit.page.evaluate("document.images.length + document.querySelectorAll('svg, b b').length")
        == 0
    )
    assert visit.page.evaluate("document.scripts.length") == 3
    visit.assert_quiet(tmp_path)


def test_pointing_names_a_sound_and_a_click_on_it_again_pauses(
    chromium: Any, tmp_path: Path
) -> None:
    paths = write_sounds(tmp_path, ["a.wav", "b.wav", "c.wav"], seconds=5)
    write_map(sound_map(paths, ["x", "y", "y"]), tmp_path / "map.html")
    visit = Visit(chromium, tmp_path / "map.html")
    assert visit.page.is_hidden("#tip")
    x, y = visit.page.evaluate("[screenX(1), screenY(1)]")
    visit.page.mouse.move(x + 4, y - 3)
    assert visit.page.is_visible("#tip")
    assert (visit.text("#tip b"), visit.text("#tip span")) == ("b.wav", "y")
    visit.click(1)
    visit.assert_plays()
    visit.click(1)
    assert visit.page.evaluate("player.paused")
    visit.assert_quiet(tmp_path)


def test_keys_walk_play_and_zoom(chromium: Any, tmp_path: Path) -> None:
    paths = write_sounds(tmp_path, [f"{i}.wav" for i in range(30)], seconds=5)
    write_map(sound_map(paths), tmp_path / "map.html")
    visit = Visit(chromium, tmp_path / "map.html")
    keyboard, evaluate = visit.page.keyboard, visit.page.evaluate
    visit.page.focus("#marks")
    keyboard.press("ArrowRight")
    first = evaluate("chosen")
    keyboard.press("ArrowRight")
    assert evaluate(f"map.x[chosen] > map.x[{first}]")
    keyboard.press("ArrowUp")
    keyboard.press("Enter")
    visit.assert_plays()
    assert visit.text("#spoken").startswith(visit.text("#name"))
    keyboard.press("Escape")
    assert evaluate("player.paused && chosen < 0")
    before = evaluate("zoom")
    keyboard.press("+")
    assert evaluate("zoom") > before
    keyboard.press("0")
    assert evaluate("zoom") == before
    visit.assert_quiet(tmp_path)


def test_labels_hide_search_finds_and_a_neighbour_is_one_click_away(
    chromium: Any, tmp_path: Path
) -> None:
    paths = write_sounds(tmp_path, [f"{i}.wav" for i in range(12)], seconds=3)
    write_map(sound_map(paths, ["even", "odd"] * 6), tmp_path / "map.html")
    visit = Visit(chromium, tmp_path / "map.html")
    page, odd = visit.page, visit.page.locator("#legend button").nth(1)
    odd.click()
    assert odd.get_attribute("aria-pressed") == "false"
    assert page.evaluate("[seen(0), seen(1)]") == [True, False]
    odd.click()
    page.fill("#search", "odd 1")
    assert visit.text("#matches") == "2 of 12 sounds"
    assert page.evaluate("map.names.filter((_, i) => seen(i))") == ["1.wav", "11.wav"]
    page.fill("#search", "")
    visit.click(0)
    near = page.evaluate("map.nearest[0][0]")
    page.locator("#nearest button").first.click()
    visit.assert_plays()
    assert visit.text("#name") == f"{near}.wav"
    visit.assert_quiet(tmp_path)


def test_drag_wheel_and_window_keep_what_is_under_the_pointer(
    chromium: Any, tmp_path: Path
) -> None:
    paths = write_sounds(tmp_path, ["a.wav", "b.wav", "c.wav"])
    write_map(sound_map(paths), tmp_path / "map.html")
    visit = Visit(chromium, tmp_path / "map.html")
    mouse, evaluate = visit.page.mouse, visit.page.evaluate
    x, y = evaluate("[screenX(0), screenY(0)]")
    mouse.move(x, y)
    mouse.wheel(0, -400)
    visit.until("zoom > 1.5 * whole")
    np.testing.assert_allclose(evaluate("[screenX(0), screenY(0)]"), [x, y], atol=1)
    mouse.down()
    mouse.move(x + 60, y + 30, steps=5)
    mouse.up()
    np.testing.assert_allclose(evaluate("[screenX(0), screenY(0)]"), [x + 60, y + 30], atol=1)
    assert evaluate("chosen") == -1
    visit.page.set_viewport_size({"width": 500, "height": 700})
    visit.until("width <= 500")
    assert evaluate("document.documentElement.scrollWidth") <= 500
    visit.assert_quiet(tmp_path)


def test_a_sound_that_is_gone_is_told(chromium: Any, tmp_path: Path) -> None:
    paths = write_sounds(tmp_path, ["a.wav", "b.wav"])
    Path(paths[1]).unlink()
    write_map(sound_map(paths), tmp_path / "map.html")
    visit = Visit(chromium, tmp_path / "map.html")
    visit.click(1)
    assert "b.wav" in visit.text("#fault")
    assert visit.page.is_hidden("#player")
    visit.click(0)
    assert visit.page.is_hidden("#fault")
    visit.assert_plays()
    visit.assert_quiet(tmp_path)


_FRAMES = """async () => {
  const between = [], within = [], inner = drawPoints;
  drawPoints = () => {
    const began = performance.now();
    inner();
    within.push(performance.now() - began);
  };
  const frame = () => new Promise((next) => requestAnimationFrame(next));
  let last = await frame();
  for (let k = 0; k < 100; k++) {
    const deltaY = k % 20 < 10 ? -40 : 40;
    marks.dispatchEvent(new WheelEvent("wheel", { deltaY, clientX: 400, clientY: 300 }));
    const now = await frame();
    between.push(now - last);
    last = now;
  }
  return [between, within];
}"""


def test_five_thousand_points_are_redrawn(
    chromium: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s").mkdir()
    paths = [str(tmp_path / "s" / f"{i}.wav") for i in range(5000)]
    write_map(sound_map(paths, [f"label {i % 20}" for i in range(5000)]), tmp_path / "map.html")
    visit = Visit(chromium, tmp_path / "map.html")
    between, within = visit.page.evaluate(_FRAMES)
    assert len(within) >= 99
    with capsys.disabled():
        for what, times in (("a frame", between), ("script of it", within)):
            middle, late = np.percentile(times, [50, 95])
            print(f"\n5,000 points, {what}: {middle:.1f} ms, 95 % within {late:.1f} ms")  # noqa: T201
    visit.assert_quiet(tmp_path)
